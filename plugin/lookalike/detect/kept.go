package detect

import "strings"

// This file holds the class tld-kept: the name contains the protected TLD as well as
// the lookalike TLD, as in armymil.ml and army-mil.ml.

// keptTail finds a public suffix of protected names at the end of r, with or without a
// dot or hyphen before it, and compares the rest.
func (s *search) keptTail(r *reading) {
	tails := s.index.tailsAt(r, 0)
	for i := range tails {
		t := &tails[i]
		cut := affix{separated: true}
		if !t.endOf(r, &cut) || cut.letters == r.size {
			continue
		}
		n := cut.letters
		rest := s.tailless.cut(r, n)
		if rest.labels == 0 {
			continue
		}
		cut.separated = r.parts(n)
		s.same(rest, cut)
		// Under a TLD of protected names, run compares what stands before it anyway. Here
		// a hyphen before the dot counts as a slip.
		again := s.underTLD && s.keptTLD == "" && !cut.disguised && n == r.end(0) && !r.hyphen(n) && strings.IndexByte(t.suffix, '.') < 0
		// One letter more or less next to a glued TLD of two letters is
		// hardly evidence.
		if !again && s.open(Homoglyph) && (cut.separated || n > 2) {
			s.near(rest, rest.compared(s.hashes[:0]), cut)
		}
		if !cut.disguised && s.wants(TLDKept) {
			cut.separated = true
			s.combosquatStarts(rest, cut)
		}
	}
}

// tailsAt returns the public suffixes of protected names that may stand at
// place from of r.
func (x *Index) tailsAt(r *reading, from int) []tail {
	if from == r.size || r.letters[from] >= 128 {
		return nil
	}
	last := apart[r.letters[from]].last
	if x.tailEnds>>(last&31)&1 == 0 {
		return nil
	}
	return x.tails[last]
}

// tailDisguised is the fewest letters of a public suffix that is known in other
// letters that look like them. Two are in too many words.
const tailDisguised = 3

// endOf reports whether r ends in the suffix, and notes in cut in how many
// letters and whether some of them only look like its letters: mi1.
func (t *tail) endOf(r *reading, cut *affix) bool {
	cut.tail, cut.letters = t, len(t.letters)
	if hasLetters(r, 0, t.letters) {
		return true
	}
	if len(t.letters) < tailDisguised {
		return false
	}
	p, q := t.letters, r.letters[:r.size]
	i, j := 0, 0
	for ; i < len(p); i++ {
		switch {
		case j < len(q) && p[i] == q[j]:
			j++
		case j < len(q) && glyph(p[i]) == glyph(q[j]):
			if glyphKind(p[i]) == weakGlyph {
				cut.folds, cut.weak = cut.folds+1, true
			}
			j++
		case j+1 < len(q) && readsAs(q[j+1], q[j], p[i]):
			cut.folds++
			cut.weak = cut.weak || q[j+1] != 'r' && q[j+1] != 'v'
			j += 2
		default:
			return false
		}
	}
	for k := 1; k < j; k++ {
		if r.parts(k) {
			return false
		}
	}
	cut.letters, cut.disguised = j, true
	return true
}

// readsAs reports whether two letters, in this order, read as c.
func readsAs(first, second, c rune) bool {
	as, ok := together(first, second)
	return ok && as == c
}

// hasLetters reports whether r has these letters from place at on.
func hasLetters(r *reading, at int, letters []rune) bool {
	if len(letters) > r.size-at {
		return false
	}
	for i, c := range letters {
		if r.letters[at+i] != c {
			return false
		}
	}
	return true
}
