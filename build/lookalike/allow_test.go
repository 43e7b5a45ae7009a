package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
)

// TestAllow runs the allow commands one after the other, on one file.
func TestAllow(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	at := func(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly) }
	const before = "# partners\nold.ml owner=x until=2026-01-01 # ended\n"
	write := func(name, contents string) {
		if err := os.WriteFile(name, []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("allow.txt", before)
	write("other.txt", "")
	write("Corefile", ".:1053 {\n lookalike {\n  protect army.mil\n  allow ./allow.txt {\n   require owner until\n   max 365d\n  }\n  spool ./spool\n }\n}\n")
	steps := []struct {
		args   string // at N days from today is @N
		status int
		stdout string // parts, one a line
		stderr string
	}{
		{"list", exitFound, "old.ml until=2026-01-01 owner=x # ./allow.txt:2: has ended", ""},
		{"list -expiring 30d", exitFound, "old.ml", ""},
		{"list -unused 90d", exitError, "", "allow list: Corefile:2: no uses are recorded yet: run the server with its spool in "},
		{"list -unused 3m", exitError, "", `invalid value "3m" for flag -unused: want days from 1d to 730d`},
		{"list allow.txt", exitError, "", `takes no argument, got "allow.txt": name the Corefile with -conf`},
		{"list -conf none", exitError, "", "none: no such file"},
		{"add bank.ml -until @30 -owner mail-team@example.net -reason pensions allow.txt", exitNothing, "", ""},
		{"add navy.ml -until @30 -owner x -conf Corefile allow.txt", exitNothing, "", ""},
		{"add navy.ml -until @30 allow.txt", exitError, "", "allow.txt:4: navy.ml is listed already"},
		{"add other.ml -until @30 -conf Corefile allow.txt", exitError, "", "lacks words that Corefile:4 requires: write, for example, owner="},
		{"add other.ml -until @366 -owner x -conf Corefile allow.txt", exitError, "", "exceeds the 365 days that Corefile:4 allows: write until=" + at(365)},
		{"add other.ml -until @-1 allow.txt", exitError, "", "is in the past: give a later day"},
		{"add other.ml -until 2027-02-30 allow.txt", exitError, "", `for flag -until: until: "2027-02-30" is not a calendar day: write YYYY-MM-DD`},
		{"add other.ml -class typos allow.txt", exitError, "", `"typos" is not a class: want tld-swap`},
		{"add other.ml -clients 192.0.2.300 allow.txt", exitError, "", `"192.0.2.300" is not a CIDR`},
		{"add mx.army.mil allow.txt", exitError, "", "mx.army.mil is protected (the built-in list): it is never blocked"},
		{"add mx.army.mil -owner x -until @1 -conf Corefile allow.txt", exitError, "", "mx.army.mil is protected (Corefile:3)"},
		{"add other.ml -owner x -conf Corefile other.txt", exitError, "", "other.txt: no allow line of Corefile names that file"},
		{"add http://other.ml allow.txt", exitError, "", "a URL: write the domain name alone"},
		{"add other.ml", exitError, "", "want NAME and FILE, got 1 words"},
		{"add other.ml none.txt", exitError, "", "none.txt: no such file"},
		{"list -expiring 31d -format json", exitFound, `{"name":"old.ml","source":"./allow.txt:2","until":"2026-01-01","owner":"x"` + "\n" +
			`{"name":"bank.ml","source":"./allow.txt:3","until":"` + at(30) + `","owner":"mail-team@example.net","reason":"pensions","ticket":"","added":"` + at(0) + `"`, ""},
		{"remove old.ml allow.txt", exitNothing, "old.ml owner=x until=2026-01-01 # ended", ""},
		{"remove old.ml allow.txt", exitError, "", "allow remove: allow.txt: old.ml is not listed there"},
		{"remove bank.ml allow.txt", exitNothing, "bank.ml", ""},
		{"list -expiring 3d", exitNothing, "", ""},
		{"remove navy.ml allow.txt", exitNothing, "navy.ml", ""},
		{"list", exitNothing, "", ""},
	}
	for _, step := range steps {
		var args []string
		for arg := range strings.FieldsSeq("allow " + step.args) {
			var days int
			if _, err := fmt.Sscanf(arg, "@%d", &days); err == nil {
				arg = at(days)
			}
			args = append(args, arg)
		}
		status, stdout, stderr := runTool("", args...)
		if status != step.status || step.stdout == "" && stdout != "" || step.stderr == "" && stderr != "" || !strings.Contains(stderr, step.stderr) {
			t.Errorf("%s: status %d, %q, errors %q, want %d and %q", step.args, status, stdout, stderr, step.status, step.stderr)
		}
		for want := range strings.Lines(step.stdout) {
			if !strings.Contains(stdout, strings.TrimSuffix(want, "\n")) {
				t.Errorf("%s: got %s, want %s", step.args, stdout, want)
			}
		}
	}
	if got, err := os.ReadFile("allow.txt"); err != nil || string(got) != "# partners\n" {
		t.Errorf("Got %q in the end, error %v", got, err)
	}
}

// TestAllowUnused lists what nobody uses, as the record of the server has it.
func TestAllowUnused(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().UTC().AddDate(0, -6, 0)
	uses := exception.OpenUses(dir, long)
	(&exception.Entry{Name: "used.ml"}).Mark(uses, time.Now())
	(&exception.Entry{Name: "unused.ml"}).Mark(uses, long)
	uses.Close()
	conf := corefile(t, ".:1053 {\n lookalike {\n  allow used.ml unused.ml\n  spool "+dir+"\n }\n}\n")
	for _, tc := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"-unused", "90d"}, exitFound, fmt.Sprintf("%-28s # %s:3: never ends; used on %s\n", "unused.ml", conf, long.Format(time.DateOnly))},
		{[]string{"-unused", "200d"}, exitNothing, ""},
	} {
		status, stdout, _ := runTool("", append([]string{"allow", "list", "-conf", conf}, tc.args...)...)
		if status != tc.status || stdout != tc.want {
			t.Errorf("%q: status %d, %q, want %d and %q", tc.args, status, stdout, tc.status, tc.want)
		}
	}
}

// TestCheckException: check names the exception that lets a name pass, or that has
// ended, with its words and its place.
func TestCheckException(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.txt")
	if err := os.WriteFile(file, []byte("army.ml until=2099-12-31 owner=mail@example.net reason=\"pension payments\"\nnavy.ml until=2026-01-01 owner=x\nnayv.ml clients=192.0.2.25\nbare.army.ml\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := corefile(t, ".:1053 {\n lookalike {\n  protect army.mil navy.mil\n  allow "+file+"\n }\n}\n")
	tests := []struct {
		args   []string
		status int
		want   []string // FILE is the allow file
	}{
		{[]string{"mx.army.ml"}, exitNothing, []string{"is allowed", "exception     army.ml: ends in ", "until 2099-12-31; owner mail@example.net; reason pension payments", "listed at     FILE:1"}},
		{[]string{"bare.army.ml"}, exitNothing, []string{"is allowed"}},
		{[]string{"navy.ml"}, exitFound, []string{"nxdomain", "exception     navy.ml: has ended; until 2026-01-01; owner x; listed at FILE:2"}},
		{[]string{"nayv.ml", "-client", "192.0.2.25"}, exitNothing, []string{"is allowed", "clients 192.0.2.25"}},
		{[]string{"nayv.ml", "-client", "192.0.2.26"}, exitFound, []string{"monitor"}},
		{[]string{"-format", "json", "mx.army.ml"}, exitNothing, []string{`"action":"allow"`,
			`"exception":{"name":"army.ml","source":"FILE:1","until":"2099-12-31","owner":"mail@example.net","reason":"pension payments","ticket":"","added":"","clients":[],"classes":[]}`}},
	}
	for _, tc := range tests {
		status, stdout, stderr := runTool("", append([]string{"check", "-conf", conf}, tc.args...)...)
		for _, want := range tc.want {
			if !strings.Contains(strings.ReplaceAll(stdout, file, "FILE"), want) {
				t.Errorf("%q: got %s\nwant %s", tc.args, stdout, want)
			}
		}
		if status != tc.status || stderr != "" {
			t.Errorf("%q: status %d, errors %q", tc.args, status, stderr)
		}
	}
}
