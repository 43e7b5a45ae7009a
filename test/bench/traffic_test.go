package main

import (
	"os"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

// TestTraffic: the names are what their kind says, under the directives that meet
// them.
func TestTraffic(t *testing.T) {
	files, err := writeTraffic(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	builtIn := detect.Config{Protected: names.Default(), TLDs: []string{"ml"}}
	tests := []struct {
		kind  string
		meets []detect.Config
		found bool
	}{
		{passing, []detect.Config{builtIn, {Protected: own(), TLDs: []string{"com"}}, {Protected: own(), TLDs: []string{detect.AnyTLD}}}, false},
		{missing, []detect.Config{builtIn}, false},
		{under, []detect.Config{{Protected: own(), TLDs: []string{"com"}}}, false},
		{blocked, []detect.Config{builtIn}, true},
		{various, []detect.Config{builtIn}, true},
	}
	for _, tc := range tests {
		t.Run(tc.kind, func(t *testing.T) {
			text, err := os.ReadFile(files[tc.kind])
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			different := make(map[string]bool)
			for _, c := range tc.meets {
				x, err := detect.New(c)
				if err != nil {
					t.Fatal(err)
				}
				for _, line := range lines {
					name, _, _ := strings.Cut(line, " ")
					different[name] = true
					if v, found := x.Match(name); found != tc.found || found && v.Confidence != detect.High {
						t.Errorf("%s under %v: found %t, %v", name, c.TLDs, found, v)
					}
				}
			}
			if len(different) != size {
				t.Errorf("%d different names, want %d", len(different), size)
			}
		})
	}
}
