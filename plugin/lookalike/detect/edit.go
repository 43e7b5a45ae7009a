package detect

// This file holds the classes in which one letter differs: typo and edit.

// op is what happened to a letter.
type op uint8

const (
	noEdit op = iota
	transposed
	repeated
	omitted
	replaced
	inserted
)

// slip is the one edit by which a queried name differs from a protected one.
type slip struct {
	op   op
	at   int  // letters to the right of it in the protected name
	from int  // the same, where it could as well have happened further right: at one of equal letters
	p, q rune // the letter there and the one in the queried name, where they exist
}

// oneEdit returns the edit that makes q of p, both without dots and hyphens
// and last letter first, when their optimal string alignment distance with
// glyphs applied is one.
func oneEdit(p, q []rune) (slip, bool) {
	if len(p)-len(q) > 1 || len(q)-len(p) > 1 {
		return slip{}, false
	}
	i := 0
	for i < len(p) && i < len(q) && glyph(p[i]) == glyph(q[i]) {
		i++
	}
	a, b := len(p), len(q)
	for a > i && b > i && glyph(p[a-1]) == glyph(q[b-1]) {
		a--
		b--
	}
	switch {
	case a-i == 1 && b-i == 1:
		return slip{replaced, i, i, p[i], q[i]}, true
	case a-i == 2 && b-i == 2 && glyph(p[i]) == glyph(q[i+1]) && glyph(p[i+1]) == glyph(q[i]):
		return slip{transposed, i, i, p[i], q[i]}, true
	case a-i == 1 && b == i:
		return slip{omitted, i, i - equalBefore(p, i), p[i], 0}, true
	case a == i && b-i == 1:
		s := slip{inserted, i, i - equalBefore(q, i), 0, q[i]}
		if i > 0 && glyph(q[i-1]) == glyph(q[i]) || i+1 < len(q) && glyph(q[i+1]) == glyph(q[i]) {
			s.op = repeated
		}
		return s, true
	}
	return slip{}, false
}

// equalBefore returns how many letters just before letter i read the same.
func equalBefore(letters []rune, i int) int {
	n := 0
	for n < i && glyph(letters[i-n-1]) == glyph(letters[i]) {
		n++
	}
	return n
}

// class returns the class of an edit of a protected name of size letters, and
// the confidence that it earns.
func (e slip) class(size int) (Class, Confidence) {
	switch e.op {
	case transposed, repeated:
		return Typo, confidenceOf(Typo, size)
	case omitted:
		if size >= 4 {
			return Typo, confidenceOf(Typo, size)
		}
	case replaced:
		if adjacent(e.p, e.q) {
			if size >= 4 {
				return Typo, confidenceOf(Typo, size)
			}
		} else if similar(e.p, e.q) {
			return Homoglyph, weakFloor.confidence(size)
		}
	}
	return Edit, confidenceOf(Edit, size)
}

// near looks for protected names at one edit from a run of up to four
// rightmost labels of r, as it stands and with pairs put together. h are the
// prefix hashes of r.
func (s *search) near(r *reading, h []uint64, cut affix) {
	s.nearRuns(r, h, cut)
	if !r.paired() || int(r.ends[0]) > s.index.longest {
		return
	}
	// All of them, and one at a time: an edit may have made another one.
	for only := all; only < maxPairs && s.nearJoined(r, only, cut); only++ {
	}
}

// maxPairs is how many pairs of letters are put together one at a time.
const maxPairs = 4

// nearJoined looks for protected names at one edit from r with pairs put
// together, and reports whether there are any.
func (s *search) nearJoined(r *reading, only int, cut affix) bool {
	joined := s.joined.join(r, only)
	if joined.size == r.size {
		return false
	}
	s.nearRuns(joined, joined.compared(s.joinedHashes[:0]), cut)
	return true
}

func (s *search) nearRuns(r *reading, h []uint64, cut affix) {
	for k := range min(r.labels, compareLabels) {
		s.nearRun(r, h, k, cut)
	}
}

// nearRun looks the letters of the rightmost k+1 labels up, whole and with one
// left out.
func (s *search) nearRun(r *reading, h []uint64, k int, cut affix) {
	n := int(r.ends[k])
	if n < 2 || !s.index.near.has(n) {
		return
	}
	keys := &s.index.keys
	whole := h[n]
	if h := key(whole, editKey); keys.maybe(h) {
		s.nearCandidates(r, h, k, cut)
	}
	var before rune
	for i, c := range r.letters[:n] {
		if c = glyph(c); c == before {
			continue // leaving out either of two equal letters is the same
		}
		before = c
		if h := key(without(h, whole, i), editKey); keys.maybe(h) {
			s.nearCandidates(r, h, k, cut)
		}
	}
}

func (s *search) nearCandidates(r *reading, h uint64, k int, cut affix) {
	for p := s.index.keys.find(h); ; {
		id, ok := s.next(&p)
		if !ok {
			return
		}
		s.nearTo(r, k, id, cut)
	}
}

// nearTo adds protected name id if the rightmost k+1 labels of r are one edit
// away from it.
func (s *search) nearTo(r *reading, k int, id uint32, cut affix) {
	p := s.readProtected(s.index, id)
	q := r.run(k)
	size := p.size
	e, ok := oneEdit(p.letters[:p.size], q)
	if !ok {
		if !p.paired() {
			return
		}
		joined := s.protectedJoined.join(p, all)
		if e, ok = oneEdit(joined.letters[:joined.size], q); !ok {
			return
		}
		p = joined
	}
	f := s.finding(r, k)
	f.id, f.size = id, size
	f.how = how{slip: e, affix: cut}
	f.how.idle = s.idleLetters(r, len(q))
	f.class, f.confidence = e.class(f.letters())
	split := splitBesides(p, r, len(q), e)
	switch {
	case p.chainedIn(p.size) || r.chainedIn(len(q)): // a slip of its own
		if split {
			return
		}
		f.class, f.confidence = DoubleTypo, confidenceOf(DoubleTypo, f.letters())
	case split:
		if f.letters() < classes[Split].floor.medium {
			return
		}
		f.class = max(f.class, Split)
		f.confidence = min(f.confidence, confidenceOf(Split, f.letters()))
	}
	if k == 0 && cut.tail == nil && r.skipped == 0 && commonWord(&s.query) {
		f.confidence = min(f.confidence, Low)
		f.how.common = true
	}
	s.add(&f)
}

// splitBesides reports whether the first n letters of q have a dot or hyphen
// where p has none, apart from edit e between them.
func splitBesides(p, q *reading, n int, e slip) bool {
	if q.hyphens.has(0) || q.hyphens.has(n) {
		return true
	}
	for i := 1; i < n; i++ {
		if q.parts(i) && !placeNear(p, i, p.size-n, e) {
			return true
		}
	}
	return false
}

// placeNear reports whether p has a dot or hyphen where place i of a name that
// edit e made of it came from.
func placeNear(p *reading, i, shift int, e slip) bool {
	at := func(i int) bool { return i > 0 && i < p.size && p.parts(i) }
	switch {
	case i < e.from:
		return at(i)
	case i > e.at+1:
		return at(i + shift)
	}
	return at(i) || at(i+shift) // next to the edit either may be meant
}
