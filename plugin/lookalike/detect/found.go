package detect

import (
	"cmp"
	"slices"
)

// This file keeps the protected names that a search has found.

// MaxMatches is how many protected names a verdict has at most. A name that resembles
// more of them is told of the best ones.
const MaxMatches = 32

// best returns the class found so far.
func (s *search) best() Class {
	if len(s.found) == 0 {
		return None
	}
	return s.found[0].class
}

// open reports whether class c can still win: no finding of c or a better class
// exists.
func (s *search) open(c Class) bool { return len(s.found) == 0 || s.found[0].class > c }

// wants reports whether add would accept class c: no finding of a better class exists.
func (s *search) wants(c Class) bool { return len(s.found) == 0 || s.found[0].class >= c }

// add accepts a finding if its class is the best so far. Of MaxMatches findings, it
// replaces the worst by a better one.
func (s *search) add(f *finding) {
	if f.confidence == Unsure || !s.meant(f) {
		return
	}
	if best := s.best(); best != None {
		if f.class > best {
			return
		}
		if f.class < best {
			s.found = s.found[:0]
		}
	}
	f.how.class = f.class
	full := len(s.found) == MaxMatches
	if full && s.order(f, &s.found[s.worst]) > 0 {
		return
	}
	for i := range s.found {
		if old := &s.found[i]; old.id == f.id {
			if f.confidence > old.confidence || f.confidence == old.confidence && f.first < old.first {
				*old = *f
				s.findWorst()
			}
			return
		}
	}
	if full {
		s.found[s.worst] = *f
	} else {
		s.found = append(s.found, *f)
	}
	s.findWorst()
}

// findWorst notes which of MaxMatches findings is the worst.
func (s *search) findWorst() {
	if len(s.found) < MaxMatches {
		return
	}
	s.worst = 0
	for i := range s.found {
		if s.order(&s.found[i], &s.found[s.worst]) > 0 {
			s.worst = i
		}
	}
}

// order compares findings: it is negative if a is better than b. Under the TLD of
// protected names, all have the same confidence in the end.
func (s *search) order(a, b *finding) int {
	if !s.underTLD && a.confidence != b.confidence {
		return int(b.confidence) - int(a.confidence)
	}
	return cmp.Or(cmp.Compare(b.protectedSize, a.protectedSize), cmp.Compare(a.id, b.id))
}

// sorted returns the findings best first, MaxMatches at most.
func (s *search) sorted() []finding {
	slices.SortFunc(s.found, func(a, b finding) int { return s.order(&a, &b) })
	return s.found[:min(len(s.found), MaxMatches)]
}
