package detect

// Bounds of embedding: the places between labels and parts of labels that are
// looked at, from the right, and the parts that one protected name may span.
const (
	maxPlaces = 24
	maxParts  = 6
)

// embeddingLetters is the fewest letters of a protected name that is found
// inside a name without its TLD.
const embeddingLetters = 5

// embedding looks for protected names as a run of labels, or of parts of
// labels between hyphens, anywhere in r.
func (s *search) embedding(r *reading) {
	places := append(s.places[:0], 0)
	marks := r.dots.or(&r.hyphens)
	for i := marks.next(1); 0 < i && i < r.size && len(places) <= maxPlaces; i = marks.next(i + 1) {
		places = append(places, i)
	}
	if len(places) == 1 {
		return
	}
	if len(places) <= maxPlaces {
		places = append(places, r.size)
	}
	for i, from := range places {
		t := s.tailAt(r, places[:i+1])
		for _, to := range places[i+1 : min(len(places), i+1+maxParts)] {
			if from == 0 && r.endsLabel(to) {
				continue // has been compared as a run of labels
			}
			if to-from <= s.index.longest && (t != nil || to-from >= embeddingLetters) {
				s.embedded(r, from, to, t)
			}
		}
	}
}

// tailAt returns the public suffix of protected names that stands, as a whole
// run of parts, just right of the last of places.
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

// embedded adds the protected names that read as the letters between two
// places of r; t follows them.
func (s *search) embedded(r *reading, from, to int, t *tail) {
	keys := &s.index.keys
	h := skeletonOf(r.letters[from:to])
	if !keys.maybe(h) {
		return
	}
	for probe := keys.find(h); ; {
		id, ok := s.next(&probe)
		if !ok {
			return
		}
		p, part := s.readProtected(s.index, id), s.part.cut(r, from)
		rel, ok := relate(p, part, to-from)
		if !ok || rel.places == more {
			continue
		}
		f := finding{id: id, class: Embedding, size: p.size}
		f.first, f.last = s.labelAt(r, to-1), s.labelAt(r, from)+1
		if t != nil && s.index.suffix(id) == t.suffix {
			f.confidence, f.how.affix.tail = Medium, t
		} else if !s.generic(id) {
			f.how.idle = s.idleLetters(part, to-from)
			f.confidence = confidenceOf(Embedding, f.letters())
		}
		s.add(&f)
	}
}

// labelAt returns the label that letter i of r stands in.
func (s *search) labelAt(r *reading, i int) int {
	k := 0
	for k < r.labels-1 && int(r.ends[k]) <= i {
		k++
	}
	return s.hi - r.skipped - 1 - k
}
