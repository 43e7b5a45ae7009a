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
