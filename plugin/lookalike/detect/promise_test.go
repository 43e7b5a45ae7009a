package detect

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

// promised holds, for the strongest class that the published rules give a name,
// every confidence that they allow: two slips can often be told in several ways.
type promised struct {
	class Class
	conf  map[Confidence]bool
}

// allows reports whether a verdict is one that was promised.
func (p *promised) allows(c Class, conf Confidence) bool {
	return p.class == c && (c == None || p.conf[conf])
}

func (p *promised) most() Confidence {
	for _, c := range []Confidence{High, Medium, Low} {
		if p.conf[c] {
			return c
		}
	}
	return Unsure
}

func (p *promised) add(c Class, conf Confidence) {
	if conf == Unsure || p.class != None && p.class < c {
		return
	}
	if p.class != c {
		p.class, p.conf = c, make(map[Confidence]bool)
	}
	p.conf[conf] = true
}

// promise returns what the published rules say of q, a name without its
// lookalike TLD, when p, without its own, is all that is protected. It is written
// from the definitions, tries everything, and shares no code with what it judges.
func promise(p, q string) promised {
	q = strings.ToLower(q)
	labels := strings.Split(q, ".")
	for len(labels) > 1 && strings.HasPrefix(labels[0], "_") {
		labels = labels[1:]
	}
	h := byHand{core: p}
	if n := len(labels); n > 1 && slices.Contains(suffixesByHand, labels[n-1]) {
		h.restricted = slices.Contains([]string{"ac", "edu", "gouv", "gov"}, labels[n-1])
		labels = labels[:n-1]
	}
	if n := len(labels); n > 1 && labels[n-1] == "mil" {
		return promised{TLDKept, map[Confidence]bool{High: true}}
	}
	for k := 1; k <= min(len(labels), 4); k++ {
		run := strings.Join(labels[len(labels)-k:], ".")
		h.single = k == 1
		h.compare(run, disguise{}, false)
		h.single = false
		for _, end := range disguises() {
			if rest, ok := strings.CutSuffix(run, end.text); ok {
				if rest = strings.TrimRight(rest, "-."); rest != "" {
					h.compare(rest, end, true)
				}
			}
		}
	}
	h.single = false
	plain, _ := asciiByHand(strings.Join(labels, "."))
	h.parts(plain)
	last, _ := asciiByHand(labels[len(labels)-1])
	h.runTogether(last)
	return h.promised
}

// byHand compares one protected name.
type byHand struct {
	promised
	core       string
	single     bool // a label as a whole is compared
	restricted bool // it stands below gouv, edu and the like
}

type disguise struct {
	text  string
	folds int
	exact bool
	weak  bool // nn for m
}

// disguises lists mil, and how else it is written to look the same.
func disguises() (all []disguise) {
	for m, folds := range map[string]int{"m": 0, "rn": 1, "nn": 1} {
		for _, i := range []string{"i", "1", "l"} {
			for _, l := range []string{"l", "1", "i"} {
				all = append(all, disguise{m + i + l, folds, m+i+l == "mil", m == "nn"})
			}
		}
	}
	return all
}

// floorByHand restates a row of the table of classes and lengths.
func floorByHand(n, high, medium, low int) Confidence {
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

// compare judges a run of rightmost labels, or what stands before a kept TLD,
// in which so many letters are disguised.
func (h *byHand) compare(run string, end disguise, kept bool) {
	folds := end.folds
	plain, foreign := asciiByHand(run)
	if !kept && run == h.core {
		h.add(TLDSwap, High)
		return
	}
	idle := 0
	if first, _, ok := strings.Cut(h.core, "."); ok && usualByHand(first) {
		idle = len(first)
	}
	own := letters(h.core) - idle
	n := min(letters(h.core), letters(plain)) - idle
	give := func(c Class, conf Confidence) {
		if word := unaccented(run); c == Edit && n < 5 && h.single && (isCommonWord(word) || isWord(word)) {
			return // honest names of four letters
		}
		h.add(c, h.limited(run, c, conf))
	}
	if end.exact && keepsByHand(h.core, plain) {
		h.add(TLDKept, High)
		return
	}
	same := readings(h.core, plain)
	for _, r := range same {
		slips := r.pairs + r.weak + r.added + r.fewer + folds
		if r.added+r.fewer > 0 {
			slips += r.strong
			if foreign {
				slips++
			}
		}
		switch {
		case foreign && r.added+r.fewer == 0:
			give(IDNHomoglyph, floorByHand(n, 3, 2, never))
		case slips > 2 && r.added+r.fewer > 0:
		case slips > 1 && r.added > 0:
			give(DoubleTypo, min(floorByHand(n, 8, 5, never), floorByHand(n, never, 5, 4)))
		case slips > 1:
			give(DoubleTypo, floorByHand(n, 8, 5, never))
		case r.added > 0:
			give(Split, floorByHand(n, never, 5, 4))
		case r.fewer > 0:
			give(Separator, floorByHand(n, 4, never, never))
		case r.weak > 0 || end.weak:
			give(Homoglyph, floorByHand(n, 5, 4, 3))
		default:
			give(Homoglyph, floorByHand(n, 3, 2, never))
		}
	}
	one := oneSlip(h.core, plain)
	more := folds
	if foreign && !slices.ContainsFunc(one, func(s slipByHand) bool { return s.strange }) {
		more++
	}
	for _, s := range one {
		c, conf := s.grade(n, own)
		switch more {
		case 0:
			give(c, s.capped(h.core, plain, conf))
		case 1:
			give(DoubleTypo, max(floorByHand(own, never, never, 7), min(floorByHand(n, 8, 5, never), conf)))
		}
	}
	if len(one) > 0 || more > 0 {
		return
	}
	var folded, edits []slipsByHand
	for _, two := range slipsTwice(h.core, plain) {
		if two[0].fold() || two[1].fold() {
			folded = append(folded, two)
		} else {
			edits = append(edits, two)
		}
	}
	for _, two := range folded {
		conf := max(floorByHand(n, 8, 5, never), floorByHand(own, never, never, 7))
		for _, s := range two {
			_, alone := s.grade(n, own)
			conf = min(conf, alone)
		}
		give(DoubleTypo, conf)
	}
	if len(folded) == 0 && len(edits) > 0 && own >= 7 {
		give(DoubleTypo, Low)
	}
}

// limited lowers a confidence for words and restricted suffixes.
func (h *byHand) limited(run string, c Class, conf Confidence) Confidence {
	if h.restricted {
		conf = min(conf, Low)
	}
	if !h.single || c == IDNHomoglyph || c == Split {
		return conf
	}
	word := unaccented(run)
	switch {
	case strings.Contains(h.core, ".") && usualByHand(run):
		return Unsure
	case c == DoubleTypo && (isCommonWord(word) || isWord(word)):
		return Unsure
	case isCommonWord(word):
		return min(conf, Low)
	case isWord(word):
		return min(conf, Medium)
	}
	return conf
}

// usualByHand reports whether hosts of all kinds carry a label.
func usualByHand(label string) bool {
	label = strings.TrimRight(strings.ReplaceAll(label, "-", ""), "0123456789")
	if _, ok := hostWords[label]; ok {
		return true
	}
	for _, end := range []string{"server", "mail", "host", "gateway", "relay", "portal", "admin"} {
		if start, ok := strings.CutSuffix(label, end); ok {
			if _, ok := hostWords[start]; ok {
				return true
			}
		}
	}
	return false
}

// keepsByHand reports whether two names are the same but for dots and hyphens
// that are missing or stand for each other.
func keepsByHand(p, q string) bool {
	return slices.ContainsFunc(readings(p, q), func(r readingByHand) bool { return r.strong+r.weak+r.pairs+r.added == 0 }) || p == q
}

// readingByHand counts what makes one name read as another.
type readingByHand struct{ strong, weak, pairs, fewer, added int }

// readings lists every way in which q reads as p, but for p itself.
func readings(p, q string) (all []readingByHand) {
	var walk func(p, q string, r readingByHand)
	walk = func(p, q string, r readingByHand) {
		if p == "" && q == "" {
			all = append(all, r)
			return
		}
		if p != "" && q != "" {
			a, b := p[0], q[0]
			switch {
			case a == b:
				walk(p[1:], q[1:], r)
			case isMarkByHand(a) && isMarkByHand(b):
				r := r
				r.fewer++
				walk(p[1:], q[1:], r)
			case oracleFold(string(a)) == oracleFold(string(b)):
				r := r
				if strings.ContainsAny(oracleFold(string(a)), "ol") {
					r.strong++
				} else {
					r.weak++
				}
				walk(p[1:], q[1:], r)
			}
			for pair, as := range pairsByHand {
				r := r
				if pair == "nn" || pair == "uu" || pair == "ci" {
					r.weak++
				} else {
					r.pairs++
				}
				if strings.HasPrefix(q, pair) && as == string(a) {
					walk(p[1:], q[2:], r)
				}
				if strings.HasPrefix(p, pair) && as == string(b) {
					walk(p[2:], q[1:], r)
				}
			}
		}
		if p != "" && isMarkByHand(p[0]) && (q == "" || !isMarkByHand(q[0])) {
			r := r
			r.fewer++
			walk(p[1:], q, r)
		}
		if q != "" && isMarkByHand(q[0]) && (p == "" || !isMarkByHand(p[0])) {
			r.added++
			walk(p, q[1:], r)
		}
	}
	walk(p, q, readingByHand{})
	return all
}

var pairsByHand = map[string]string{"rn": "m", "nn": "m", "vv": "w", "uu": "w", "cl": "d", "c1": "d", "ci": "d"}

// slipByHand is one slip: at place i of p, what was there and what is there.
type slipByHand struct {
	kind    string
	first   bool // of the name
	from    string
	to      string
	strange bool // a letter of another script that resembles none of ours
}

type slipsByHand [2]slipByHand

func (s slipByHand) fold() bool {
	return slices.Contains([]string{"strong", "weak", "pair", "weak pair", "fewer", "added", "moved"}, s.kind)
}

// alone reports whether a slip counts only where it is the only one.
func (s slipByHand) alone() bool { return s.kind == "displaced" || s.kind == "held" }

// grade says of which class a slip is, alone.
func (s slipByHand) grade(n, own int) (Class, Confidence) {
	switch s.kind {
	case "strong", "pair":
		return Homoglyph, floorByHand(n, 3, 2, never)
	case "weak", "weak pair", "similar":
		return Homoglyph, floorByHand(n, 5, 4, 3)
	case "fewer":
		return Separator, floorByHand(n, 4, never, never)
	case "added", "moved":
		return Split, floorByHand(n, never, 5, 4)
	case "transposed", "repeated":
		return Typo, floorByHand(n, 5, 3, never)
	case "omitted":
		if own < 4 {
			return Edit, Unsure
		}
		return Typo, floorByHand(n, 5, 3, never)
	case "displaced", "held", "fat finger":
		return Typo, floorByHand(n, 5, 4, never)
	case "neighbour":
		if n < 4 && slices.Contains(similarByHand, [2]byte{min(s.from[0], s.to[0]), max(s.from[0], s.to[0])}) {
			return Homoglyph, floorByHand(n, 5, 4, 3)
		}
		return Typo, floorByHand(n, 5, 4, never)
	case "inserted":
		return Edit, floorByHand(n, 6, 5, 4)
	case "replaced":
		return Edit, floorByHand(n, 6, 5, 4)
	}
	panic(s.kind)
}

// capped lowers what a slip earns where it is only of the first letter, or of
// digits at the end.
func (s slipByHand) capped(p, q string, conf Confidence) Confidence {
	const digits = "0123456789"
	i, j := strings.TrimRight(p, digits), strings.TrimRight(q, digits)
	if s.first && slices.Contains([]string{"omitted", "neighbour", "similar", "replaced", "inserted", "fat finger"}, s.kind) ||
		i != "" && i == j && (len(i) < len(p) || len(j) < len(q)) {
		return min(conf, Medium)
	}
	return conf
}

// oneSlip lists every way in which one slip makes q of p.
func oneSlip(p, q string) (all []slipByHand) {
	for i := 0; i <= len(p) && i <= len(q) && p[:i] == q[:i]; i++ {
		for _, c := range slipsAt(p, q, i, i) {
			if p[i+c.pn:] == q[i+c.qn:] {
				all = append(all, c.slipByHand)
			}
		}
	}
	return all
}

// slipsTwice lists every way in which two slips, side by side, make q of p.
func slipsTwice(p, q string) (all []slipsByHand) {
	for i := 0; i <= len(p) && i <= len(q) && p[:i] == q[:i]; i++ {
		for _, a := range slipsAt(p, q, i, i) {
			for x, y := i+a.pn, i+a.qn; x <= len(p) && y <= len(q) && p[i+a.pn:x] == q[i+a.qn:y]; x, y = x+1, y+1 {
				for _, b := range slipsAt(p, q, x, y) {
					if p[x+b.pn:] == q[y+b.qn:] && !a.alone() && !b.alone() {
						all = append(all, slipsByHand{a.slipByHand, b.slipByHand})
					}
				}
			}
		}
	}
	return all
}

type chunk struct {
	slipByHand
	pn, qn int
}

// slipsAt lists the slips that may have happened between place i of p and place
// j of q.
func slipsAt(p, q string, i, j int) (all []chunk) {
	a, b := p[i:], q[j:]
	add := func(kind string, pn, qn int) {
		strange := kind == "replaced" && b[0] >= 128
		all = append(all, chunk{slipByHand{kind, i == 0 && j == 0, a[:pn], b[:qn], strange}, pn, qn})
	}
	mark := func(s string) bool { return strings.ContainsAny(s, ".-") }
	is := func(s string, n int) bool { return len(s) >= n }
	if is(a, 1) && is(b, 1) && a[0] != b[0] {
		x, y := a[0], b[0]
		switch {
		case mark(a[:1]) && mark(b[:1]):
			add("fewer", 1, 1)
		case mark(a[:1]) || mark(b[:1]):
		case oracleFold(a[:1]) == oracleFold(b[:1]):
			if strings.ContainsAny(oracleFold(a[:1]), "ol") {
				add("strong", 1, 1)
			} else {
				add("weak", 1, 1)
			}
			fallthrough
		default:
			switch {
			case y >= 128:
				size := 1
				for size < len(b) && b[size]&0xc0 == 0x80 {
					size++
				}
				add("replaced", 1, size)
			case touching(x, y):
				add("neighbour", 1, 1)
			case slices.Contains(similarByHand, [2]byte{min(x, y), max(x, y)}):
				add("similar", 1, 1)
			default:
				add("replaced", 1, 1)
			}
		}
	}
	if is(a, 1) {
		if mark(a[:1]) {
			add("fewer", 1, 0)
		} else {
			add("omitted", 1, 0)
			if i == 0 && is(a, 2) && a[0] == a[1] {
				all[len(all)-1].first = false
			}
		}
	}
	if is(b, 1) {
		near := func(at int) bool { return at >= 0 && at < len(q) && touching(q[at], b[0]) }
		same := func(at int) bool { return at >= 0 && at < len(q) && q[at] == b[0] }
		switch {
		case mark(b[:1]):
			add("added", 0, 1)
		case same(j-1) || same(j+1):
			add("repeated", 0, 1)
		case near(j-1) || near(j+1):
			add("fat finger", 0, 1)
		default:
			add("inserted", 0, 1)
		}
	}
	if is(a, 2) && is(b, 2) {
		if a[0] == b[1] && a[1] == b[0] && a[0] != a[1] {
			if mark(a[:2]) {
				add("moved", 2, 2)
			} else {
				add("transposed", 2, 2)
			}
		}
	}
	if is(a, 3) && is(b, 3) && !mark(a[:3]) && a[:3] != b[:3] && (a[1:3]+a[:1] == b[:3] || a[2:3]+a[:2] == b[:3]) {
		add("displaced", 3, 3)
	}
	for pair, as := range pairsByHand {
		kind := "pair"
		if pair == "nn" || pair == "uu" || pair == "ci" {
			kind = "weak pair"
		}
		if strings.HasPrefix(b, pair) && is(a, 1) && a[:1] == as {
			add(kind, 1, 2)
		}
		if strings.HasPrefix(a, pair) && is(b, 1) && b[:1] == as {
			add(kind, 2, 1)
		}
	}
	if i > 0 && j > 0 && p[i-1] == q[j-1] && !mark(p[i-1:i]) {
		n := 0
		for n < len(b) && b[n] == q[j-1] {
			n++
			if n > 1 {
				add("held", 0, n)
			}
		}
	}
	return all
}

// parts looks for the protected name with keywords around it, and inside q.
func (h *byHand) parts(q string) {
	for i := range len(q) {
		if !mayTouch(q[:i]) {
			continue
		}
		for j := i + 1; j <= len(q); j++ {
			before, after := q[:i], q[j:]
			if mayTouch(after) && len(before)+len(after) > 0 && h.reads(q[i:j]) {
				h.keywords(before, after, q[i:j])
				h.embedded(before, after)
			}
		}
	}
}

// reads reports whether a part of a name reads as the protected one.
func (h *byHand) reads(part string) bool {
	if n := letters(part); n < letters(h.core)/2 || n > 2*letters(h.core) || isMarkByHand(part[0]) || isMarkByHand(part[len(part)-1]) {
		return false
	}
	return part == h.core || slices.ContainsFunc(readings(h.core, part), func(r readingByHand) bool { return r.added == 0 })
}

// isGeneric reports whether the protected name is a word, or a label of hosts.
func (h *byHand) isGeneric() bool {
	_, host := hostWords[h.core]
	return h.core != "army" && (host || isCommonWord(h.core) || isWord(h.core))
}

// embedded adds an embedding when before and after end in whole parts, and the
// two do not stand around a run of rightmost labels.
func (h *byHand) embedded(before, after string) {
	if before != "" && !isMarkByHand(before[len(before)-1]) {
		return
	}
	rest, glued := strings.CutPrefix(after, "mil")
	glued = glued && (rest == "" || isMarkByHand(rest[0]))
	if after != "" && !isMarkByHand(after[0]) && !glued ||
		after == "" && (before == "" || before[len(before)-1] == '.') || glued && rest == "" && (before == "" || before[len(before)-1] == '.') {
		return
	}
	conf := Unsure
	next := strings.FieldsFunc(after, func(r rune) bool { return r == '.' || r == '-' })
	switch {
	case glued || len(next) > 0 && next[0] == "mil":
		conf = Medium
	case letters(h.core) >= 4 && !h.isGeneric():
		conf = Low
	}
	if h.restricted {
		conf = min(conf, Low)
	}
	h.add(Embedding, conf)
}

// runTogether adds an embedding when the protected name stands in the last label
// with other letters, and no dot or hyphen, beside it.
func (h *byHand) runTogether(label string) {
	if strings.Contains(h.core, ".") || letters(h.core) < 7 || h.isGeneric() || label == h.core || !strings.Contains(label, h.core) {
		return
	}
	h.add(Embedding, Low)
}

func isMarkByHand(c byte) bool { return c == '.' || c == '-' }

// keywords adds a combosquat when a keyword, or one on either side, is all that
// stands in the label of the protected name besides it; with the TLD beside the
// name, all of it between hyphens, that is kept.
func (h *byHand) keywords(before, after, part string) {
	before = before[strings.LastIndexByte(before, '.')+1:]
	left, hyphenLeft := strings.CutSuffix(before, "-")
	right, hyphenRight := strings.CutPrefix(after, "-")
	separated := (hyphenLeft || before == "") && (hyphenRight || after == "")
	isWord := func(s string) bool { return s == "" || slices.Contains(recallKeywords, s) }
	if left+right == "" {
		return
	}
	if isWord(left) && isWord(right) && (separated && letters(h.core) >= 4 || letters(h.core) >= 5) {
		conf := Medium
		if h.restricted {
			conf = Low
		}
		h.add(Combosquat, conf)
	}
	tail := strings.TrimLeft(after, ".-")
	if rest, ok := strings.CutPrefix(tail, "mil"); ok && (hyphenLeft || before == "") && isWord(left) {
		word, hyphen := strings.CutPrefix(rest, "-")
		if (rest == "" && before != "" || hyphen && isWord(word)) && keepsByHand(h.core, part) {
			h.add(TLDKept, High)
		}
	}
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

// mayTouch reports whether s ends or begins with a dot, hyphen or keyword, or
// is empty: else no part of a name begins or ends there.
func mayTouch(s string) bool {
	if s == "" || isMarkByHand(s[0]) || isMarkByHand(s[len(s)-1]) {
		return true
	}
	return slices.ContainsFunc(recallKeywords, func(w string) bool { return strings.HasPrefix(s, w) || strings.HasSuffix(s, w) })
}

// commonByHand reports whether a name is a common word, accents of French apart;
// other letters are there to deceive.
func commonByHand(q string) bool {
	return isCommonWord(unaccented(q))
}

// unaccented returns a name without the accents of French.
func unaccented(q string) string {
	return strings.NewReplacer("à", "a", "â", "a", "ç", "c", "é", "e", "è", "e", "ê", "e", "ë", "e",
		"î", "i", "ï", "i", "ô", "o", "ù", "u", "û", "u", "ü", "u", "ÿ", "y").Replace(q)
}

// suffixesByHand are the public suffixes below ml.
var suffixesByHand = strings.Fields("ac art asso com edu gouv gov info inst net org pr presse")

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
