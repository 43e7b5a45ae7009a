package names

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/test/proof"
)

// noon is when the tests read lists.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// allowFile returns the allow list of a directive with a file of these lines, which
// is under the rules of a block where there are any.
func allowFile(t *testing.T, lines string, rules ...directive.Line) (s *Spec, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "allow.txt")
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	s = &Spec{Exceptions: true}
	if len(rules) > 0 {
		var err error
		if s.Rules, err = exception.ParseRules("Corefile:5", rules); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Add(path, "Corefile:5"); err != nil {
		t.Fatal(err)
	}
	return s, path
}

func TestExceptions(t *testing.T) {
	const list = `# partners
bare.ml
Ends.ML        until=2026-11-26 owner=mail@example.net   # today
ended.ml       until=2026-11-25
later.ml       until=2027-01-01
client.ml      clients=192.0.2.25
typo.ml        class=typo
bücher.ml      until=2026-11-25
*.corp         ticket=1
twice.ml       until=2026-11-25 owner=first
twice.ml       until=2026-11-24 owner=second
both.ml        until=2026-11-25
both.ml
deep.ended.ml
`
	tests := []struct {
		qname, client string
		class         detect.Class
		want          string // the entry and what it does
	}{
		{"other.ml.", "192.0.2.25", detect.Typo, ""},
		{"bare.ml.", "192.0.2.25", detect.Typo, "bare.ml passes"},
		{"MX.Bare.ml.", "192.0.2.25", detect.Typo, "bare.ml passes"},
		{"ends.ml.", "192.0.2.25", detect.Typo, "ends.ml until=2026-11-26 owner=mail@example.net passes"},
		{"mx.ended.ml", "192.0.2.25", detect.Typo, "ended.ml until=2026-11-25 has ended"},
		{"mx.deep.ended.ml", "192.0.2.25", detect.Typo, "deep.ended.ml passes"},
		{"later.ml", "192.0.2.25", detect.Typo, "later.ml until=2027-01-01 passes"},
		{"client.ml", "192.0.2.25", detect.Typo, "client.ml clients=192.0.2.25 passes"},
		{"client.ml", "192.0.2.26", detect.Typo, ""},
		{"client.ml", "", detect.Typo, ""},
		{"typo.ml", "192.0.2.25", detect.Typo, "typo.ml class=typo passes"},
		{"typo.ml", "192.0.2.25", detect.Edit, ""},
		{"xn--bcher-kva.ml", "192.0.2.25", detect.Typo, "xn--bcher-kva.ml until=2026-11-25 has ended"},
		{`b\195\188cher.ml`, "192.0.2.25", detect.Typo, "xn--bcher-kva.ml until=2026-11-25 has ended"},
		{"any.corp", "192.0.2.25", detect.Typo, "*.corp ticket=1 passes"},
		{"twice.ml", "192.0.2.25", detect.Typo, "twice.ml until=2026-11-25 owner=first has ended"},
		{"both.ml", "192.0.2.25", detect.Typo, "both.ml passes"},
		{strings.Repeat("a.", 200), "192.0.2.25", detect.Typo, ""},
	}
	spec, _ := allowFile(t, list)
	set, err := spec.LoadSet(noon)
	if err != nil {
		t.Fatal(err)
	}
	if set.Len() != 11 {
		t.Errorf("Got %d names, want 11", set.Len())
	}
	for _, tc := range tests {
		client, _ := netip.ParseAddr(tc.client)
		ask := func() (*exception.Entry, bool) { return set.Exception(tc.qname, client, tc.class, noon) }
		got := ""
		if e, passes := ask(); e != nil {
			got = e.String() + map[bool]string{true: " passes", false: " has ended"}[passes]
		}
		if got != tc.want {
			t.Errorf("%s of %s: got %q, want %q", tc.qname, tc.client, got, tc.want)
		}
		if n := testing.AllocsPerRun(10, func() { ask() }); n != 0 {
			t.Errorf("%s takes %v allocations", tc.qname, n)
		}
	}
	var ending []string
	for _, e := range set.Ending() {
		ending = append(ending, e.Name)
	}
	if got, want := strings.Join(ending, " "), "twice.ml both.ml ended.ml twice.ml xn--bcher-kva.ml ends.ml later.ml"; got != want {
		t.Errorf("Got in the order of their ends %s, want %s", got, want)
	}
}

// TestExceptionErrors holds that an error says where, what is wrong, and what to
// write.
func TestExceptionErrors(t *testing.T) {
	rules := []directive.Line{{Name: "require", Args: []string{"owner", "until"}}, {Name: "max", Args: []string{"365d"}}}
	tests := []struct {
		name, line string
		rules      []directive.Line
		want       string
	}{
		{"an unknown word", "partner.ml onwer=a", nil, `"partner.ml onwer=a": unknown word "onwer": want until`},
		{"an impossible day", "partner.ml until=2027-02-30", nil, `until: "2027-02-30" is not a calendar day: write YYYY-MM-DD`},
		{"a note", "partner.ml pension payments", nil, "more than one word"},
		{"a note behind words", "partner.ml owner=a pension", nil, `"pension" is not KEY=VALUE`},
		{"a bad name", "partner..ml owner=a", nil, "empty label"},
		{"a mail address", "mail@partner.ml owner=a", nil, "a mail address: write only the part after the @"},
		{"a # in quotes", `partner.ml ticket="#1" x`, nil, `"x" is not KEY=VALUE`},
		{"no words where some are asked for", "partner.ml", rules, "lacks words that Corefile:5 requires: write, for example, owner=mail-team@example.net until=2027-03-31"},
		{"not all words", "partner.ml owner=a", rules, "write, for example, until=2027-03-31 after the name"},
		{"too long", "partner.ml owner=a until=2028-01-01", rules, "exceeds the 365 days that Corefile:5 allows"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			spec, path := allowFile(t, "# partners\nother.ml owner=b until=2027-01-01\n"+tc.line+"\n", tc.rules...)
			for _, err := range []error{
				func() error { _, err := spec.LoadSet(noon); return err }(),
				spec.EachException(noon, func(*exception.Entry) {}),
			} {
				if err == nil || !strings.Contains(err.Error(), path+":3: ") || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("Got error %v, want it to contain line 3 and %q", err, tc.want)
				}
			}
		})
	}
	protect := new(Spec)
	_, path := allowFile(t, "army.mil until=2027-01-01\n")
	if err := protect.Add(path, "Corefile:4"); err != nil {
		t.Fatal(err)
	}
	if _, err := protect.Load(); err == nil || !strings.Contains(err.Error(), "only files of allow may have them; write the name alone") {
		t.Errorf("Got error %v for words in a protect list", err)
	}
	inCorefile := &Spec{Exceptions: true, Rules: new(exception.Rules)}
	if err := inCorefile.Add("partner.ml", "Corefile:5"); err == nil || !strings.Contains(err.Error(), "write it into a file, or remove the block") {
		t.Errorf("Got error %v for a name before a block", err)
	}
}

func TestExceptionDoubts(t *testing.T) {
	tests := []struct {
		name, lines string
		want        []string // PATH is that of the file
	}{
		{"none", "a.ml until=2027-01-01\nb.ml\nmail.b.ml\n", nil},
		{"bare ones twice", "a.ml\na.ml\n", nil},
		{"an end, and none", "a.ml until=2027-01-01\n\na.ml\n", []string{"PATH:3: a.ml is listed at PATH:1, too: either entry lets it pass, so keep one of them"}},
		{"none, and an end", "a.ml\na.ml until=2027-01-01\n", []string{"PATH:2: a.ml is listed at another line, too"}},
		{"two ends", "a.ml until=2027-01-01\nA.ML. until=2027-01-02\n", []string{"PATH:2: a.ml is listed at PATH:1, too"}},
		{"for different clients", "a.ml clients=192.0.2.25\na.ml clients=192.0.2.26 until=2027-01-01\n", nil},
		{"for some of the same clients", "a.ml clients=192.0.2.25\na.ml clients=192.0.2.0/24\n", []string{"PATH:2: a.ml is listed at PATH:1"}},
		{"for different classes", "a.ml class=typo\na.ml class=edit\n", nil},
		{"below one without words", "a.ml\nmail.a.ml until=2027-01-01\n", []string{"PATH:2: mail.a.ml passes anyway, since a.ml is listed without words: remove one of them"}},
		{"below one with words", "a.ml ticket=1\nmail.a.ml until=2027-01-01\n", nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			spec, path := allowFile(t, tc.lines)
			set, err := spec.LoadSet(noon)
			if err != nil {
				t.Fatal(err)
			}
			got := set.Doubts()
			if len(got) != len(tc.want) {
				t.Fatalf("Got %q, want %q", got, tc.want)
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(got[i], strings.ReplaceAll(want, "PATH", path)) {
					t.Errorf("Got %q, want %q", got[i], want)
				}
			}
		})
	}
	var many strings.Builder
	for i := range 20 {
		fmt.Fprintf(&many, "a%d.ml ticket=1\na%d.ml ticket=2\n", i, i)
	}
	spec, _ := allowFile(t, many.String())
	if set, err := spec.LoadSet(noon); err != nil || len(set.Doubts()) != maxDoubts+1 || set.Doubts()[maxDoubts] != "and 15 more exceptions that others make void" {
		t.Errorf("Got error %v and doubts %q", err, set.Doubts())
	}
}

// TestEachException holds that the tool gets every line, with its place.
func TestEachException(t *testing.T) {
	spec, path := allowFile(t, "a.ml\nb.ml until=2020-01-01\n# none\na.ml ticket=1\n")
	if err := spec.Add("c.ml", "Corefile:6"); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := spec.EachException(noon, func(e *exception.Entry) { got = append(got, e.Where()+" "+e.String()) }); err != nil {
		t.Fatal(err)
	}
	want := []string{path + ":1 a.ml", path + ":2 b.ml until=2020-01-01", path + ":4 a.ml ticket=1", "Corefile:6 c.ml"}
	if !slices.Equal(got, want) {
		t.Errorf("Got %q, want %q", got, want)
	}
}

// TestBareMemory holds that a name without words takes no more memory than in a
// set that knows no words.
func TestBareMemory(t *testing.T) {
	n := proof.N(50_000, 1_000_000)
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "partner-%07d.ml\n", i)
	}
	spec, _ := allowFile(t, b.String())
	heap := func(load func() *Set) (bytes int64) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		set := load()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if set.Len() != n {
			t.Fatalf("Got %d names, want %d", set.Len(), n)
		}
		runtime.KeepAlive(set)
		return int64(after.HeapAlloc) - int64(before.HeapAlloc)
	}
	with := heap(func() *Set {
		set, err := spec.LoadSet(noon)
		if err != nil {
			t.Fatal(err)
		}
		return set
	})
	without := heap(func() *Set {
		names, err := spec.Load()
		if err != nil {
			t.Fatal(err)
		}
		return NewSet(names)
	})
	t.Logf("%d names: %d bytes a name, %d in a set of names alone", n, with/int64(n), without/int64(n))
	if with > without+int64(n) { // a byte a name, for what else has changed meanwhile
		t.Errorf("%d names take %d bytes, %d in a set of names alone", n, with, without)
	}
}
