package serving

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
)

// TestAnswering: each block is known by its first key.
func TestAnswering(t *testing.T) {
	tests := []struct {
		name, corefile, qname string
		want                  string
	}{
		{"no block", "", "army.ml", ""},
		{"no zone", "example.org", "army.ml", ""},
		{"the longest zone", ".; ml; army.ml", "mx.ARMY.ml.", "army.ml"},
		{"two ports", ".:53; ml:54", "army.ml", ".:53 ml:54"},
		{"two addresses of one block", "./bind 192.0.2.1 192.0.2.2; ml/bind 192.0.2.1", "army.ml", "ml ."},
		{"a view leaves some to the next", "ml/view a; ml:53; .", "army.ml", "ml ml:53"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			blocks := parse(t, tc.corefile)
			if got := blocks.Answering(tc.qname); !slices.Equal(got, strings.Fields(tc.want)) {
				t.Errorf("Got %q, want %q", got, tc.want)
			}
		})
	}
}

// parse reads server blocks that are written "KEY/LINE; KEY/LINE".
func parse(t *testing.T, corefile string) *Blocks[string] {
	t.Helper()
	var text strings.Builder
	for block := range strings.SplitSeq(corefile, "; ") {
		if keys, line, _ := strings.Cut(block, "/"); keys != "" {
			text.WriteString(keys + " {\n" + line + "\n}\n")
		}
	}
	parsed, err := caddyfile.Parse("Corefile", strings.NewReader(text.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	blocks := new(Blocks[string])
	for _, block := range parsed {
		if err := blocks.Add(block, block.Keys[0]); err != nil {
			t.Fatal(err)
		}
	}
	return blocks
}

// TestTwice: what the server refuses, and what it does not.
func TestTwice(t *testing.T) {
	tests := []struct{ name, corefile, want string }{
		{"two zones", ".; ml", ""},
		{"two ports", ".; .:54", ""},
		{"two addresses", "./bind 192.0.2.1; ./bind 192.0.2.2", ""},
		{"below a view", "./view a; .", ""},
		{"twice", ".:53; example.org; .", ". at port 53: .:53 and ."},
		{"one of two keys", "example.org ml; ML", "ml. at port 53: example.org and ML"},
		{"one of two addresses", "./bind 192.0.2.1 192.0.2.2; .:53/bind 192.0.2.2", ". at 192.0.2.2:53: . and .:53"},
	}
	for _, tc := range tests {
		var got []string
		for _, c := range parse(t, tc.corefile).Twice() {
			got = append(got, c.Zone+" at "+c.Address+": "+c.First+" and "+c.Second)
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}
