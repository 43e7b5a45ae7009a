package exception

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
)

func addr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s) // the zero address for an empty text
	return a
}

// lines splits rules as a Corefile has them.
func lines(rules string) (all []directive.Line) {
	for rule := range strings.SplitSeq(rules, ";") {
		if words := strings.Fields(rule); len(words) > 0 {
			all = append(all, directive.Line{Name: words[0], Args: words[1:], Where: "Corefile:6"})
		}
	}
	return all
}

func on(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t.Add(12 * time.Hour)
}

// TestUses marks uses on days, closes and opens between some of them, and reads
// what the file says.
func TestUses(t *testing.T) {
	tests := []struct {
		name string
		days []string // "" is a restart
		want Used
	}{
		{"never", nil, Used{}},
		{"one day, often", []string{"2026-11-26", "2026-11-26", "2026-11-26"}, Used{"2026-11-26", "2026-11-26", 1}},
		{"days", []string{"2026-11-26", "2026-11-27", "2026-12-01"}, Used{"2026-11-26", "2026-12-01", 3}},
		{"a restart", []string{"2026-11-26", "", "2026-11-27"}, Used{"2026-11-26", "2026-11-27", 2}},
		{"a restart within a day", []string{"2026-11-26", "", "2026-11-26"}, Used{"2026-11-26", "2026-11-26", 1}},
		{"a clock that is set back", []string{"2026-11-26", "2026-11-20", "2026-11-27"}, Used{"2026-11-26", "2026-11-27", 2}},
		{"a clock that jumps ahead and back", []string{"2026-11-26", "2036-11-26", "2026-11-27"}, Used{"2026-11-26", "2026-11-27", 2}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			uses, e := OpenUses(dir, on("2026-11-26")), &Entry{Name: "partner.ml"}
			for _, day := range tc.days {
				if day == "" {
					uses.Close()
					uses, e = OpenUses(dir, on("2026-11-26")), &Entry{Name: "partner.ml"}
					continue
				}
				e.Mark(uses, on(day))
			}
			uses.Close()
			got, err := ReadUses(dir)
			if err != nil {
				t.Fatal(err)
			}
			if u := got.Of("partner.ml"); u != tc.want || !got.Since.Equal(on("2026-11-26").Truncate(day)) {
				t.Errorf("Got %+v since %v, want %+v", u, got.Since, tc.want)
			}
		})
	}
}

// TestUsesShared: two directives with one spool, and a server before and after its
// reload, count together.
func TestUsesShared(t *testing.T) {
	dir := t.TempDir()
	before, after := OpenUses(dir, on("2026-11-26")), OpenUses(dir, on("2026-11-27"))
	if before != after {
		t.Error("Got two uses of one file")
	}
	(&Entry{Name: "partner.ml"}).Mark(before, on("2026-11-26"))
	before.Close()
	(&Entry{Name: "partner.ml"}).Mark(after, on("2026-11-27"))
	after.Close()
	got, err := ReadUses(dir)
	if want := (Used{"2026-11-26", "2026-11-27", 2}); err != nil || got.Of("partner.ml") != want {
		t.Errorf("Got %+v, error %v, want %+v", got.Of("partner.ml"), err, want)
	}
}

// TestUsesFile opens files that somebody or something has changed.
func TestUsesFile(t *testing.T) {
	tests := []struct {
		name, contents string
		want           Used // after a use on 2026-11-26
		aside          bool // the file is kept under another name
	}{
		{"none", "", Used{"2026-11-26", "2026-11-26", 1}, false},
		{"known", `{"since":"2026-01-01","names":{"partner.ml":{"first":"2026-02-01","last":"2026-03-01","days":5}}}`, Used{"2026-02-01", "2026-11-26", 6}, false},
		{"too old", `{"since":"2020-01-01","names":{"partner.ml":{"first":"2020-02-01","last":"2020-03-01","days":5}}}`, Used{"2026-11-26", "2026-11-26", 1}, false},
		{"half a file", `{"since":"2026-01-01","names":{"partner.ml":{"fi`, Used{"2026-11-26", "2026-11-26", 1}, true},
		{"no days", `{"since":"yesterday"}`, Used{"2026-11-26", "2026-11-26", 1}, true},
		{"an impossible day", `{"since":"2026-01-01","names":{"partner.ml":{"first":"2026-02-01","last":"2026-02-31","days":5}}}`, Used{"2026-11-26", "2026-11-26", 1}, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, UsesFile)
			if tc.contents != "" {
				if err := os.WriteFile(path, []byte(tc.contents), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			uses := OpenUses(dir, on("2026-11-26"))
			(&Entry{Name: "partner.ml"}).Mark(uses, on("2026-11-26"))
			uses.Close()
			got, err := ReadUses(dir)
			if err != nil || got.Of("partner.ml") != tc.want {
				t.Errorf("Got %+v, error %v, want %+v", got, err, tc.want)
			}
			if aside, err := os.ReadFile(path + ".damaged"); (err == nil) != tc.aside || tc.aside && string(aside) != tc.contents {
				t.Errorf("Got %q aside, error %v", aside, err)
			}
		})
	}
}

// TestUsesUnreadable: what cannot be read is not written over, and joined when it
// can be read again.
func TestUsesUnreadable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, UsesFile)
	if err := os.Mkdir(path, 0o700); err != nil { // reading it fails, whoever reads
		t.Fatal(err)
	}
	uses := OpenUses(dir, on("2026-11-26"))
	defer uses.Close()
	(&Entry{Name: "partner.ml"}).Mark(uses, on("2026-11-26"))
	uses.Save(on("2026-11-26"))
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		t.Fatalf("Got %v, error %v in place of what could not be read", info, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"since":"2026-01-01","names":{"partner.ml":{"first":"2026-02-01","last":"2026-03-01","days":5}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	uses.Save(on("2026-11-26"))
	got, err := ReadUses(dir)
	if want := (Used{"2026-02-01", "2026-11-26", 6}); err != nil || got.Of("partner.ml") != want {
		t.Errorf("Got %+v, error %v, want %+v", got, err, want)
	}
}

func TestMarkAllocates(t *testing.T) {
	uses := OpenUses(t.TempDir(), on("2026-11-26"))
	defer uses.Close()
	e, at := &Entry{Name: "partner.ml"}, on("2026-11-26")
	e.Mark(uses, at)
	if n := testing.AllocsPerRun(100, func() { e.Mark(uses, at) }); n != 0 {
		t.Errorf("A use takes %v allocations", n)
	}
}
