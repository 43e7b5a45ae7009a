package detect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestLargeIndex wants every swap and one slip of each of five thousand
// protected names to be found among all of them.
func TestLargeIndex(t *testing.T) {
	names := syntheticNames(5_000)
	x := mustNew(t, names...)
	r := rand.New(rand.NewPCG(10, 11))
	for _, protected := range names {
		core := strings.TrimSuffix(protected, ".mil")
		v, ok := x.Match(core + ".ml")
		if !ok || v.Class != TLDSwap || v.Matches[0].Protected != protected {
			t.Fatalf("Match(%q) = %v", core+".ml", v)
		}
		all := slices.Concat(transpositions(core), repetitions(core), omissions(core))
		q := all[r.IntN(len(all))]
		if q == core || strings.Contains(q, "..") || q[0] == '.' || q[len(q)-1] == '.' || letters(core) < 5 {
			continue
		}
		v, ok = x.Match(q + ".ml")
		listed := ok && slices.ContainsFunc(v.Matches, func(m Match) bool { return m.Protected == protected })
		if !ok || v.Class > Typo || v.Class == Typo && !listed {
			t.Fatalf("Match(%q) = %v, want typo of %s", q+".ml", v, protected)
		}
	}
}

// TestDoubleTypoLimit fills the room for two slips to the last name: up to
// there every name is found, and beyond it the Index says what is missing.
func TestDoubleTypoLimit(t *testing.T) {
	const keysPerName = 1 + doubleMax*(doubleMax+1)/2
	r := rand.New(rand.NewPCG(12, 13))
	names := make([]string, 0, doubleKeysMax/keysPerName+2)
	for range cap(names) - 2 {
		names = append(names, randomWord(r, doubleMax)+".mil")
	}
	recall := func(names []string, want int) {
		t.Helper()
		x := mustNew(t, names...)
		if got := x.WithoutDoubleTypo(); got != want {
			t.Errorf("%d names: %d are without double-typo, want %d", len(names), got, want)
		}
		for i, protected := range names {
			core := strings.TrimSuffix(protected, ".mil")
			all := transpositions(core)
			first := all[r.IntN(len(all))]
			all = slices.Concat(transpositions(first), omissions(first), adjacentKeys(first))
			q := all[r.IntN(len(all))]
			if osa(oracleFold(core), oracleFold(q)) != 2 {
				continue
			}
			v, ok := x.Match(q + ".ml")
			switch found := ok && v.Class == DoubleTypo && v.Matches[0].Protected == protected; {
			case i < len(names)-want && !found:
				t.Fatalf("%d names: Match(%q) = %v, want double-typo of %s", len(names), q+".ml", v, protected)
			case i >= len(names)-want && ok:
				t.Fatalf("%d names: Match(%q) = %v, want no match", len(names), q+".ml", v)
			}
		}
	}
	recall(names, 0)
	recall(append(names, "us."+randomWord(r, doubleMax-2)+".mil"), 1)        // the deeper name has no room
	recall(append(names, randomWord(r, doubleMax)+".mil"), len(names)+1)     // none of those names has
	recall([]string{"pentagon.mil", randomWord(r, doubleMax+1) + ".mil"}, 1) // it is too long
}

// randomWord returns n letters, no two of which read as one.
func randomWord(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abefghkopqstxyz"[r.IntN(15)]
	}
	return string(b)
}

// TestBoundedWork has so many protected names at one edit that not all of them
// are looked at.
func TestBoundedWork(t *testing.T) {
	const letters, node = "abcdefghijklmnopqrstuvwxyz", "sensornode"
	names := make([]string, 0, len(node)*len(letters)*len(letters))
	for i := range len(node) {
		for _, c := range letters {
			for _, d := range letters {
				names = append(names, fmt.Sprintf("%s%c%s%c.mil", node[:i], c, node[i:], d))
			}
		}
	}
	slices.Sort(names)
	x := mustNew(t, slices.Compact(names)...)
	for _, qname := range []string{"sensornodea.ml", "sensornode.ml", "sensrnodea.ml"} {
		v, ok := x.Match(qname)
		if !ok {
			t.Errorf("Match(%q) found nothing", qname)
		} else if n := len(v.Matches); n > maxCandidates {
			t.Errorf("Match(%q) has %d matches, want at most %d", qname, n, maxCandidates)
		}
	}
}
