package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVariants runs variants in a directory with a Corefile.
func TestVariants(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = ".:1053 {\n lookalike cm {\n  protect example.com\n  allow examlpe.cm\n }\n}\n.:1054 {\n lookalike * {\n  protect example.org\n }\n}\n"
	if err := os.WriteFile("other", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	dead, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	for _, tc := range []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string // parts
	}{
		{"a name", []string{"army.mil", "-classes", "tld-swap"}, exitNothing,
			"army.ml                          tld-swap      high   army.mil\n", ""},
		{"JSON", []string{"army.mil", "-classes", "tld-swap", "-format", "json"}, exitNothing,
			`{"name":"army.ml","unicode":"","protected":"army.mil","class":"tld-swap","confidence":"high"}` + "\n", ""},
		{"CSV", []string{"army.mil", "-classes", "tld-swap", "-format", "csv"}, exitNothing,
			"name,unicode,protected,class,confidence\narmy.ml,,army.mil,tld-swap,high\n", ""},
		{"other TLDs", []string{"example.com", "-classes=typo", "-tld", "cm,co"}, exitNothing, "examlpe.cm ", ""},
		{"a count", []string{"army.mil", "-count", "-classes", "tld-swap,split"}, exitNothing,
			"tld-swap              14  the name under another TLD\n", ""},
		{"a count in a format", []string{"-count", "-format", "json", "army.mil"}, exitError, "", "-count prints a table for people: leave -o and -format out"},
		{"a count in a file", []string{"-count", "-o", "count.txt", "army.mil"}, exitError, "", "leave -o and -format out"},
		{"a server that is gone", []string{"-resolve", "-server", dead.LocalAddr().String(), "-rate", "1000", "-classes", "tld-swap", "-format", "csv", "army.mil"}, exitError,
			"army.ml,", "lookalike: variants: 14 of 14 names could not be found out: the output has why; check -server"},
		{"of the built-in list", []string{"-count", "-classes", "separator"}, exitNothing, "separator ", ""},
		{"every TLD", []string{"-conf", "other"}, exitError, "", "other:8 is for every TLD: name some by -tld"},
		{"of which one is named", []string{"-conf", "other", "-tld", "cm", "-classes", "tld-swap"}, exitNothing, "example.cm ", ""},
		{"no name", []string{"army"}, exitError, "", `"army": no dot: write army.mil`},
		{"a class that cannot be listed", []string{"-classes", "embedding", "army.mil"}, exitError, "", "has too many names to list"},
		{"flags that do not go together", []string{"-resume", "army.mil"}, exitError, "", "'lookalike help variants' explains the command"},
		{"a server that is none", []string{"-resolve", "-server", "dns.example.net", "army.mil"}, exitError, "", "write such as 192.0.2.53"},
		{"a format that there is not", []string{"-format", "xml", "army.mil"}, exitError, "", "want text, json or csv"},
		{"no earlier output", []string{"-resolve", "-server", "192.0.2.53", "-since", "none.json", "army.mil"}, exitError, "", "none.json"},
	} {
		status, stdout, stderr := runTool("", append([]string{"variants"}, tc.args...)...)
		if status != tc.status || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) || tc.stderr == "" && stderr != "" {
			t.Errorf("%s: status %d, %.400q, %q, want %d, %q and %q", tc.name, status, stdout, stderr, tc.status, tc.stdout, tc.stderr)
		}
	}
}

// TestRPZ writes a zone twice to a file, and to the standard output.
func TestRPZ(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	conf := corefile(t, ".:1053 {\n lookalike {\n  protect army.mil\n  allow arrny.ml\n }\n}\n")
	path := filepath.Join(dir, "rpz.zone")
	serials := make(map[string]bool)
	for range 2 {
		status, stdout, stderr := runTool("", "rpz", "-conf", conf, "-origin", "RPZ.example.org", "-o", path)
		if status != exitNothing || stdout != "" || !strings.Contains(stderr, "1 exceptions, serial 1") {
			t.Errorf("Status %d, %q, %q", status, stdout, stderr)
		}
		serials[stderr] = true
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"; Response policy zone rpz.example.org.,", "$ORIGIN rpz.example.org.\n", "\narmy.ml\tCNAME\t.\t; tld-swap\n", "\narrny.ml\tCNAME\trpz-passthru.\t"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("No %q in\n%.2000s", want, text)
		}
	}
	if len(serials) != 2 {
		t.Errorf("The serial does not rise: %v", serials)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".rpz*")); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
	if err := os.WriteFile("notes.txt", []byte("not to be lost\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string // parts
	}{
		{"to the standard output", []string{"-conf", conf}, exitNothing, "$ORIGIN rpz.lookalike.internal.\n", ""},
		{"over a file that is no zone", []string{"-conf", conf, "-o", "notes.txt"}, exitError, "", "notes.txt: "},
		{"where there is no room", []string{"-conf", conf, "-o", "none/rpz.zone"}, exitError, "", "directory none: no such file or directory"},
		{"an argument", []string{"army.mil"}, exitError, "", `takes no argument, got "army.mil"`},
		{"no zone", []string{"-origin", "rpz..example.org"}, exitError, "", "empty label"},
	} {
		status, stdout, stderr := runTool("", append([]string{"rpz"}, tc.args...)...)
		if status != tc.status || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
			t.Errorf("%s: status %d, %.400q, %q, want %d, %q and %q", tc.name, status, stdout, stderr, tc.status, tc.stdout, tc.stderr)
		}
	}
	if text, err := os.ReadFile("notes.txt"); err != nil || string(text) != "not to be lost\n" {
		t.Errorf("%q, %v", text, err)
	}
}
