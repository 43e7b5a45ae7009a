package lists

import (
	"fmt"
	"path/filepath"
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

// TestPassingNames remembers a name that resembles nothing when it comes again,
// and has no memory for names that do not.
func TestPassingNames(t *testing.T) {
	l := testLists(t, []string{"army.mil"}, nil)
	remembered := func() (n int) {
		for i := range l.recent.findings {
			if l.recent.findings[i].Load() != nil {
				n++
			}
		}
		return n
	}
	for i, want := range []int{0, 1, 1} {
		if f := l.find("example.ml.", false); f != nil {
			t.Errorf("Expected nothing about example.ml, got %v", f.Verdict)
		}
		if got := remembered(); got != want {
			t.Errorf("Expected %d names remembered after %d queries, got %d", want, i+1, got)
		}
	}
	others := make([]string, 10_000)
	for i := range others {
		others[i] = fmt.Sprintf("x%d.example.ml.", i)
	}
	i := 0
	if n := testing.AllocsPerRun(len(others)-1, func() { l.find(others[i], false); i++ }); n != 0 {
		t.Errorf("Expected no allocation for a name that comes once, got %v", n)
	}
	if got := remembered(); got != 1 {
		t.Errorf("Expected one name remembered, got %d", got)
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
