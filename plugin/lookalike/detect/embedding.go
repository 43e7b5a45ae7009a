package detect

// Bounds of embedding.
const (
	maxPlaces = 24 // places between labels, or parts of labels, from the right
	maxParts  = 6  // parts that one protected name may span
)

// The fewest letters of a protected name that embedding finds.
const (
	embeddingLetters = 4 // as whole parts of a name, without its TLD
	togetherLetters  = 7 // run together with other letters
)

// embedding looks for protected names as a run of labels, or of parts of
// labels between hyphens, anywhere in r.
func (s *search) embedding(r *reading) {
	if r.labels == 1 && r.seen&separator == 0 {
		return
	}
	places := s.partsOf(r)
	first := 0
	if r.seen&separator == 0 {
		first = 1 // only whole labels stand at the end
	}
	skeletons := s.skeletonsAt(r, places, first)
	for i := first; i < len(places)-1; i++ {
		from, last := places[i], min(len(places), i+1+maxParts)
		ends, at := places[i+1:last], skeletons[i:last]
		s.embeddedFrom(r, from, ends, at[0], at[1:], s.tailAt(r, places[:i+1]), from == 0)
		if glued := s.tailWithin(r, from); glued != nil {
			n := len(glued.letters)
			begin := at[0]
			begin.add(r.letters[from : from+n])
			s.embeddedFrom(r, from+n, ends, begin, at[1:], glued, from == 0)
		}
	}
}

// partsOf returns the places where parts of r begin and end.
func (s *search) partsOf(r *reading) []int {
	places := append(s.places[:0], 0)
	if r.seen&separator == 0 {
		for k := 0; k < r.labels && len(places) <= maxPlaces+1; k++ {
			places = append(places, r.end(k))
		}
		return places
	}
	marks := r.text.dots.or(&r.text.hyphens)
	end := r.offset + r.size
	for i := marks.next(r.offset + 1); 0 < i && i < end && len(places) <= maxPlaces; i = marks.next(i + 1) {
		places = append(places, i-r.offset)
	}
	if len(places) <= maxPlaces {
		places = append(places, r.size)
	}
	return places
}

// skeletonsAt returns hashes of skeletons of r. All begin at places[first], and one ends
// at each later place.
func (s *search) skeletonsAt(r *reading, places []int, first int) []skeletonHasher {
	all := s.skeletons[:len(places)]
	var h skeletonHasher
	for i := first; i < len(places); i++ {
		h.add(r.letters[places[max(first, i-1)]:places[i]])
		all[i] = h
	}
	s.work += places[len(places)-1] - places[first]
	return all
}

// embeddedFrom looks up the letters between place from and each of ends. begin is the
// hash of the skeleton up to from, and at has those up to ends. The suffix t follows
// the letters, if it is not nil. Whole labels at the end of r are left out: other classes
// have compared them.
func (s *search) embeddedFrom(r *reading, from int, ends []int, begin skeletonHasher, at []skeletonHasher, t *tail, atEnd bool) {
	for i, to := range ends {
		if to-from > s.index.longest {
			return
		}
		if to <= from || atEnd && r.endsLabel(to) {
			continue
		}
		if t != nil || to-from >= embeddingLetters {
			s.work++
			s.embedded(r, from, to, at[i].after(&begin), t)
		}
	}
}

// tailAt returns the public suffix of protected names that is a whole run of
// parts, just right of the last of places.
func (s *search) tailAt(r *reading, places []int) *tail {
	from := places[len(places)-1]
	for _, start := range places[:len(places)-1] {
		tails := s.index.tailsAt(r, start)
		for i := range tails {
			if t := &tails[i]; start+len(t.letters) == from && hasLetters(r, start, t.letters) {
				return t
			}
		}
	}
	return nil
}

// tailWithin returns the public suffix of protected names that ends the part
// before place from: armymil-example.
func (s *search) tailWithin(r *reading, from int) *tail {
	tails := s.index.tailsAt(r, from)
	for i := range tails {
		if t := &tails[i]; len(t.letters) >= tailDisguised && hasLetters(r, from, t.letters) {
			return t
		}
	}
	return nil
}

// embedded adds the protected names that read as the letters between two
// places of r. h is the hash of their skeleton, and t follows them.
func (s *search) embedded(r *reading, from, to int, h uint64, t *tail) {
	if !s.index.skeletons.has(h) {
		return
	}
	for probe := s.index.keys.find(key(h, skeletonKey)); ; {
		id, ok := s.next(&probe)
		if !ok {
			return
		}
		s.embed(r, from, to, id, t)
	}
}

// embed adds protected name id if the letters between two places of r read as it.
func (s *search) embed(r *reading, from, to int, id uint32, t *tail) {
	p := s.spellProtected(id)
	f := finding{id: id, class: Embedding, size: min(len(p.at), to-from), protectedSize: len(p.at), from: r.offset + from, to: r.offset + to}
	w := s.writing()
	var tally tally
	if !walk(p.cells, w.cells[w.at[f.from]:w.at[f.to-1]+1], &tally, nil) || tally.added > 0 {
		return
	}
	f.first, f.last = s.labelAt(r, to-1), s.labelAt(r, from)+1
	if t == nil && s.core.labels > 1 && f.last-f.first == 1 && usualHost(s.name.label(f.first)) {
		return // webmail is no sign of web.mail.mil
	}
	f.how.idle = s.idleLetters()
	if t != nil && s.index.suffix(id) == t.suffix {
		f.confidence = Medium
		f.how.affix.tail, f.how.affix.letters = t, len(t.letters)
	} else if !s.generic(id) {
		f.confidence = confidenceOf(Embedding, f.letters())
	}
	if s.limit(&f, false) {
		s.add(&f)
	}
}

// runTogether looks in the last label of r for protected names of one label that
// have no dot or hyphen beside them. h are the prefix hashes of r.
func (s *search) runTogether(r *reading, h []uint64) {
	n := r.end(0)
	s.work += n
	for from := 0; from+togetherLetters < n+1 && n > togetherLetters; from++ {
		start := (h[from+togetherLetters] - h[from]) * inversePower(from)
		if !s.index.together.has(start) {
			continue
		}
		for probe := s.index.keys.find(key(start, togetherKey)); ; {
			id, ok := s.next(&probe)
			if !ok {
				break
			}
			s.inside(r, from, n, id)
		}
	}
}

// inside adds protected name id if it begins at place from of r, within a label
// that ends at place end.
func (s *search) inside(r *reading, from, end int, id uint32) {
	p := s.spellProtected(id)
	n := len(p.at)
	if from+n > end || n == end || s.generic(id) {
		return
	}
	for i, c := range p.cells {
		if i > 0 && r.parts(from+i) || c.alien || r.letters[from+i] != c.char {
			return
		}
	}
	last := s.hi - r.skipped
	f := finding{id: id, class: Embedding, size: n, protectedSize: n, from: r.offset + from, to: r.offset + from + n, first: last - 1, last: last}
	f.confidence = confidenceOf(Embedding, n)
	if s.limit(&f, false) {
		s.add(&f)
	}
}

// labelAt returns the label that letter i of r stands in.
func (s *search) labelAt(r *reading, i int) int {
	k := 0
	for k < r.labels-1 && r.end(k) <= i {
		k++
	}
	return s.hi - r.skipped - 1 - k
}
