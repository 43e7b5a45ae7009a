package detect

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

// promise returns what the published rules say of q, a name without its
// lookalike TLD, when p is all that is protected. It is written from the
// definitions, tries everything, and shares no code with what it judges.
func (p *protectedByHand) promise(q string) (Class, Confidence) {
	q = strings.ToLower(q)
	labels := strings.Split(q, ".")
	for len(labels) > 1 && strings.HasPrefix(labels[0], "_") {
		labels = labels[1:]
	}
	if n := len(labels); n > 1 && slices.Contains(suffixesByHand, labels[n-1]) {
		labels = labels[:n-1]
	}
	if n := len(labels); n > 1 && labels[n-1] == "mil" {
		return TLDKept, High
	}
	b := bestPromise{protectedByHand: p}
	for k := 1; k <= min(len(labels), 4); k++ {
		run := strings.Join(labels[len(labels)-k:], ".")
		b.whole(run)
		if rest, ok := strings.CutSuffix(run, "mil"); ok && strings.Trim(rest, "-.") != "" {
			b.kept(strings.TrimSuffix(rest, "-"), TLDKept)
		}
		for _, rest := range beforeDisguisedTLD(run) {
			b.kept(rest, Homoglyph)
		}
	}
	b.parts(strings.Join(labels, "."))
	if commonByHand(q) && (b.class == Homoglyph || b.class == Typo || b.class == Edit) {
		b.confidence = min(b.confidence, Low)
	}
	return b.class, b.confidence
}

// commonByHand reports whether a name is a common word, accents of French apart;
// other letters are there to deceive.
func commonByHand(q string) bool {
	return isCommonWord(strings.NewReplacer("à", "a", "â", "a", "ç", "c", "é", "e", "è", "e", "ê", "e", "ë", "e",
		"î", "i", "ï", "i", "ô", "o", "ù", "u", "û", "u", "ü", "u", "ÿ", "y").Replace(q))
}

// suffixesByHand are the public suffixes below ml.
var suffixesByHand = strings.Fields("art asso com edu gouv gov info inst net org presse")

// protectedByHand is a protected name without its TLD.
type protectedByHand struct {
	core     string
	letters  int
	readings []pairReading
}

func newProtectedByHand(core string) *protectedByHand {
	return &protectedByHand{core, letters(core), pairReadings(core)}
}

// bestPromise is the strongest class met so far.
type bestPromise struct {
	*protectedByHand
	class      Class
	confidence Confidence
}

func (b *bestPromise) add(c Class, conf Confidence) {
	if conf == Unsure || b.class != None && b.class < c {
		return
	}
	if b.class != c {
		b.class, b.confidence = c, Unsure
	}
	b.confidence = max(b.confidence, conf)
}

// floorOf restates the table of classes and lengths.
func floorOf(c Class, n int) Confidence {
	of := func(high, medium, low int) Confidence {
		switch {
		case n >= high:
			return High
		case n >= medium:
			return Medium
		case n >= low:
			return Low
		}
		return Unsure
	}
	const never = 1000
	switch c {
	case TLDSwap, TLDKept:
		return High
	case IDNHomoglyph, Homoglyph:
		return of(3, 2, never)
	case Separator:
		return of(4, never, never)
	case Typo:
		return of(5, 3, never)
	case Split:
		return of(never, 5, 4)
	case Edit:
		return of(6, 5, never)
	case DoubleTypo:
		return of(never, never, 8)
	}
	panic(c)
}

// whole compares a run of rightmost labels with the protected one.
func (b *bestPromise) whole(run string) {
	core, n := b.core, b.letters
	if run == core {
		b.add(TLDSwap, High)
		return
	}
	plain, foreign := asciiByHand(run)
	readings := pairReadings(plain)
	switch marks, ok := b.alike(readings); {
	case !ok:
	case marks == marksMore:
		b.add(Split, floorOf(Split, n))
	case foreign && marks == marksEqual:
		b.add(IDNHomoglyph, floorOf(IDNHomoglyph, n))
	case bare(core) == bare(plain):
		b.add(Separator, floorOf(Separator, n))
	default:
		b.add(Homoglyph, floorOf(Homoglyph, n))
	}
	b.slips(readings)
	if !strings.ContainsAny(core+plain, ".-") && n >= 8 && osa(oracleFold(core), oracleFold(plain)) == 2 {
		b.add(DoubleTypo, Low)
	}
}

// beforeDisguisedTLD returns what stands before a TLD that reads as mil and is
// written otherwise.
func beforeDisguisedTLD(run string) (rests []string) {
	for at := range run {
		switch tld := run[at:]; tld {
		case "mi1", "m1l", "mll", "m11", "rnil", "rni1", "rn1l", "rnll", "rn11", "nnil", "nni1", "nn1l", "nnll", "nn11":
			if rest := strings.TrimRight(run[:at], ".-"); rest != "" {
				rests = append(rests, rest)
			}
		}
	}
	return rests
}

// kept compares what stands before a kept TLD, and adds c where it is the same.
func (b *bestPromise) kept(rest string, c Class) {
	core := b.core
	plain, _ := asciiByHand(rest)
	readings := pairReadings(plain)
	if marks, ok := b.alike(readings); ok {
		switch {
		case marks == marksMore:
			b.add(Split, floorOf(Split, letters(core)))
		case bare(core) == bare(plain):
			b.add(c, floorOf(c, letters(core)))
		default:
			b.add(Homoglyph, floorOf(Homoglyph, letters(core)))
		}
	}
	b.slips(readings)
}

// slips compares with one edit, in every way to read pairs of letters as one.
func (b *bestPromise) slips(readings []pairReading) {
	n := b.letters
	for _, p := range b.readings {
		for _, q := range readings {
			c, conf := slipByHand(p, q, n)
			if c == None {
				continue
			}
			extra := marksBesides(p, q)
			switch {
			case extra && (n < 5 || p.chained || q.chained):
				continue
			case p.chained || q.chained:
				c, conf = DoubleTypo, floorOf(DoubleTypo, n)
			case extra:
				c, conf = max(c, Split), min(conf, floorOf(Split, n))
			}
			b.add(c, conf)
		}
	}
}

// slipByHand names the one edit that makes q of p, None if it takes none or
// more than one.
func slipByHand(a, b pairReading, n int) (Class, Confidence) {
	p, q, fp, fq := a.bare, b.bare, a.fold, b.fold
	if fp == fq || !withinOne(fp, fq) {
		return None, Unsure
	}
	switch {
	case len(fq) > len(fp):
		if slices.Contains(repetitions(fp), fq) {
			return Typo, floorOf(Typo, n)
		}
	case len(fq) < len(fp):
		if n >= 4 {
			return Typo, floorOf(Typo, n)
		}
	case slices.Contains(transpositions(fp), fq):
		return Typo, floorOf(Typo, n)
	default:
		i, _ := changed(fp, fq)
		switch {
		case touching(p[i], q[i]) && n >= 4:
			return Typo, floorOf(Typo, n)
		case touching(p[i], q[i]):
		case slices.Contains(similarByHand, [2]byte{min(p[i], q[i]), max(p[i], q[i])}):
			switch {
			case n >= 5:
				return Homoglyph, High
			case n == 4:
				return Homoglyph, Medium
			}
			return None, Unsure
		}
	}
	return Edit, floorOf(Edit, n)
}

var similarByHand = [][2]byte{{'3', '8'}, {'6', '9'}, {'b', 'd'}, {'c', 'e'}, {'g', 'q'}, {'m', 'n'}, {'n', 'r'}, {'u', 'v'}}

// touching reports whether two keys touch on QWERTY, AZERTY or QWERTZ, or lie
// at one place of two of them. It measures: the rows of a keyboard are shifted
// by a half, a quarter and a half key.
func touching(a, b byte) bool {
	type place struct{ row, x float64 }
	shift := [...]float64{0, 0.5, 0.75, 1.25}
	find := func(rows []string, c byte) (place, bool) {
		for r, row := range rows {
			if i := strings.IndexByte(row, c); i >= 0 {
				return place{float64(r), float64(i) + shift[r]}, true
			}
		}
		return place{}, false
	}
	keyboards := [][]string{
		{"1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"},
		{"1234567890-", "azertyuiop", "qsdfghjklm", "wxcvbn"},
		{"1234567890-", "qwertzuiop", "asdfghjkl", "yxcvbnm"},
	}
	for i, rows := range keyboards {
		p, ok := find(rows, a)
		if !ok {
			continue
		}
		if q, ok := find(rows, b); ok && a != b {
			dx, dy := p.x-q.x, p.row-q.row
			if dy == 0 && dx*dx == 1 || dy*dy == 1 && dx*dx < 1 {
				return true
			}
		}
		for j, others := range keyboards {
			if q, ok := find(others, b); ok && a != b && p == q && (i == 0 || j == 0) {
				return true
			}
		}
	}
	return false
}

// TestTouching checks the measured keyboards against those read off by hand,
// and those of the package against them.
func TestTouching(t *testing.T) {
	const all = "abcdefghijklmnopqrstuvwxyz0123456789"
	for _, a := range []byte(all) {
		for _, b := range []byte(all) {
			if adjacent(rune(a), rune(b)) != touching(a, b) {
				t.Errorf("adjacent(%q, %q) = %t", a, b, !touching(a, b))
			}
		}
		for _, b := range []byte(keyNeighboursByHand[a]) {
			if !touching(a, b) {
				t.Errorf("touching(%q, %q) = false", a, b)
			}
		}
	}
}

// pairReading is a name with some pairs of its letters read as one.
type pairReading struct {
	text    string
	bare    string // without dots and hyphens
	fold    string // bare, as oracleFold has it
	chained bool   // one of the pairs is ci
}

// pairReadings lists every way to read rn and nn as m, vv and uu as w, cl as d.
func pairReadings(s string) []pairReading {
	all := pairTexts(s)
	for i := range all {
		all[i].bare = bare(all[i].text)
		all[i].fold = oracleFold(all[i].bare)
	}
	return all
}

func pairTexts(s string) (all []pairReading) {
	at, to := 0, ""
	for ; at+1 < len(s) && to == ""; at++ {
		to = pairsByHand[s[at:at+2]]
	}
	if to == "" {
		return []pairReading{{text: s}}
	}
	at--
	for _, rest := range pairTexts(s[at+1:]) {
		all = append(all, pairReading{text: s[:at+1] + rest.text, chained: rest.chained})
	}
	for _, rest := range pairTexts(s[at+2:]) {
		all = append(all, pairReading{text: s[:at] + to + rest.text, chained: rest.chained || s[at:at+2] == "ci"})
	}
	return all
}

var pairsByHand = map[string]string{"rn": "m", "nn": "m", "vv": "w", "uu": "w", "cl": "d", "c1": "d", "ci": "d"}

// bare returns a name without its dots and hyphens.
func bare(s string) string { return strings.NewReplacer(".", "", "-", "").Replace(s) }

// marks says how the dots and hyphens of a name compare with those of the
// protected one.
type marks int

const (
	marksEqual marks = iota
	marksFewer       // or others at the same places
	marksMore
)

// alike reports whether a name reads as the protected one, some pairs of letters
// being read as one.
func (p *protectedByHand) alike(readings []pairReading) (best marks, ok bool) {
	best = marksMore
	for _, a := range p.readings {
		for _, b := range readings {
			if a.fold == b.fold {
				best, ok = min(best, compareMarks(a.text, b.text)), true
			}
		}
	}
	return best, ok
}

func compareMarks(p, q string) marks {
	pm, qm := marksOf(p), marksOf(q)
	result := marksEqual
	for at, mark := range qm {
		switch pm[at] {
		case mark:
		case 0:
			return marksMore
		default:
			result = marksFewer
		}
	}
	if len(qm) < len(pm) {
		return max(result, marksFewer)
	}
	return result
}

// marksOf maps the number of letters before each dot or hyphen to it.
func marksOf(s string) map[int]byte {
	at, m := 0, make(map[int]byte)
	for _, c := range []byte(s) {
		if c == '.' || c == '-' {
			m[at] = c
		} else {
			at++
		}
	}
	return m
}

// marksBesides reports whether q, one edit from p, has a dot or hyphen that
// stands for none of p: the parts before it and the parts after it are then one
// edit apart in all.
func marksBesides(p, q pairReading) bool {
	for i := range marksOf(q.text) {
		found := false
		for j := range marksOf(p.text) {
			found = found || osa(p.fold[:j], q.fold[:i])+osa(p.fold[j:], q.fold[i:]) <= 1
		}
		if !found {
			return true
		}
	}
	return false
}

// parts looks for the protected name with keywords around it, and inside q.
func (b *bestPromise) parts(q string) {
	for i := range len(q) {
		if !mayTouch(q[:i]) {
			continue
		}
		for j := i + 1; j <= len(q); j++ {
			if before, after := q[:i], q[j:]; mayTouch(after) && len(before)+len(after) > 0 && b.is(q[i:j]) {
				b.keywords(before, after)
				b.embedded(before, after)
			}
		}
	}
}

// mayTouch reports whether s ends or begins with a dot, hyphen or keyword, or
// is empty: else no part of a name begins or ends there.
func mayTouch(s string) bool {
	if s == "" || isMark(s[0]) || isMark(s[len(s)-1]) {
		return true
	}
	return slices.ContainsFunc(recallKeywords, func(w string) bool { return strings.HasPrefix(s, w) || strings.HasSuffix(s, w) })
}

// is reports whether a part of a name reads as the protected one.
func (b *bestPromise) is(part string) bool {
	if n := len(bare(part)); n < b.letters/2 || n > 2*b.letters || isMark(part[0]) || isMark(part[len(part)-1]) {
		return false
	}
	marks, ok := b.alike(pairReadings(part))
	return ok && marks != marksMore
}

// embedded adds an embedding when before and after end in whole parts, and the
// two do not stand around a run of rightmost labels.
func (b *bestPromise) embedded(before, after string) {
	if before != "" && !isMark(before[len(before)-1]) || after != "" && !isMark(after[0]) ||
		after == "" && (before == "" || before[len(before)-1] == '.') {
		return
	}
	next := strings.FieldsFunc(after, func(r rune) bool { return r == '.' || r == '-' })
	switch {
	case len(next) > 0 && next[0] == "mil":
		b.add(Embedding, Medium)
	case b.letters >= 5:
		b.add(Embedding, Low)
	}
}

func isMark(c byte) bool { return c == '.' || c == '-' }

// keywords adds a combosquat when a keyword, or one on either side, is all that
// stands in the label of the protected name besides it.
func (b *bestPromise) keywords(before, after string) {
	before = before[strings.LastIndexByte(before, '.')+1:]
	left, hyphenLeft := strings.CutSuffix(before, "-")
	right, hyphenRight := strings.CutPrefix(after, "-")
	separated := (hyphenLeft || before == "") && (hyphenRight || after == "")
	isWord := func(s string) bool { return s == "" || slices.Contains(recallKeywords, s) }
	if left+right != "" && isWord(left) && isWord(right) && (separated && b.letters >= 4 || b.letters >= 5) {
		b.add(Combosquat, Medium)
	}
}

var recallKeywords = strings.Fields("mail webmail owa us www mil login secure")

// asciiByHand puts ASCII letters for what the tables of this test disguise, and
// reports whether there was anything.
func asciiByHand(s string) (string, bool) {
	u, err := idna.Punycode.ToUnicode(s)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	foreign := false
	for _, r := range u {
		if r < 128 {
			b.WriteRune(r)
			continue
		}
		foreign = true
		if c, ok := undisguised[r]; ok {
			b.WriteByte(c)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String(), foreign
}

// undisguised is the inverse of unicodeGlyphs and wholeScripts.
var undisguised = func() map[rune]byte {
	all := make(map[rune]byte)
	for _, table := range append([]map[byte][]string{unicodeGlyphs}, wholeScripts["Cyrillic"], wholeScripts["Greek"], wholeScripts["fullwidth"]) {
		for to, glyphs := range table {
			for _, g := range glyphs {
				all[[]rune(g)[0]] = to
			}
		}
	}
	return all
}()
