package detect

import (
	"bytes"
	"slices"
	"strings"
)

// This file holds the classes in which the letters are the same, to the eye at
// least: tld-swap, idn-homoglyph, separator, homoglyph and split; and tld-kept
// for a reading from which the kept TLD has been cut.

// affix is what has been cut from a reading before it is compared; the zero
// value is nothing.
type affix struct {
	tail      *tail // the public suffix of protected names, kept in the name
	letters   int   // in which it is written
	disguised bool  // by others that look like them
	keywords  [2 * maxKeywords]*keyword
	count     uint8 // keywords
	separated bool  // by a dot or hyphen, all of it
}

// words returns the keywords.
func (a *affix) words() []*keyword { return a.keywords[:a.count] }

// text returns the keywords for people to read.
func (a *affix) text() string {
	all := make([]string, 0, len(a.keywords))
	for _, w := range a.words() {
		all = append(all, w.text)
	}
	return strings.Join(all, " ")
}

// same looks for protected names whose skeleton is that of a run of rightmost
// labels of r.
func (s *search) same(r *reading, cut affix) {
	h, from := newSkeletonHasher(), 0
	for k := range min(r.labels, max(s.index.depth, compareLabels)) {
		n := int(r.ends[k])
		if n > s.index.longest {
			break
		}
		h.add(r.letters[from:n])
		from = n
		s.sameKey(r, n, k, h.key(), cut)
	}
}

// sameRun compares the first n letters of r, which belong to the rightmost k+1
// labels.
func (s *search) sameRun(r *reading, n, k int, cut affix) {
	if n > s.index.longest {
		return
	}
	s.sameKey(r, n, k, skeletonOf(r.letters[:n]), cut)
}

// sameKey looks the key of a skeleton up.
func (s *search) sameKey(r *reading, n, k int, key uint64, cut affix) {
	keys := &s.index.keys
	if n == 0 || !keys.maybe(key) {
		return
	}
	for p := keys.find(key); ; {
		id, ok := s.next(&p)
		if !ok {
			return
		}
		s.sameAs(r, n, k, id, cut)
	}
}

// sameAs adds protected name id if the first n letters of r read as it.
func (s *search) sameAs(r *reading, n, k int, id uint32, cut affix) {
	p := s.readProtected(s.index, id)
	rel, ok := relate(p, r, n)
	if !ok {
		return
	}
	f := s.finding(r, k)
	f.id, f.size = id, p.size
	f.how = how{affix: cut}
	whole := n == int(r.ends[k])
	if whole && (r.hyphens.has(0) || r.hyphens.has(n)) {
		rel.places = more
	}
	plain := cut.tail == nil && cut.count == 0
	f.how.idle = s.idleLetters(r, n)
	switch {
	case plain && s.equalsCore(&f):
		f.class = TLDSwap
		f.how.generic = s.belowSuffix() && s.hostWord(id)
	case cut.count > 0:
		if rel.places == more || !cut.separated && f.letters() < combosquatGlued {
			return
		}
		f.class = Combosquat
		f.how.generic = s.genericCombination(id, &cut)
	case cut.tail != nil && !cut.disguised && rel.letters && rel.places != more:
		f.class = TLDKept
	case rel.places == more:
		f.class = Split
	case r.foreign > 0 && r.foreign <= k+1 && rel.places == equal:
		f.class = IDNHomoglyph
	case rel.letters && !cut.disguised && (rel.places != equal || p.foreign == 0):
		f.class = Separator
	default:
		f.class = Homoglyph
	}
	switch f.class {
	case TLDSwap, TLDKept, Separator:
		f.how.idle = 0 // not a letter is wrong
	}
	f.confidence = confidenceOf(f.class, f.letters())
	f.how.common = f.class == Homoglyph && k == 0 && plain && commonWord(r)
	if f.how.common || f.how.generic {
		f.confidence = min(f.confidence, Low)
	}
	s.add(&f)
}

// equalsCore reports whether the labels of f are those of the protected name
// before its public suffix, which was read last: octet for octet, or code point for code point where
// one of them is an A-label and the other raw UTF-8.
func (s *search) equalsCore(f *finding) bool {
	core := &s.core
	if core.labels != f.last-f.first {
		return false
	}
	for i := range core.labels {
		a, b := core.label(i), s.name.label(f.first+i)
		if bytes.Equal(a, b) {
			continue
		}
		x, foreignA := decodeLabel(s.runes[0][:0], a)
		y, foreignB := decodeLabel(s.runes[1][:0], b)
		if !foreignA || !foreignB || !slices.Equal(x, y) {
			return false
		}
	}
	return true
}

// relation says how two names whose skeletons are the same differ.
type relation struct {
	letters bool // the letters are the same, not only to the eye
	places  placing
}

// placing compares the dots and hyphens of a queried name with those of a
// protected one.
type placing uint8

const (
	equal placing = iota
	fewer         // some are missing, or a hyphen stands for a dot
	more          // there are others
)

// relate compares the letters of p with the first n of q, and if they read the
// same the dots and hyphens between them.
func relate(p, q *reading, n int) (relation, bool) {
	rel := relation{letters: slices.Equal(p.letters[:p.size], q.letters[:n])}
	a := alignment{p: p.letters[:p.size], q: q.letters[:n]}
	for {
		i, j := a.i, a.j
		if !a.next() {
			return rel, a.done()
		}
		if i > 0 {
			rel.places = max(rel.places, compareAt(p, q, i, j))
		}
		// Letters with a dot or hyphen between them do not read as one.
		if a.j == j+2 && q.parts(j+1) || a.i == i+2 && p.parts(i+1) {
			return relation{}, false
		}
	}
}

// compareAt compares the dots and hyphens at place i of p and j of q.
func compareAt(p, q *reading, i, j int) placing {
	pDot, pHyphen := p.dots.has(i), p.hyphens.has(i)
	qDot, qHyphen := q.dots.has(j), q.hyphens.has(j)
	switch {
	case pDot == qDot && pHyphen == qHyphen:
		return equal
	case !pDot && !pHyphen:
		return more
	}
	return fewer
}

// alignment walks through two strings of letters that read the same. At each
// step one letter of either goes with one of the other, or with the pair that
// reads as it; there is never a choice.
type alignment struct {
	p, q []rune
	i, j int // letters walked through
}

// next takes a step and reports whether there is one.
func (a *alignment) next() bool {
	if a.i == len(a.p) || a.j == len(a.q) {
		return false
	}
	switch x, y := a.p[a.i], a.q[a.j]; {
	case glyph(x) == glyph(y):
		a.i, a.j = a.i+1, a.j+1
	case pairReads(a.q[a.j:], x):
		a.i, a.j = a.i+1, a.j+2
	case pairReads(a.p[a.i:], y):
		a.i, a.j = a.i+2, a.j+1
	default:
		return false
	}
	return true
}

// done reports whether all letters were walked through.
func (a *alignment) done() bool { return a.i == len(a.p) && a.j == len(a.q) }

// pairReads reports whether the first two letters, which stand last one first,
// read as r.
func pairReads(letters []rune, r rune) bool {
	if len(letters) < 2 {
		return false
	}
	as, ok := together(letters[1], letters[0])
	return ok && as == r
}
