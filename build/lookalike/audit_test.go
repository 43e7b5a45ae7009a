package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mailLog is a log of Postfix with one message to a lookalike, one that came
// back, and one to somebody else.
const mailLog = `2026-11-24T09:00:00.100000+00:00 mx postfix/qmgr[1]: 4jZYPS24SMz11N: from=<alice@example.net>, size=900, nrcpt=1 (queue active)
2026-11-24T09:00:01.100000+00:00 mx postfix/smtp[2]: 4jZYPS24SMz11N: to=<bob@army.ml>, relay=mail.army.ml[198.51.100.30]:25, delay=0.31, delays=0.09/0.22/0/0, dsn=2.0.0, status=sent (250 OK)
2026-11-24T09:00:01.200000+00:00 mx postfix/qmgr[1]: 4jZYPS24SMz11N: removed
2026-11-25T09:00:00.100000+00:00 mx postfix/qmgr[1]: 4jZYPS24SMz11P: from=<eve@example.net>, size=900, nrcpt=2 (queue active)
2026-11-25T09:00:01.100000+00:00 mx postfix/smtp[2]: 4jZYPS24SMz11P: to=<bob@amry.ml>, relay=none, delay=0.31, delays=0.09/0.22/0/0, dsn=5.4.4, status=bounced (Host not found)
2026-11-25T09:00:01.200000+00:00 mx postfix/smtp[2]: 4jZYPS24SMz11P: to=<bob@example.org>, relay=mail.example.org[198.51.100.31]:25, delay=0.31, delays=0.09/0.22/0/0, dsn=2.0.0, status=sent (250 OK)
2026-11-25T09:00:01.300000+00:00 mx postfix/qmgr[1]: 4jZYPS24SMz11P: removed
`

func TestAudit(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mail := file("mail.log", mailLog)
	good := file("good.log", strings.NewReplacer("army.ml", "army.mil", "amry.ml", "example.org").Replace(mailLog))
	prose := file("prose.log", mailLog+strings.Repeat("this is no line of any log\n", 5))
	broken := file("broken.gz", "\x1f\x8bno gzip")
	conf := file("Corefile", ". {\n lookalike ml {\n  protect army.mil\n  allow army.ml amry.ml\n }\n}\n")
	empty := t.TempDir()
	tests := []struct {
		name   string
		args   []string
		stdin  string
		status int
		stdout string // a part
		stderr string // a part
	}{
		{"found", []string{mail}, "", 1, "1 message from 1 sender left for 1 lookalike name between 24 November and 25", ""},
		{"from standard input", []string{"-"}, mailLog, 1, "1 message from 1 sender left", ""},
		{"nothing found", []string{good}, "", 0, "No mail to a lookalike name was found among 2 messages", ""},
		{"allowed", []string{"-conf", conf, mail}, "", 0, "Only names on the allow list were found", ""},
		{"a directory", []string{dir}, "", 2, "left for 1 lookalike name", "gzip"},
		{"too much is not understood", []string{prose}, "", 2, "not understood: " + prose + ":8: this is no line of any log", "41.7 % of the lines were not understood, more than 5 %"},
		{"that much may be not understood", []string{"-unknown", "50", prose}, "", 1, "1 message", ""},
		{"damaged", []string{broken}, "", 2, "These logs contain no mail", "gzip"},
		{"since", []string{"-since", "2026-11-25", mail}, "", 1, "No message reached a lookalike on 25 November 2026, but 1 message for 1\nlookalike name came back", ""},
		{"since a minute", []string{"-since", "2026-11-25T00:00", "-tz", "UTC", mail}, "", 1, "but 1 message for 1\nlookalike name came back", ""},
		{"since ages ago", []string{"-since", "65535d", mail}, "", 1, "1 message from 1 sender left for 1 lookalike name", ""},
		{"until", []string{"-until", "2026-11-24", mail}, "", 1, "1 message from 1 sender left for 1 lookalike name on 24 November 2026", ""},
		{"the format is named", []string{"-log", "postfix", mail}, "", 1, "1 message", ""},
		{"addresses are hidden", []string{"-format", "json", mail}, "", 1, `@army.ml"`, ""},
		{"addresses are shown", []string{"-format", "json", "-addresses", "full", mail}, "", 1, `"recipient": "bob@army.ml"`, ""},
		{"a page", []string{"-format", "html", mail}, "", 1, "<!doctype html>", ""},
		{"no log", nil, "", 2, "", "want at least one LOG"},
		{"no such file", []string{filepath.Join(dir, "none")}, "", 2, "", "no such file"},
		{"no such format", []string{"-format", "pdf", mail}, "", 2, "", `unknown format "pdf": want text, json, csv or html`},
		{"no such log format", []string{"-log", "qmail", mail}, "", 2, "", `unknown format "qmail": want one of postfix`},
		{"no such zone", []string{"-tz", "Mars", mail}, "", 2, "", "want a zone such as Europe/Berlin"},
		{"no such day", []string{"-since", "yesterday", mail}, "", 2, "", `-since "yesterday": want a date such as 2026-11-25, a time such as`},
		{"a year before all", []string{"-year", "-1", mail}, "", 2, "", "-year -1: want one from 1970 to "},
		{"a year beyond all", []string{"-year", "99999", mail}, "", 2, "", "-year 99999: want one from 1970 to "},
		{"since after until", []string{"-since", "2026-11-25", "-until", "2026-11-24", mail}, "", 2, "", "-since 2026-11-25 is not before -until 2026-11-24: give an earlier -since"},
		{"since and until the same day", []string{"-since", "2026-11-24", "-until", "2026-11-24", mail}, "", 1, "on 24 November 2026", ""},
		{"an empty directory", []string{empty}, "", 2, "", "no file in " + empty + ": name logs, directories of logs, or -"},
		{"into a directory that there is not", []string{"-o", filepath.Join(empty, "none", "page.html"), mail}, "", 2, "", "directory " + filepath.Join(empty, "none") + ": no such file or directory\n"},
		{"no such way to show addresses", []string{"-addresses", "some", mail}, "", 2, "", "want full, pseudonym or none"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			status, stdout, stderr := runTool(tc.stdin, append([]string{"audit", "-tz", "UTC"}, tc.args...)...)
			if status != tc.status || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) || tc.stderr == "" && stderr != "" {
				t.Errorf("Got status %d, output\n%s\nmessages\n%s, want status %d, %q and %q", status, stdout, stderr, tc.status, tc.stdout, tc.stderr)
			}
			if tc.name == "addresses are hidden" && strings.Contains(stdout, "bob@") {
				t.Errorf("Got an address in %s", stdout)
			}
		})
	}
}

// TestOutIsRead: the log or the alerts stay, where -o names them by mistake.
func TestOutIsRead(t *testing.T) {
	for _, command := range []string{"audit", "report"} {
		t.Run(command, func(t *testing.T) {
			in := filepath.Join(t.TempDir(), "mail.log")
			if err := os.WriteFile(in, []byte(mailLog), 0o600); err != nil {
				t.Fatal(err)
			}
			if status, _, stderr := runTool("", command, "-o", in, in); status != exitError || !strings.Contains(stderr, "write to another file") {
				t.Errorf("Got status %d, messages %s", status, stderr)
			}
			if got, err := os.ReadFile(in); err != nil || string(got) != mailLog {
				t.Errorf("Got %q, error %v", got, err)
			}
		})
	}
}

// TestAuditUnknown: no share of lines is outside of 0 to 100 %.
func TestAuditUnknown(t *testing.T) {
	for _, share := range []string{"-1", "100.1", "NaN"} {
		if status, _, stderr := runTool(mailLog, "audit", "-unknown", share, "-"); status != exitError || !strings.Contains(stderr, "want a number from 0 to 100") {
			t.Errorf("%s: got status %d, messages %s", share, status, stderr)
		}
	}
}

// TestAuditOut writes to a file that nobody else can read; a failure leaves none.
func TestAuditOut(t *testing.T) {
	out := filepath.Join(t.TempDir(), "found.csv")
	if status, stdout, stderr := runTool(mailLog, "audit", "-tz", "UTC", "-format", "csv", "-addresses", "full", "-o", out, "-"); status != 1 || stdout != "" {
		t.Fatalf("Got status %d, output %s, messages %s", status, stdout, stderr)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("Got mode %v, error %v", info.Mode(), err)
	}
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("Got %q, error %v", rows, err)
	}
	got := make(map[string]string)
	for i, column := range rows[0] {
		got[column] = rows[1][i]
	}
	for column, want := range map[string]string{
		"time": "2026-11-24T09:00:01Z", "sender": "alice@example.net", "recipient": "bob@army.ml", "outcome": "delivered",
		"class": "tld-swap", "protected": "army.mil", "action": "nxdomain", "stopped": "true", "file": "'-", "line": "2",
	} {
		if got[column] != want {
			t.Errorf("Got %s %q, want %q", column, got[column], want)
		}
	}
	none := filepath.Join(t.TempDir(), "page.html")
	if status, _, _ := runTool("", "audit", "-o", none, "none.log"); status != 2 {
		t.Errorf("Got status %d without a log", status)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("A failed audit leaves a file")
	}
}
