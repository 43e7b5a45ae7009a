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

// oracle is a second, slow implementation of the classes typo, edit and
// double-typo for names of one label: it compares with every protected name.
type oracle struct {
	names  []string // without the TLD
	folded []string
}

func newOracle(protected []string) *oracle {
	o := &oracle{}
	for _, p := range protected {
		label := strings.TrimSuffix(p, ".mil")
		o.names = append(o.names, label)
		o.folded = append(o.folded, oracleFold(label))
	}
	return o
}

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

// class returns what q, a slip of p by one edit, is by the rules: typo,
// edit, homoglyph for similar letters, or nothing below the floors.
func (o *oracle) class(i int, q string) (Class, Confidence) {
	p, fp, fq := o.names[i], o.folded[i], oracleFold(q)
	n := len(p)
	motor := false
	switch {
	case len(fq) == len(fp)+1:
		for k := range fp { // one letter typed twice
			motor = motor || fp[:k+1]+fp[k:] == fq
		}
	case len(fq) == len(fp)-1:
		motor = n >= 4
	default:
		var differ []int
		for k := range fp {
			if fp[k] != fq[k] {
				differ = append(differ, k)
			}
		}
		if len(differ) == 2 {
			motor = true
			break
		}
		a, b := p[differ[0]], q[differ[0]]
		motor = n >= 4 && adjacent(rune(a), rune(b))
		if !adjacent(rune(a), rune(b)) && similar(rune(a), rune(b)) {
			return Homoglyph, oracleFloor(n, 5, 4)
		}
	}
	if motor {
		return Typo, oracleFloor(n, 5, 3)
	}
	return Edit, oracleFloor(n, 6, 5)
}

func oracleFloor(n, high, medium int) Confidence {
	switch {
	case n >= high:
		return High
	case n >= medium:
		return Medium
	}
	return Unsure
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
	for {
		b := make([]byte, 3+r.IntN(9))
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		if q := string(b); !beyondOracle(q) {
			return q
		}
	}
}

// beyondOracle reports whether a word has what the oracle does not know about: a
// pair of letters that reads as one, or the TLD; or is a public suffix below ml.
func beyondOracle(q string) bool {
	fold := oracleFold(q)
	return slices.ContainsFunc([]string{"rn", "nn", "vv", "uu", "cl", "mll"}, func(s string) bool { return strings.Contains(fold, s) }) ||
		slices.Contains(suffixesByHand, q)
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

// TestOracle compares the index with the oracle on a million random names, or on
// fewer in a quick test: what the oracle finds, and nothing else, is what Match
// reports.
func TestOracle(t *testing.T) {
	const workers = 4
	each := proof.N(5_000, 250_000)
	protected := oracleNames(rand.New(rand.NewPCG(5, 6)), 150)
	x, o := mustNew(t, protected...), newOracle(protected)
	var wg sync.WaitGroup
	var matches atomic.Int64
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(w)))
			for i := range each {
				q := oracleWord(r)
				if i%2 == 0 {
					q = mutate(r, o.names[r.IntN(len(o.names))])
				}
				if beyondOracle(q) {
					continue
				}
				v, ok := x.Match(q + ".ml")
				if ok {
					matches.Add(1)
				} else {
					v = &Verdict{}
				}
				if !o.agrees(t, v, q, v.Class == DoubleTypo || i%16 == 0) {
					return
				}
			}
		})
	}
	wg.Wait()
	if n := matches.Load(); n < int64(workers*each/10) {
		t.Errorf("only %d of %d names match: too few to compare", n, workers*each)
	}
}

// agrees compares the verdict on q with the oracle's, and for double-typo where
// doubles asks for that, which takes longer.
func (o *oracle) agrees(t *testing.T, v *Verdict, q string, doubles bool) bool {
	t.Helper()
	fq := oracleFold(q)
	best, confidence := None, Unsure
	var want []string
	for i, fp := range o.folded {
		if fp == fq {
			return true // a swap or a homoglyph, which other tests are for
		}
		if len(fp)-len(fq) > 1 || len(fq)-len(fp) > 1 || !withinOne(fp, fq) {
			continue
		}
		c, conf := o.class(i, q)
		if conf == Unsure {
			continue
		}
		if best == None || c < best {
			best, confidence, want = c, Unsure, nil
		}
		if c == best {
			confidence = max(confidence, conf)
			want = append(want, o.names[i]+".mil")
		}
	}
	switch {
	case best == None && v.Class == Combosquat:
		return true // with a keyword, which other tests are for
	case best == None && doubles:
		return o.agreesTwice(t, v, q)
	case best == None && v.Class == None:
		return true
	}
	var got []string
	for _, m := range v.Matches {
		got = append(got, m.Protected)
	}
	slices.Sort(got)
	slices.Sort(want)
	if isCommonWord(q) {
		confidence = min(confidence, Low)
	}
	if v.Class != best || v.Confidence != confidence || !slices.Equal(got, want) {
		t.Errorf("Match(%q) = %v %v %v, the oracle says %v %v %v", q, v.Class, v.Confidence, got, best, confidence, want)
		return false
	}
	return true
}

// agreesTwice compares the names at two edits.
func (o *oracle) agreesTwice(t *testing.T, v *Verdict, q string) bool {
	t.Helper()
	var want []string
	got := make([]string, 0, len(v.Matches))
	for _, m := range v.Matches {
		got = append(got, m.Protected)
	}
	fq := oracleFold(q)
	for i, fp := range o.folded {
		if len(fp) >= 8 && len(fp)-len(fq) <= 2 && len(fq)-len(fp) <= 2 && osa(fp, fq) == 2 {
			want = append(want, o.names[i]+".mil")
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || v.Class != None && v.Class != DoubleTypo {
		t.Errorf("Match(%q) = %v %v, the oracle says double-typo %v", q, v.Class, got, want)
		return false
	}
	return true
}

// TestOSA checks the two distances of the oracle against each other, and those
// of the package against them.
func TestOSA(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	reverse := func(s string) []rune {
		runes := []rune(s)
		slices.Reverse(runes)
		return runes
	}
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
		if _, one := oneEdit(reverse(a), reverse(b)); one != (d == 1) {
			t.Fatalf("oneEdit(%q, %q) = %v, distance %d", a, b, one, d)
		}
		if two := twoEdits(reverse(a), reverse(b)); two != (d <= 2) {
			t.Fatalf("twoEdits(%q, %q) = %v, distance %d", a, b, two, d)
		}
	}
}
