package alert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseDestination(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		line string
		name string // or
		err  string // part of the message
	}{
		{"stdout", "stdout", ""},
		{"stdout ecs", "stdout", ""},
		{"/var/log/coredns/lookalike.json", "/var/log/coredns/lookalike.json", ""},
		{"/var/log/../log/lookalike.json ecs", "/var/log/lookalike.json", ""},
		{"./lookalike.json", filepath.Join(here, "lookalike.json"), ""},
		{"", "", "alert needs a destination"},
		{"lookalike.json", "", `write "./lookalike.json" for a file here`},
		{"stderr", "", "unknown alert destination"},
		{"/var/log/", "", "is a directory"},
		{"stdout xml", "", `unknown alert format "xml" (known: ecs`},
		{"stdout ecs json", "", `"json" is not of the form KEY=VALUE`},
		{"stdout =x", "", "is not of the form KEY=VALUE"},
		{"stdout color=yes", "", `unknown option "color"`},
		{"./x.json rotate=1 rotate=2", "", `"rotate" is given twice`},
		{"gopher://example.org", "", `unknown alert destination "gopher://"`},
	}
	for _, tc := range tests {
		t.Run(tc.line, func(t *testing.T) {
			d, err := ParseDestination(strings.Fields(tc.line))
			switch {
			case tc.err == "" && err != nil:
				t.Errorf("Got error %v, want none", err)
			case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
				t.Errorf("Got error %v, want one with %q", err, tc.err)
			case d.String() != tc.name:
				t.Errorf("Got %q, want %q", d, tc.name)
			}
		})
	}
}
