package detect

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/lookalike-dns/lookalike/test/proof"
)

// replayNames returns protected names of several kinds.
func replayNames() []string {
	return append([]string{"xn--mnchen-3ya.example", "eb.mil.br", "example.co.uk", `a\.b.mil`, "a.b.cdefgh.mil"}, recallNames...)
}

// inUnicode writes a name as slips do: octets that are no UTF-8, and points inside
// of labels, stay escaped.
func inUnicode(t *testing.T, name string) string {
	t.Helper()
	labels := splitLabels(name)
	for i, l := range labels {
		var octets []byte
		for j := 0; j < len(l); j++ {
			c := l[j]
			if c == '\\' {
				var used int
				c, used = unescape(l[j+1:])
				j += used
			}
			octets = append(octets, c)
		}
		if runes, ok := decodePunycode(make([]rune, 0, maxRunes), bytes.TrimPrefix(octets, []byte("xn--"))); ok && len(runes) > 0 && hasACEPrefix(octets) {
			var shown []byte
			for _, r := range runes {
				shown = appendRune(shown, plainRune(r))
			}
			labels[i] = string(shown)
			continue
		}
		var shown []byte
		for len(octets) > 0 {
			r, size := utf8.DecodeRune(octets)
			if r < utf8.RuneSelf || r == utf8.RuneError && size == 1 {
				shown = appendByte(shown, octets[0])
			} else {
				shown = append(shown, octets[:size]...)
			}
			octets = octets[size:]
		}
		labels[i] = string(shown)
	}
	return strings.Join(labels, ".")
}

// splitLabels splits a name at the dots that are not escaped.
func splitLabels(name string) []string {
	var labels []string
	start := 0
	for i := 0; i < len(name); i++ {
		switch name[i] {
		case '\\':
			i++
		case '.':
			labels = append(labels, name[start:i])
			start = i + 1
		}
	}
	return append(labels, name[start:])
}

// checkReplay applies the slips of a verdict to the protected name.
func checkReplay(t *testing.T, v *Verdict) {
	t.Helper()
	want := inUnicode(t, v.Name)
	if got := Apply(inUnicode(t, v.Matches[0].Protected), v.Slips); got != want {
		t.Fatalf("%s of %s: the slips %+v make %q, want %q", v.Class, v.Matches[0].Protected, v.Slips, got, want)
	}
	for i := range v.Slips {
		if text := v.Slips[i].text(); !strings.Contains(v.Reason, text) && v.Class > TLDKept {
			t.Fatalf("%s of %s: the reason %s lacks %s", v.Class, v.Matches[0].Protected, v.Reason, text)
		}
	}
}

// TestReplay makes names of every class and applies the slips of their verdicts:
// they make the queried name of the protected one. The proofs take a million.
func TestReplay(t *testing.T) {
	each := proof.N(500, 250_000)
	indexes := []*Index{mustNew(t, replayNames()...), mustNew(t, append(replayNames(), "mil")...)}
	var mu sync.Mutex
	met := make(map[Class]int)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(17, uint64(w)))
			for range each {
				v, ok := indexes[r.IntN(8)/7].Match(replayQuery(r))
				if !ok {
					continue
				}
				mu.Lock()
				met[v.Class]++
				mu.Unlock()
				checkReplay(t, v)
				if t.Failed() {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, c := range Classes() {
		if met[c] < each/1000 {
			t.Errorf("only %d verdicts of class %s", met[c], c)
		}
	}
}

// replayQuery makes a name under ml of a protected one.
func replayQuery(r *rand.Rand) string {
	names := recallNames
	q := strings.TrimSuffix(names[r.IntN(len(names))], ".mil")
	pick := func(all []string) {
		if len(all) > 0 {
			q = all[r.IntN(len(all))]
		}
	}
	for range r.IntN(3) {
		switch r.IntN(10) {
		case 0:
			q = mutate(r, q)
		case 1:
			pick(swapEach(q, strongGlyphs))
		case 2:
			pick(swapEach(q, strongPairs))
		case 3:
			pick(swapEach(q, weakGlyphs))
		case 4:
			pick(swapEach(q, unicodeGlyphs))
		case 5:
			i := r.IntN(len(q))
			q = q[:i] + string(".-"[r.IntN(2)]) + q[i:]
		case 6:
			q = strings.Replace(q, ".", []string{"", "-"}[r.IntN(2)], 1)
		case 7:
			pick(transpositions(q))
		case 8:
			i := r.IntN(len(q))
			q = q[:i] + strings.Repeat(q[i:i+1], 3) + q[i:]
		case 9:
			pick(omissions(q))
		}
	}
	switch r.IntN(8) {
	case 0:
		q += []string{".mil", "mil", "-mil", "rnil", ".mi1", "-m1l", ".mіl"}[r.IntN(7)]
	case 1:
		q += "-" + recallKeywords[r.IntN(len(recallKeywords))]
	case 2:
		q = recallKeywords[r.IntN(len(recallKeywords))] + "-" + q
	case 3:
		q += []string{".example", "-example", "xyz", "mil-login", "-mil.example"}[r.IntN(5)]
	}
	switch r.IntN(6) {
	case 0:
		q = "mx." + q
	case 1:
		q = "_25._tcp.MX." + q
	case 2:
		q += ".com"
	case 3:
		q = "bücher." + q
	}
	if strings.Contains(q, "..") || slices.Contains(strings.Split(q, "."), "") || !utf8.ValidString(q) || r.IntN(3) > 0 {
		return strings.Trim(strings.ReplaceAll(q, "..", "."), ".") + ".ml"
	}
	return ace(q) + ".ml"
}
