package lists

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

func testLists(t *testing.T, protected, allowed []string) *inForce {
	t.Helper()
	index, err := detect.New(detect.Config{Protected: protected, TLDs: []string{"ml"}})
	if err != nil {
		t.Fatal(err)
	}
	return &inForce{index, index, names.NewSet(allowed), newRecent()}
}

// TestFindAgain wants of every name the same finding however often it is asked
// for, and whatever was asked for in between.
func TestFindAgain(t *testing.T) {
	l := testLists(t, []string{"army.mil", "us.af.mil"}, []string{"mail.army.ml"})
	tests := []struct {
		qname     string
		protected string // empty: resembles nothing
		name      string
		allowed   bool
	}{
		{"army.ml.", "army.mil", "army.ml", false},
		{"ARMY.ml.", "army.mil", "army.ml", false},
		{"army.ml", "army.mil", "army.ml", false},
		{"mx.army.ml.", "army.mil", "mx.army.ml", false},
		{"mail.army.ml.", "army.mil", "mail.army.ml", true},
		{"us.af.ml.", "us.af.mil", "us.af.ml", false},
		{"example.ml.", "", "", false},
		{"army.mil.", "", "", false},
		{"", "", "", false},
	}
	for round := range 3 {
		for _, tc := range tests {
			f := l.find(tc.qname, false)
			if f == nil {
				if tc.protected != "" {
					t.Errorf("Round %d: expected find(%q) to find %s, got nothing", round, tc.qname, tc.protected)
				}
				continue
			}
			if got := f.Verdict.Matches[0].Protected; got != tc.protected || f.Verdict.Name != tc.name || f.Listed != tc.allowed {
				t.Errorf("Round %d: expected find(%q) = %s, %s, allowed %v, got %s, %s, %v",
					round, tc.qname, tc.name, tc.protected, tc.allowed, f.Verdict.Name, got, f.Listed)
			}
		}
		for i := range 5 * recentNames { // takes every place
			if name := fmt.Sprintf("x%d.us.af.ml.", i); l.find(name, false).Verdict.Name+"." != name {
				t.Fatalf("Expected the finding about %s, got the one about %s", name, l.find(name, false).Verdict.Name)
			}
		}
	}
}

// remembered counts the names that are remembered, those that resemble something and
// those that do not.
func (r *recent) remembered() (findings, passed int) {
	for i := range r.findings {
		if r.findings[i].Load() != nil {
			findings++
		}
		if r.passed[i].Load() != 0 {
			passed++
		}
	}
	return findings, passed
}

// TestRemembered remembers a name when it comes again, and no name of a flood of others
// displaces it: names that come once are not remembered.
func TestRemembered(t *testing.T) {
	for _, tc := range []struct {
		name, qname, flood string
		findings, passed   int // remembered
	}{
		{"a name that resembles nothing", "example.ml.", "x%d.example.ml.", 0, 1},
		{"a lookalike", "army.ml.", "x%d.army.ml.", 1, 0},
		{"a lookalike among passing names", "army.ml.", "x%d.example.ml.", 1, 0},
		{"a passing name among lookalikes", "example.ml.", "x%d.army.ml.", 0, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := testLists(t, []string{"army.mil"}, nil)
			l.find(tc.qname, false)
			if findings, passed := l.recent.remembered(); findings+passed != 0 {
				t.Errorf("Expected a name that came once not to be remembered, got %d and %d", findings, passed)
			}
			second := l.find(tc.qname, false)
			for i := range 10 * recentNames {
				l.find(fmt.Sprintf(tc.flood, i), false)
			}
			if findings, passed := l.recent.remembered(); findings != tc.findings || passed != tc.passed {
				t.Errorf("Expected %d findings and %d passing names remembered, got %d and %d", tc.findings, tc.passed, findings, passed)
			}
			if third := l.find(tc.qname, false); third != second {
				t.Errorf("Expected the same finding after the flood, got %v for %v", third, second)
			}
		})
	}
}

// TestPassingNamesNeedNoMemory wants no allocation for names that resemble nothing,
// whether they come once or again.
func TestPassingNamesNeedNoMemory(t *testing.T) {
	l := testLists(t, []string{"army.mil"}, nil)
	names := make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprintf("x%d.example.ml.", i/2)
	}
	i := 0
	if n := testing.AllocsPerRun(len(names)-1, func() { l.find(names[i], false); i++ }); n != 0 {
		t.Errorf("Expected no allocation, got %v", n)
	}
}

// TestFindAsWithoutMemory asks for names in a random order, hosts below them as well,
// and wants of each what Match says.
func TestFindAsWithoutMemory(t *testing.T) {
	l := testLists(t, []string{"army.mil", "us.af.mil", "mail.mil", "stratcom.mil"}, []string{"mail.army.ml"})
	names := []string{"army.ml", "mail.army.ml", "arrny.ml", "us.af.ml", "af.ml", "us-af.ml", "example.ml", "stratcmo.ml", "mil.ml", "army-mail.ml", "x.ml"}
	prefixes := []string{"", "us.", "mail.", "a.b.", "_dmarc.", "x-", "US."}
	r := rand.New(rand.NewPCG(3, 5))
	for range 20_000 {
		qname := prefixes[r.IntN(len(prefixes))] + prefixes[r.IntN(len(prefixes))] + names[r.IntN(len(names))] + "."
		want, _ := l.index.Match(qname)
		var got *detect.Verdict
		if f := l.find(qname, false); f != nil {
			got = f.Verdict
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("find(%q) = %+v, want %+v", qname, got, want)
		}
	}
}

// TestLargeFindingsAreNotKept protects so many similar names that a verdict
// about them takes much memory.
func TestLargeFindingsAreNotKept(t *testing.T) {
	letters := strings.Split("abcdefghjkmnpqrstvwxyz", "")
	protected := make([]string, len(letters))
	for i, letter := range letters {
		protected[i] = "sensornode" + letter + ".mil"
	}
	l := testLists(t, protected, nil)
	for _, tc := range []struct {
		qname string
		kept  bool
	}{
		{"sensornode.ml.", false},
		{"sensornodea.ml.", true},
	} {
		l.find(tc.qname, false)
		f := l.find(tc.qname, false)
		if kept := l.find(tc.qname, false) == f; kept != tc.kept {
			t.Errorf("Expected %s with %d matches to be kept: %v, got %v", tc.qname, len(f.Verdict.Matches), tc.kept, kept)
		}
	}
}

// TestReloadForgetsFindings changes the lists under a name that has just been
// asked for.
func TestReloadForgetsFindings(t *testing.T) {
	dir := t.TempDir()
	protect, allow := filepath.Join(dir, "protect.txt"), filepath.Join(dir, "allow.txt")
	write(t, protect, "army.mil\n")
	write(t, allow, "example.ml\n")
	l := start(t, Config{TLDs: []string{"ml"}, Protect: spec(t, protect), Allow: spec(t, allow)})[0]
	for _, step := range []struct{ name, protect, allow, want string }{
		{"as it began", "army.mil", "example.ml", "army.mil false"},
		{"allowed", "army.mil", "army.ml", "army.mil true"},
		{"allowed no more", "army.mil", "example.ml", "army.mil false"},
		{"protected no more", "navy.mil", "example.ml", "nothing"},
		{"protected with others", "navy.mil\narmy.mil\n", "example.ml", "army.mil false"},
	} {
		write(t, protect, step.protect)
		write(t, allow, step.allow)
		for _, one := range l.both() {
			if err := reloadList(one); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			got := "nothing"
			if f := l.Find("army.ml.", false); f != nil {
				got = fmt.Sprintf("%s %v", f.Verdict.Matches[0].Protected, f.Listed)
			}
			if got != step.want {
				t.Errorf("%s: expected %s, got %s", step.name, step.want, got)
			}
		}
	}
}
