package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestMakeChoosesGo has make build with Go of many versions, which a script
// stands in for, on the machine of somebody who has set GOTOOLCHAIN.
func TestMakeChoosesGo(t *testing.T) {
	gomod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, needed, _ := strings.Cut(string(gomod), "\ntoolchain go")
	needed, _, _ = strings.Cut(needed, "\n")
	tests := []struct {
		name    string
		version string // of the machine's own Go
		fetches bool   // whether that can fetch a newer one
		want    string // that Go runs with GOTOOLCHAIN=..., or what make says
	}{
		{"just new enough", "go version go" + needed + " linux/amd64", false, "GOTOOLCHAIN=local"},
		{"newer", "go version go1.100.0 linux/amd64", false, "GOTOOLCHAIN=local"},
		{"newer, from source", "go version devel go1.100-8fbe4d4ad4 Thu Nov 26 2026 linux/amd64", false, "GOTOOLCHAIN=local"},
		{"newer, with an experiment", "go version go1.100.1 X:jsonv2 linux/amd64", false, "GOTOOLCHAIN=local"},
		{"older", "go version go1.26.8 linux/amd64", true, "GOTOOLCHAIN=go" + needed},
		{"the oldest that fetches", "go version go1.21 linux/amd64", true, "GOTOOLCHAIN=go" + needed},
		{"older, without a way to fetch", "go version go1.26.8 linux/amd64", false, "Go 1.26.8 has not fetched Go " + needed},
		{"too old", "go version go1.19.8 linux/amd64", true, "too old: \"GO\" is Go 1.19.8."},
		{"much too old", "go version go1.3.3 linux/amd64", true, "too old: \"GO\" is Go 1.3.3."},
		{"none", "", false, "There is no Go here"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			program, log := filepath.Join(dir, "go"), filepath.Join(dir, "log")
			script := fmt.Sprintf("#!/bin/sh\necho GOTOOLCHAIN=$GOTOOLCHAIN >>%s\n[ $GOTOOLCHAIN = local ] || %t || exit 1\necho %s\n", log, tc.fetches, tc.version)
			if tc.version != "" {
				if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			cmd := wait.Command(t, wait.Limit, "make", "-C", "..", "go", "GO="+program)
			cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "MAKEFLAGS=", "MAKELEVEL=")
			out, err := cmd.CombinedOutput()
			said := strings.ReplaceAll(string(out), program, "GO")
			if chosen := strings.HasPrefix(tc.want, "GOTOOLCHAIN="); !chosen {
				for _, want := range []string{tc.want, "Go " + needed + " or later", "https://go.dev/dl/", " MB ", " minutes "} {
					if err == nil || !strings.Contains(said, want) {
						t.Errorf("Got error %v and\n%s\nwant %q", err, said, want)
					}
				}
				return
			}
			ran, _ := os.ReadFile(log)
			lines := strings.Fields(string(ran))
			if err != nil || len(lines) == 0 || lines[len(lines)-1] != tc.want {
				t.Errorf("Got error %v, %q and\n%s\nwant %s", err, lines, said, tc.want)
			}
		})
	}
}
