package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConf(t *testing.T) {
	const good = ".:1053 {\n lookalike {\n  protect army.mil\n }\n}\n"
	tests := []struct {
		name, corefile string
		args           []string
		status         int
		want           string // all of the output, without the path
	}{
		{"nothing wrong", good, nil, exitNothing, "Corefile:2: guards 1 protected name below ml; high nxdomain, medium monitor, low monitor; clients: all; alerts to stdout\n"},
		{"quiet", good, []string{"-quiet"}, exitNothing, ""},
		{"a warning", good + "ml:1053 {\n whoami\n}\n", []string{"-quiet"}, exitFound,
			"warning  Corefile:7: server block ml:1053 answers queries for names below ml at port 1053 unguarded: add the lookalike directive of Corefile:2 to it, or answer other zones there\n"},
		{"refused", ".:1053 {\n lookalike {\n  ttl 0\n }\n}\nml:1053 {\n whoami\n}\n", []string{"-quiet"}, exitError,
			"refused  Corefile:3: ttl 0: want whole seconds from 1s to 1h\n"},
		{"the responder", ".:1053 {\n lookalike\n smtpreject {\n  relay on\n }\n}\n", []string{"-quiet"}, exitError,
			"refused  Corefile:4: unknown property 'relay': want tls, hostname, reply, connections or timeout\n"},
		{"not to be parsed", ".:1053 {\n import none\n}\n", []string{"-quiet"}, exitError, "refused  Corefile:2: File to import not found: none\n"},
		{"nothing for a terminal to obey", ".:1053 {\n lookalike\n \x1b[2J\n}\n", []string{"-quiet"}, exitError,
			"refused  Corefile:3: unknown directive '\\027[2J': correct the spelling"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := corefile(t, tc.corefile)
			status, stdout, stderr := runTool("", append(append([]string{"conf"}, tc.args...), path)...)
			got := strings.ReplaceAll(stdout, path, "Corefile")
			if status != tc.status || !strings.HasPrefix(got, tc.want) || tc.want == "" && got != "" || stderr != "" {
				t.Errorf("Got status %d, output %q and errors %q, want %d and %q", status, got, stderr, tc.status, tc.want)
			}
		})
	}
}

func TestConfUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	tests := []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{"conf"}, exitError, "open Corefile: no such file or directory"},
		{[]string{"conf", "a", "b"}, exitError, "want one FILE, got 2"},
		{[]string{"conf", "-conf", "a", "b"}, exitError, "want FILE or -conf, got both"},
		{[]string{"conf", "-conf", "a"}, exitError, "open a: "},
	}
	for _, tc := range tests {
		if status, _, stderr := runTool("", tc.args...); status != tc.status || !strings.Contains(stderr, tc.stderr) {
			t.Errorf("%q: got status %d and errors %q, want %d and %q", tc.args, status, stderr, tc.status, tc.stderr)
		}
	}
	if err := os.WriteFile(defaultConf, []byte(".:1053 {\n lookalike\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, stdout, stderr := runTool("", "conf"); status != exitNothing || !strings.HasPrefix(stdout, "Corefile:2: guards ") {
		t.Errorf("Got status %d, %q and %q", status, stdout, stderr)
	}
}

// TestConfKnowsCorefiles holds the ready-made Corefiles against conf: on a host
// without the directory of their alerts, that is all that is wrong.
func TestConfKnowsCorefiles(t *testing.T) {
	files, err := filepath.Glob("../../corefile/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			continue
		}
		_, stdout, stderr := runTool("", "conf", "-quiet", file)
		for line := range strings.Lines(stdout + stderr) {
			if !strings.Contains(line, "there is no directory /var/") {
				t.Errorf("%s: %s", file, line)
			}
		}
	}
}
