package test

import (
	"os"
	"reflect"
	"testing"
)

// compose are the keys of a Compose file that compose.yaml may use.
type compose struct {
	Name     string                    `json:"name"`
	Services map[string]composeService `json:"services"`
}

type composeService struct {
	Image           string   `json:"image"`
	Restart         string   `json:"restart"`
	StopGracePeriod string   `json:"stop_grace_period"`
	User            string   `json:"user"`
	ReadOnly        bool     `json:"read_only"`
	SecurityOpt     []string `json:"security_opt"`
	CapDrop         []string `json:"cap_drop"`
	CapAdd          []string `json:"cap_add"`
	Ports           []string `json:"ports"`
	Volumes         []string `json:"volumes"`
	Logging         struct {
		Driver  string            `json:"driver"`
		Options map[string]string `json:"options"`
	} `json:"logging"`
}

func TestCompose(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../build/package/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := decodeStrict(text, &c); err != nil {
		t.Fatal(err)
	}
	s := c.Services["lookalike"]
	tests := []struct {
		what      string
		got, want any
	}{
		{"services", len(c.Services), 1},
		{"image", s.Image, "${LOOKALIKE_IMAGE:?write the name and tag of the image}"},
		{"user", s.User, "65532:65532"},
		{"read-only root", s.ReadOnly, true},
		{"more rights", s.SecurityOpt, []string{"no-new-privileges:true"}},
		{"capabilities dropped", s.CapDrop, []string{"ALL"}},
		{"capabilities added", s.CapAdd, []string{"NET_BIND_SERVICE"}},
		{"ports", s.Ports, []string{
			"${LOOKALIKE_ADDRESS:-127.0.0.1}:53:53/udp", "${LOOKALIKE_ADDRESS:-127.0.0.1}:53:53/tcp", "127.0.0.1:9153:9153/tcp",
		}},
		{"directory of the files", s.Volumes, []string{"./compose:/etc/lookalike:ro"}},
		{"log that cannot fill the disk", s.Logging.Options, map[string]string{"max-size": "50m", "max-file": "10"}},
	}
	for _, tt := range tests {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}
