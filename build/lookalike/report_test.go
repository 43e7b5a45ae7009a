package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/build/internal/audit"
	"github.com/lookalike-dns/lookalike/build/internal/digest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

func TestReport(t *testing.T) {
	dir := t.TempDir()
	alerts := filepath.Join(dir, "alerts.json")
	content := string(format.ECS().Append(nil, recordtest.First())) + "\n" + string(format.ECS().Append(nil, recordtest.Sample())) + "\n"
	if err := os.WriteFile(alerts, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.json.gz")
	if err := os.WriteFile(broken, []byte("\x1f\x8bno gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := corefile(t, ".:1053 {\n lookalike {\n  allow ally.ml\n }\n}\n")
	tests := []struct {
		name   string
		args   []string
		stdin  string
		status int
		stdout string // a part
		stderr string // a part
	}{
		{"a month with alerts", []string{"-month", "2026-11", alerts}, "", 1, "In November 2026, 2 hosts asked 43 times for 2 lookalike names", ""},
		{"from standard input", []string{"-month", "2026-11", "-"}, content, 1, "2 hosts asked 43 times", ""},
		{"a month without", []string{"-month", "2026-09", alerts}, "", 0, "In September 2026, no query for a lookalike was reported.", ""},
		{"with exceptions", []string{"-month", "2026-11", "-format", "json", "-conf", conf, alerts}, "", 1, `"name": "ally.ml"`, ""},
		{"rows", []string{"-month", "2026-11", "-format", "csv", alerts}, "", 1, "2001:db8::25,army.ml", ""},
		{"a page", []string{"-month", "2026-11", "-format", "html", alerts}, "", 1, "<!doctype html>", ""},
		{"data", []string{"-month", "2026-11", "-format", "json", alerts}, "", 1, `"kind": "report"`, ""},
		{"what is no alert is shown", []string{"-month", "2026-11", "-"}, "hello\n" + strings.Repeat(content, 10), 1, "not understood: -:1: no alert in the ecs format: hello", ""},
		{"a DNS log", []string{"-month", "2026-11", "-"}, "24-Nov-2026 09:00:00.100 queries: info: client @0x7f 192.0.2.25#4711 (army.ml): query: army.ml IN MX +E(0)K (192.0.2.53)\n", 2,
			"not understood: -:1: no alert", "lookalike: 100.0 % of the lines were not understood, more than 5 %: the text form shows the first of them; report reads alerts in the ecs format, -unknown allows more\n"},
		{"something binary", []string{"-format", "csv", "-"}, "\x7fELF\x02\x01\x01\x00\x00", 2, "", "100.0 % of the lines were not understood"},
		{"too much is no alert", []string{"-month", "2026-11", "-"}, "hello\n" + content, 2, "2 hosts asked 43 times", "33.3 % of the lines"},
		{"that much may be no alert", []string{"-month", "2026-11", "-unknown", "50", "-"}, "hello\n" + content, 1, "2 hosts asked 43 times", ""},
		{"nothing to read", []string{"-month", "2026-11", "-"}, "", 0, "no query for a lookalike was reported.", ""},
		{"a file that is no gzip", []string{broken}, "", 2, "", "broken.json.gz: "},
		{"no file", nil, "", 2, "", "want at least one file of ALERTS"},
		{"no such month", []string{"-month", "November", alerts}, "", 2, "", `-month: "November" is no month: want one such as 2026-11`},
		{"no such format", []string{"-format", "pdf", alerts}, "", 2, "", "want text, json, csv or html"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			status, stdout, stderr := runTool(tc.stdin, append([]string{"report", "-tz", "UTC"}, tc.args...)...)
			if status != tc.status || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) || tc.stderr == "" && stderr != "" {
				t.Errorf("Got status %d, output\n%s\nmessages\n%s, want status %d, %q and %q", status, stdout, stderr, tc.status, tc.stdout, tc.stderr)
			}
		})
	}
}

// TestColumns: SCHEMA.md describes each column of the CSV forms.
func TestColumns(t *testing.T) {
	page, err := os.ReadFile("../internal/report/SCHEMA.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## CSV")
	for _, column := range slices.Concat(audit.Columns, digest.Columns) {
		if !strings.Contains(section, "`"+column+"`") {
			t.Errorf("SCHEMA.md does not have the column %s", column)
		}
	}
}
