package detect

import (
	"bytes"
	"slices"
)

// This file finds protected names that read the same as a part of the queried name:
// the classes tld-swap, idn-homoglyph, separator, homoglyph and split. After a suffix
// or a keyword has been cut off, it finds tld-kept and combosquat.

// affix describes the text cut from a reading before the comparison. The zero value
// means none.
type affix struct {
	tail      *tail // the public suffix of protected names, kept in the name
	letters   int   // number of letters that spell tail in the name
	disguised bool  // some of these are lookalikes of its letters
	folds     int   // number of slips in it
	weak      bool  // one of them is a weaker glyph
	keywords  [2 * maxKeywords]*keyword
	count     uint8 // of keywords
	separated bool  // a dot or hyphen separates each part
}

// words returns the keywords.
func (a *affix) words() []*keyword { return a.keywords[:a.count] }

// same finds protected names whose skeleton equals that of a run of rightmost
// labels of r.
func (s *search) same(r *reading, cut affix) {
	h, from := skeletonHasher{}, 0
	for k := range min(r.labels, max(s.index.depth, compareLabels)) {
		n := r.end(k)
		if n > s.index.longest {
			break
		}
		h.add(r.letters[from:n])
		s.work += n - from
		from = n
		s.sameHash(r, n, k, h.sum, cut)
	}
}

// sameRun compares the first n letters of r, which belong to the rightmost k+1
// labels.
func (s *search) sameRun(r *reading, n, k int, cut affix) {
	if n > s.index.longest {
		return
	}
	s.work += n
	s.sameHash(r, n, k, skeletonOf(r.letters[:n]), cut)
}

// sameHash looks up the hash of a skeleton.
func (s *search) sameHash(r *reading, n, k int, h uint64, cut affix) {
	if n == 0 || !s.index.skeletons.has(h) {
		return
	}
	for p := s.index.keys.find(key(h, skeletonKey)); ; {
		id, ok := s.next(&p)
		if !ok {
			return
		}
		s.sameAs(r, n, k, id, cut)
	}
}

// sameAs adds protected name id if the first n letters of r read the same.
func (s *search) sameAs(r *reading, n, k int, id uint32, cut affix) {
	p := s.spellProtected(id)
	f := s.finding(r, k)
	f.id, f.from, f.to, f.how.affix = id, r.offset, r.offset+n, cut
	first, end := s.writing().span(f.from, f.to)
	var t tally
	if !walk(p.cells, s.written.cells[first:end], &t, nil) {
		return
	}
	f.size, f.protectedSize = min(len(p.at), n), len(p.at)
	f.how.idle = s.idleLetters()
	if s.gradeSame(&f, &t) && s.limit(&f, cut.tail == nil && cut.count == 0 && r.skipped == s.headLabels) {
		s.add(&f)
	}
}

// equalsCore reports whether the labels of f equal those of the protected name
// before its public suffix, which was read last. It compares octets, or code points
// if one label is an A-label and the other raw UTF-8.
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
		x, foreignA := core.decode(i)
		y, foreignB := s.name.decode(f.first + i)
		if !foreignA || !foreignB || !slices.Equal(x, y) {
			return false
		}
	}
	return true
}
