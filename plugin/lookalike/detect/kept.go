package detect

// This file holds the class tld-kept: the TLD that was mistyped stands in the
// name besides the one of its counterpart, as in armymil.ml and army-mil.ml.

// keptTail looks for a public suffix of protected names at the end of r, with
// or without a dot or hyphen before it, and compares what stands before.
func (s *search) keptTail(r *reading) {
	if r.size == 0 || r.letters[0] >= 128 {
		return
	}
	tails := s.index.tails[r.letters[0]]
	for i := range tails {
		t := &tails[i]
		n := len(t.letters)
		if !hasLetters(r, 0, t.letters) || n == r.size {
			continue
		}
		rest := s.tailless.cut(r, n)
		if rest.labels == 0 {
			continue
		}
		cut := affix{tail: t, separated: r.dots.has(n) || r.hyphens.has(n)}
		s.same(rest, cut)
		// One letter more or less next to a glued TLD of two letters is
		// hardly evidence.
		if s.open(Homoglyph) && (cut.separated || n > 2) {
			s.near(rest, rest.compared(s.hashes[:0]), cut)
		}
	}
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
