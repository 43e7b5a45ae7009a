package exceptions

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
)

// loaded returns a directive with an allow file, and with a spool where uses is not
// empty, whose directory has that file of uses.
func loaded(t *testing.T, list, uses string) (p *lookalike.Policy, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "allow.txt")
	write(t, file, []byte(list))
	spool := ""
	if uses != "" {
		spool = "spool " + dir
		write(t, filepath.Join(dir, exception.UsesFile), []byte(uses))
	}
	corefile := filepath.Join(dir, "Corefile")
	write(t, corefile, fmt.Appendf(nil, ".:1053 {\n lookalike {\n  allow one.ml %s\n  %s\n }\n}\n", file, spool))
	c, err := lookalike.Load(corefile)
	if err != nil {
		t.Fatal(err)
	}
	return c.Policies[0], file
}

func TestEach(t *testing.T) {
	const (
		list = "bare.ml\nfar.ml until=2027-11-26\nsoon.ml until=2026-12-10 owner=x\ntoday.ml until=2026-11-26\nended.ml until=2026-11-25\nnew.ml added=2026-11-20\n"
		uses = `{"since":"2026-06-01","names":{"bare.ml":{"first":"2026-06-02","last":"2026-08-01","days":9},` +
			`"far.ml":{"first":"2026-11-20","last":"2026-11-20","days":1},"one.ml":{"first":"2026-06-02","last":"2026-11-25","days":99}}}`
		day = 24 * time.Hour
	)
	tests := []struct {
		name   string
		filter Filter
		uses   string
		want   string // the names
		note   string
	}{
		{"all", Filter{}, uses, "one.ml bare.ml far.ml soon.ml today.ml ended.ml new.ml", ""},
		{"all, without a spool", Filter{}, "", "one.ml bare.ml far.ml soon.ml today.ml ended.ml new.ml", ""},
		{"those that end", Filter{Expiring: 30 * day}, uses, "soon.ml today.ml ended.ml", ""},
		{"those that end within a day", Filter{Expiring: day}, uses, "today.ml ended.ml", ""},
		{"those that end before long", Filter{Expiring: 14 * day}, uses, "today.ml ended.ml", ""},
		{"those that nobody uses", Filter{Unused: 90 * day}, uses, "bare.ml soon.ml today.ml ended.ml", ""},
		{"those that nobody has used for a while", Filter{Unused: 3 * day}, uses, "bare.ml far.ml soon.ml today.ml ended.ml new.ml", ""},
		{"those that end, and nobody uses", Filter{Unused: 90 * day, Expiring: day}, uses, "today.ml ended.ml", ""},
		{"for longer than is known", Filter{Unused: 200 * day}, uses, "", "uses are recorded since 2026-06-01 only"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p, _ := loaded(t, list, tc.uses)
			var got []string
			tc.filter.Now = noon
			note, err := tc.filter.Each(p.Lists(), func(l *Listed) error {
				got = append(got, l.Name)
				return nil
			})
			if err != nil || strings.Join(got, " ") != tc.want || !strings.Contains(note, tc.note) || tc.note == "" && note != "" {
				t.Errorf("Got %v, note %q, error %v, want %s and %q", got, note, err, tc.want, tc.note)
			}
		})
	}
	p, _ := loaded(t, list, "")
	if _, err := (&Filter{Unused: day, Now: noon}).Each(p.Lists(), nil); err == nil || !strings.Contains(err.Error(), "Corefile:2: the directive has no spool") {
		t.Errorf("Got error %v without a spool", err)
	}
	p, file := loaded(t, list, uses)
	if err := os.Remove(filepath.Join(filepath.Dir(file), exception.UsesFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Filter{Unused: day, Now: noon}).Each(p.Lists(), nil); err == nil || !strings.Contains(err.Error(), "no uses are recorded yet: run the server") {
		t.Errorf("Got error %v without a record of uses", err)
	}
}

// TestWrite holds what is said of one exception; the text is a list again.
func TestWrite(t *testing.T) {
	const uses = `{"since":"2026-06-01","names":{"a.ml":{"first":"2026-06-02","last":"2026-08-01","days":9},"b.ml":{"first":"2026-11-20","last":"2026-11-20","days":1}}}`
	tests := []struct {
		line, uses string
		text, json string
	}{
		{"a.ml", "", "a.ml                         # FILE:1: never ends\n",
			`{"name":"a.ml","source":"FILE:1","until":"","owner":"","reason":"","ticket":"","added":"","clients":[],"classes":[],"directive":"DIR/Corefile:2","state":"never ends","first_use":"","last_use":"","days_used":null}`},
		{"a.ml", uses, "a.ml                         # FILE:1: never ends; used on 9 days, last on 2026-08-01\n",
			`"state":"never ends","first_use":"2026-06-02","last_use":"2026-08-01","days_used":9}`},
		{`b.ml until=2026-12-06 reason="why # not" clients=192.0.2.25,192.0.2.0/24 class=typo`, uses,
			`b.ml until=2026-12-06 reason="why # not" clients=192.0.2.25,192.0.2.0/24 class=typo # FILE:1: ends in 10 days; used on 2026-11-20` + "\n",
			`"until":"2026-12-06","owner":"","reason":"why # not","ticket":"","added":"","clients":["192.0.2.25","192.0.2.0/24"],"classes":["typo"]`},
		{"c.ml until=2026-11-27", uses, "c.ml until=2026-11-27        # FILE:1: ends in 36 hours; not used since uses are recorded\n", `"days_used":0`},
		{"c.ml until=2026-11-25", "", "c.ml until=2026-11-25        # FILE:1: has ended\n", `"state":"has ended"`},
	}
	for _, tc := range tests {
		p, file := loaded(t, tc.line+"\n", tc.uses)
		show := func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(s, file, "FILE"), filepath.Dir(file), "DIR")
		}
		var text, json strings.Builder
		_, err := (&Filter{Now: noon}).Each(p.Lists(), func(l *Listed) error {
			if l.Name == "one.ml" {
				return nil
			}
			if err := l.WriteText(&text, show); err != nil {
				return err
			}
			return l.WriteJSON(&json, show)
		})
		if err != nil || text.String() != tc.text || !strings.Contains(json.String(), tc.json) {
			t.Errorf("%s: got %q and %s, error %v, want %q and %s", tc.line, text.String(), json.String(), err, tc.text, tc.json)
		}
	}
}
