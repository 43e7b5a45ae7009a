package detect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/proof"
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

// TestDoubleTypoLimit fills the room for two slips to the last name and beyond:
// names that have room are found, and the Index says how many have none. A quick
// test has the first two cases, and looks for some of the names.
func TestDoubleTypoLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 13))
	words := func(n, size int, parent string) (names []string) {
		for range n {
			names = append(names, randomWord(r, size)+parent)
		}
		return names
	}
	const fit32 = doubleKeysMax / (1 + 32*33/2)
	const fit31 = doubleKeysMax / (1 + 31*32/2)
	longest := words(fit32, 32, ".mil")
	tests := []struct {
		name          string
		with, without []string
	}{
		{"more labels have no room", longest, words(1, 30, ".us.mil")},
		{"one too many of as many letters", nil, slices.Concat(longest, words(1, 32, ".mil"))},
		{"room for all", longest, nil},
		{"fewer letters have no room", longest, words(1, 31, ".mil")},
		{"one too many, and one with more letters", words(1, 32, ".mil"), words(fit31+1, 31, ".mil")},
		{"fewer labels come first", words(1, 8, ".mil"), words(fit31+1, 29, ".us.mil")},
		{"too long", []string{"pentagon.mil"}, words(1, 33, ".mil")},
	}
	each := proof.N(100, 1)
	for _, tt := range tests[:proof.N(2, len(tests))] {
		t.Run(tt.name, func(t *testing.T) {
			x := mustNew(t, slices.Concat(tt.without, tt.with)...)
			if got := x.WithoutDoubleTypo(); got != len(tt.without) {
				t.Errorf("%d names are without double-typo, want %d", got, len(tt.without))
			}
			for _, protected := range every(each, tt.with) {
				q := twoSlips(r, protected)
				v, ok := x.Match(q)
				if !ok || v.Class != DoubleTypo || v.Matches[0].Protected != protected {
					t.Fatalf("Match(%q) = %v, want double-typo of %s", q, v, protected)
				}
			}
			for _, protected := range every(each, tt.without) {
				q := twoSlips(r, protected)
				if v, ok := x.Match(q); ok {
					t.Fatalf("Match(%q) = %v, want no match", q, v)
				}
			}
		})
	}
}

// twoSlips returns a name under ml that is two slips from a protected name.
func twoSlips(r *rand.Rand, protected string) string {
	core := strings.TrimSuffix(protected, ".mil")
	for {
		all := transpositions(core)
		first := all[r.IntN(len(all))]
		all = slices.Concat(transpositions(first), omissions(first), adjacentKeys(first))
		if q := all[r.IntN(len(all))]; strings.HasSuffix(q, core[strings.LastIndexByte(core, '.')+1:]) == strings.Contains(core, ".") && osa(oracleFold(core), oracleFold(q)) == 2 && !lessOne(oracleFold(core), oracleFold(q)) {
			return q + ".ml"
		}
	}
}

// lessOne reports whether the two are the same with a letter less each: the index
// finds them without the keys of two slips.
func lessOne(p, q string) bool {
	less := omissions(q)
	return slices.ContainsFunc(omissions(p), func(s string) bool { return slices.Contains(less, s) })
}

// randomWord returns n letters, no two of which read as one.
func randomWord(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abefghkopqstxyz"[r.IntN(15)]
	}
	return string(b)
}

// every returns every n-th name.
func every(n int, names []string) (some []string) {
	for i := 0; i < len(names); i += n {
		some = append(some, names[i])
	}
	return some
}

// mostMatches is the promise of how many protected names a verdict lists at most.
const mostMatches = MaxMatches

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
		} else if n := len(v.Matches); n > mostMatches {
			t.Errorf("Match(%q) has %d matches, want at most %d", qname, n, mostMatches)
		}
	}
}
