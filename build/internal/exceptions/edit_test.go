package exceptions

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

// noon is when the tests change files.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func write(tb testing.TB, path string, contents []byte) {
	tb.Helper()
	if err := os.WriteFile(path, contents, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func read(tb testing.TB, path string) string {
	tb.Helper()
	contents, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return string(contents)
}

// entry reads a line of an allow file.
func entry(tb testing.TB, line string) *exception.Entry {
	tb.Helper()
	name, words, _ := strings.Cut(line, " ")
	name, err := names.Parse(name)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := exception.Parse(name, words)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// corefile returns a Corefile that allows what a file lists, under a rule.
func corefile(tb testing.TB, file, rule string) (c *lookalike.Corefile, path string) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "Corefile")
	write(tb, path, []byte(".:1053 {\n lookalike {\n  allow "+file+" {\n   "+rule+"\n  }\n }\n}\n"))
	c, err := lookalike.Load(path)
	if err != nil {
		tb.Fatal(err)
	}
	return c, path
}

func TestAdd(t *testing.T) {
	const owner, short = "require owner", "max 30d"
	tests := []struct {
		name, before, line string
		rule               string // of the Corefile; empty: there is none
		want               string // the file, or a part of the error behind "error: "
	}{
		{"to an empty file", "", "partner.ml", "", "partner.ml added=2026-11-26\n"},
		{"all words", "a.ml\n", `partner.ml until=2027-03-31 owner=x reason="pension payments" ticket="#1" clients=192.0.2.25 class=typo`, "",
			"a.ml\npartner.ml until=2027-03-31 owner=x reason=\"pension payments\" ticket=\"#1\" added=2026-11-26 clients=192.0.2.25 class=typo\n"},
		{"behind comments", "# ours\n\na.ml # one\n# the end\n", "partner.ml", "", "# ours\n\na.ml # one\n# the end\npartner.ml added=2026-11-26\n"},
		{"behind a last line without an end", "a.ml # one", "partner.ml", "", "a.ml # one\npartner.ml added=2026-11-26\n"},
		{"to lines that end as those of Windows", "\ufeffa.ml\r\nb.ml", "partner.ml", "", "\ufeffa.ml\r\nb.ml\r\npartner.ml added=2026-11-26\r\n"},
		{"a whole TLD", "", "*.corp", "", "*.corp added=2026-11-26\n"},
		{"as the rules ask", "", "partner.ml owner=x", owner, "partner.ml owner=x added=2026-11-26\n"},
		{"the last day", "", "partner.ml until=2026-11-26", "", "partner.ml until=2026-11-26 added=2026-11-26\n"},

		{"what is listed", "# a\nPartner.ML. # ours\n", "partner.ml", "", "error: FILE:2: partner.ml is listed already"},
		{"what is protected", "", "mail.army.mil", "", "error: mail.army.mil is protected (the built-in list): it is never blocked"},
		{"what has ended", "", "partner.ml until=2026-11-25", "", "error: until=2026-11-25 is in the past: give a later day"},
		{"against the rules", "", "partner.ml", owner, `error: the server would refuse the file: FILE:1: "partner.ml added=2026-11-26": lacks words that COREFILE:3 requires`},
		{"for too long", "", "partner.ml until=2026-12-27", short, "error: the server would refuse the file: FILE:1: "},
		{"to a file that is broken", "a..ml\n", "partner.ml", "", "error: the server would refuse the file: FILE:1: \"a..ml\": empty label"},
		{"to UTF-16", "\xff\xfea\x00", "partner.ml", "", "error: the server would refuse the file: FILE: "},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "allow.txt")
			write(t, path, []byte(tc.before))
			var c *lookalike.Corefile
			var conf string
			if tc.rule != "" {
				c, conf = corefile(t, path, tc.rule)
			}
			err := (&File{Path: path, Now: noon}).Add(entry(t, tc.line), c, conf)
			want, refused := strings.CutPrefix(tc.want, "error: ")
			if !refused {
				if got := read(t, path); err != nil || got != want {
					t.Errorf("Got %q, error %v, want %q", got, err, want)
				}
			} else if got := read(t, path); err == nil || !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(err.Error(), path, "FILE"), cmp.Or(conf, "\x00"), "COREFILE"), want) || got != tc.before {
				t.Errorf("Got %q, error %v, want %s and no change", got, err, tc.want)
			}
			checkAlone(t, path)
		})
	}
}

func TestUnder(t *testing.T) {
	path, other := filepath.Join(t.TempDir(), "allow.txt"), filepath.Join(t.TempDir(), "other.txt")
	write(t, path, nil)
	write(t, other, nil)
	c, conf := corefile(t, path, "require owner")
	if err := (&File{Path: other}).under(c, conf); err == nil || err.Error() != other+": no allow line of "+conf+" names that file: add it to one, or leave -conf out" {
		t.Errorf("Got error %v", err)
	}
	link := filepath.Join(t.TempDir(), "link.txt")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if f := (&File{Path: link}); f.under(c, conf) != nil || f.rules == nil {
		t.Errorf("Got no rules by another path of the file")
	}
}

// checkAlone holds that nothing is left beside a file.
func checkAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("Got %v beside the file, error %v", entries, err)
	}
}

func TestRemove(t *testing.T) {
	tests := []struct {
		name, before, remove string
		want                 string // the file; unless removed is nil
		removed              []string
	}{
		{"one of several", "# ours\na.ml\npartner.ml owner=x # why\n\nb.ml\n", "partner.ml", "# ours\na.ml\n\nb.ml\n", []string{"partner.ml owner=x # why"}},
		{"in another form", "PARTNER.ml.\r\na.ml\r\n", "partner.ml", "a.ml\r\n", []string{"PARTNER.ml."}},
		{"twice", "partner.ml\na.ml\npartner.ml owner=x\n", "partner.ml", "a.ml\n", []string{"partner.ml", "partner.ml owner=x"}},
		{"the last line, without an end", "a.ml\npartner.ml", "partner.ml", "a.ml\n", []string{"partner.ml"}},
		{"all", "partner.ml\n", "partner.ml", "", []string{"partner.ml"}},
		{"behind a mark of UTF-8", "\ufeffpartner.ml\na.ml\n", "partner.ml", "\ufeffa.ml\n", []string{"partner.ml"}},
		{"beside broken lines", "a..ml\npartner.ml\n", "partner.ml", "a..ml\n", []string{"partner.ml"}},
		{"what is not there", "a.ml\n# partner.ml\nmail.partner.ml\n", "partner.ml", "", nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "allow.txt")
			write(t, path, []byte(tc.before))
			removed, err := (&File{Path: path, Now: noon}).Remove(tc.remove)
			want := tc.want
			if tc.removed == nil {
				want = tc.before
			}
			if got := read(t, path); got != want || !slices.Equal(removed, tc.removed) || (err != nil) != (tc.removed == nil) {
				t.Errorf("Got %q, removed %q, error %v, want %q and %q", got, removed, err, want, tc.removed)
			}
			checkAlone(t, path)
		})
	}
}

// TestReplace holds that a file keeps its mode, that a symbolic link stays one, and
// that nothing replaces what somebody else has just written.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "allow.txt"), filepath.Join(t.TempDir(), "link.txt")
	write(t, path, []byte("a.ml\n"))
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := (&File{Path: link, Now: noon}).Add(entry(t, "partner.ml"), nil, ""); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("Got mode %v, error %v", info.Mode(), err)
	}
	if info, err = os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 || read(t, path) != "a.ml\npartner.ml added=2026-11-26\n" {
		t.Errorf("Got the link %v, error %v, and in the file %q", info.Mode(), err, read(t, path))
	}

	f := File{Path: path, Now: noon}
	err = f.change(func([]byte) ([]byte, error) {
		write(t, path, []byte("somebody else's\n"))
		return []byte("ours\n"), nil
	}, func(string) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "somebody else has just changed it: try again") || read(t, path) != "somebody else's\n" {
		t.Errorf("Got error %v, and in the file %q", err, read(t, path))
	}
	checkAlone(t, path)
	for _, path := range []string{dir, filepath.Join(dir, "none.txt"), os.DevNull} {
		if _, err := (&File{Path: path, Now: noon}).Remove("a.ml"); err == nil {
			t.Errorf("%s: got no error", path)
		}
	}
}

// FuzzAllowEdit adds a name to any file and removes it again: all other lines stay
// as they are.
func FuzzAllowEdit(f *testing.F) {
	for _, contents := range []string{
		"", "a.ml", "# ours\r\na.ml until=2027-01-01 # one\r\n\r\n", "\ufeffa.ml\n", "a.ml\n\nb..ml\n", "a.ml\rb.ml\n", "\xff\xfea\x00", "partner.ml.\n",
		"a.ml reason=\"unfinished\n# \"\n", strings.Repeat("x", 5000) + "\nb.ml\n",
	} {
		f.Add([]byte(contents), "pension \"payments\" #1")
	}
	path := filepath.Join(f.TempDir(), "allow.txt")
	write(f, path, nil)
	c, conf := corefile(f, path, "max 3650d")
	f.Fuzz(func(t *testing.T, contents []byte, reason string) {
		write(t, path, contents)
		e := entry(t, "partner.ml until=2027-01-01")
		if e.Set("reason", reason) != nil {
			return
		}
		file := File{Path: path, Now: noon}
		if err := file.Add(e, c, conf); err != nil {
			if got := read(t, path); got != string(contents) {
				t.Fatalf("Refused with %v, and changed %q into %q", err, contents, got)
			}
			return
		}
		if with := read(t, path); !strings.HasPrefix(with, string(contents)) {
			t.Fatalf("Changed %q into %q", contents, with)
		}
		removed, err := file.Remove("partner.ml")
		if err != nil || len(removed) != 1 || !strings.HasPrefix(removed[0], "partner.ml until=2027-01-01 reason=") {
			t.Fatalf("Removed %q, error %v", removed, err)
		}
		got, want := []byte(read(t, path)), contents
		if !bytes.HasSuffix(want, []byte("\n")) { // the last line has an end now
			got = bytes.TrimSuffix(bytes.TrimSuffix(got, []byte("\n")), []byte("\r"))
			want = bytes.TrimSuffix(want, []byte("\r"))
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%q is now %q", contents, got)
		}
	})
}
