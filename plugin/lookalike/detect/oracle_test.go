package detect

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lookalike-dns/lookalike/test/proof"
)

// oracleFold is the published fold: zero, one, i and the digits that look like
// letters.
func oracleFold(s string) string { return oracleGlyphs.Replace(s) }

var oracleGlyphs = strings.NewReplacer("0", "o", "1", "l", "i", "l", "2", "z", "3", "e", "4", "a", "5", "s", "6", "b", "7", "t", "8", "b", "9", "g")

// osa is the optimal string alignment distance as the textbook has it.
func osa(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range len(b) + 1 {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// withinOne reports whether osa(a, b) is at most one: the equal beginning and
// the equal end leave one letter, or a pair in the other order.
func withinOne(a, b string) bool {
	if len(a) > len(b)+1 || len(b) > len(a)+1 {
		return false
	}
	i, j := 0, 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	for j < len(a)-i && j < len(b)-i && a[len(a)-1-j] == b[len(b)-1-j] {
		j++
	}
	x, y := a[i:len(a)-j], b[i:len(b)-j]
	return len(x) <= 1 && len(y) <= 1 || len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
}

// oracleNames are protected names of one label.
func oracleNames(r *rand.Rand, n int) []string {
	var names []string
	seen := make(map[string]bool)
	for len(names) < n {
		label := oracleWord(r)
		if !seen[oracleFold(label)] {
			seen[oracleFold(label)] = true
			names = append(names, label+".mil")
		}
	}
	return names
}

// Few letters make words that are close to each other. All letters make words
// with those that are similar, or read as a pair of others, as well.
const fewLetters, oracleLetters = "abefghijkopqstxyz0135", "abcdefghijklmnopqrstuvwxyz0135"

func oracleWord(r *rand.Rand) string {
	letters := fewLetters
	if r.IntN(3) == 0 {
		letters = oracleLetters
	}
	b := make([]byte, 3+r.IntN(9))
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

// mutate makes up to two edits.
func mutate(r *rand.Rand, s string) string {
	for range r.IntN(3) {
		if len(s) < 2 {
			return s
		}
		i, c := r.IntN(len(s)-1), string(oracleLetters[r.IntN(len(oracleLetters))])
		switch r.IntN(5) {
		case 0:
			s = s[:i] + s[i+1:]
		case 1:
			s = s[:i] + c + s[i:]
		case 2:
			s = s[:i] + c + s[i+1:]
		case 3:
			s = s[:i] + string(s[i+1]) + string(s[i]) + s[i+2:]
		case 4:
			s = s[:i+1] + s[i:]
		}
	}
	return s
}

// TestOracle compares the index with what the rules promise for each protected
// name alone, on random names: that, and nothing else, is what Match reports.
// The proofs take 40,000 of them.
func TestOracle(t *testing.T) {
	const workers = 4
	each := proof.N(120, 10_000)
	protected := oracleNames(rand.New(rand.NewPCG(5, 6)), 60)
	x := mustNew(t, protected...)
	var wg sync.WaitGroup
	var matches atomic.Int64
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(w)))
			for i := range each {
				q := oracleWord(r)
				if i%4 != 0 {
					q = mutate(r, strings.TrimSuffix(protected[r.IntN(len(protected))], ".mil"))
				}
				v, ok := x.Match(q + ".ml")
				if ok {
					matches.Add(1)
				} else {
					v = &Verdict{}
				}
				if !oracleAgrees(t, v, q, protected) {
					return
				}
			}
		})
	}
	wg.Wait()
	if n := matches.Load(); int(n) < workers*each/10 {
		t.Errorf("only %d of %d names match: too few to compare", n, workers*each)
	}
}

// oracleAgrees compares the verdict on q with the promises.
func oracleAgrees(t *testing.T, v *Verdict, q string, protected []string) bool {
	t.Helper()
	best := promised{}
	var want []string
	for _, p := range protected {
		core := strings.TrimSuffix(p, ".mil")
		if mayResemble(core, q) {
			switch one := promise(core, q); {
			case one.class == None || best.class != None && one.class > best.class:
			case one.class != best.class:
				best, want = one, []string{p}
			default:
				want = append(want, p)
				if one.most() > best.most() {
					best.conf = one.conf
				}
			}
		}
	}
	got := make([]string, 0, len(v.Matches))
	for _, m := range v.Matches {
		got = append(got, m.Protected)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !best.allows(v.Class, v.Confidence) || !slices.Equal(got, want) {
		t.Errorf("Match(%q) = %v %v %v, the rules promise %v %v", q, v.Class, v.Confidence, got, best, want)
		return false
	}
	return true
}

// mayResemble spares the rules names that have too little in common: two slips
// change six letters at the most, a keyword or the TLD adds some.
func mayResemble(p, q string) bool {
	var count [256]int
	for _, c := range []byte(oracleFold(p)) {
		count[c]++
	}
	for _, c := range []byte(oracleFold(q)) {
		count[c]--
	}
	missing := 0
	for _, n := range count {
		missing += max(n, 0)
	}
	return missing <= 4
}

// TestOSA checks the two distances of the oracle against each other, and those
// of the package against them.
func TestOSA(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for range 100_000 {
		a := oracleWord(r)
		b := oracleWord(r)
		if r.IntN(4) > 0 {
			b = mutate(r, a)
		}
		fa, fb := oracleFold(a), oracleFold(b)
		d := osa(fa, fb)
		if withinOne(fa, fb) != (d <= 1) {
			t.Fatalf("withinOne(%q, %q) = %v, distance %d", fa, fb, d > 1, d)
		}
	}
}
