package detect

// This file holds the class tld-kept: the TLD that was mistyped stands in the
// name besides the one of its counterpart, as in armymil.ml and army-mil.ml.

// keptTail looks for a public suffix of protected names at the end of r, with
// or without a dot or hyphen before it, and compares what stands before.
func (s *search) keptTail(r *reading) {
	tails := s.index.tailsAt(r, 0)
	for i := range tails {
		t := &tails[i]
		n, disguised := t.endOf(r)
		if n == 0 || n == r.size {
			continue
		}
		rest := s.tailless.cut(r, n)
		if rest.labels == 0 {
			continue
		}
		cut := affix{tail: t, letters: n, disguised: disguised, separated: r.parts(n)}
		s.same(rest, cut)
		// One letter more or less next to a glued TLD of two letters is
		// hardly evidence.
		if s.open(Homoglyph) && (cut.separated || n > 2) {
			s.near(rest, rest.compared(s.hashes[:0]), cut)
		}
	}
}

// tailsAt returns the public suffixes of protected names that may stand at
// place from of r.
func (x *Index) tailsAt(r *reading, from int) []tail {
	if from == r.size || r.letters[from] >= 128 {
		return nil
	}
	return x.tails[apart[r.letters[from]].last]
}

// tailDisguised is the fewest letters of a public suffix that is known in other
// letters that look like them. Two are in too many words.
const tailDisguised = 3

// endOf returns how many letters at the end of r are the suffix, 0 for none, and
// whether some of them only look like its letters: mi1.
func (t *tail) endOf(r *reading) (n int, disguised bool) {
	if hasLetters(r, 0, t.letters) {
		return len(t.letters), false
	}
	if len(t.letters) < tailDisguised {
		return 0, false
	}
	a := alignment{p: t.letters, q: r.letters[:r.size]}
	for a.next() {
	}
	if a.i < len(a.p) {
		return 0, false
	}
	for i := 1; i < a.j; i++ {
		if r.parts(i) {
			return 0, false
		}
	}
	return a.j, true
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
