package detect

// This file finds protected names that are one or two slips from the queried one:
// the classes typo, edit, homoglyph by letters that are only similar, and
// double-typo where one of the slips is a fold or a dot or hyphen.

// near looks for protected names at one edit from a run of up to four
// rightmost labels of r, as it stands and with pairs put together. h are the
// prefix hashes of r.
func (s *search) near(r *reading, h []uint64, cut affix) {
	s.aligned.clear()
	s.edges.read(&s.index.ends, r)
	s.nearRuns(r, r, &s.edges, h, cut)
	if r.seen&held3 != 0 {
		s.heldKeys(r, h, cut)
	}
	if !r.paired() || r.end(0) > s.index.longest {
		return
	}
	labels := 1 // with pairs put together, a run has half its letters at the least
	for labels < min(r.labels, compareLabels) && r.end(labels) <= 2*s.index.longest {
		labels++
	}
	every, read := r.pairs(labels)
	last := every.before(maxLetters)
	if last < 0 {
		return
	}
	s.nearJoined(r, labels, &read, cut)
	if every.before(last) < 0 {
		return
	}
	// One at a time as well: an edit may have made another one.
	for range maxPairs {
		var one places
		one.add(last)
		s.nearJoined(r, labels, &one, cut)
		if last = every.before(last); last < 0 {
			return
		}
	}
}

// maxPairs is how many pairs of letters are put together one at a time.
const maxPairs = 4

// nearJoined looks for protected names at one edit from the rightmost labels of r
// with pairs put together.
func (s *search) nearJoined(r *reading, labels int, pairs *places, cut affix) {
	s.work += r.end(labels - 1)
	joined := s.joined.join(r, labels, pairs, &s.joinedText)
	s.joinedEdges.read(&s.index.ends, joined)
	s.nearRuns(r, joined, &s.joinedEdges, joined.compared(s.joinedHashes[:0]), cut)
}

// nearRuns looks runs of labels of joined up, which is r or r with pairs put
// together. It leaves out runs that have none of the pairs.
func (s *search) nearRuns(r, joined *reading, e *edges, h []uint64, cut affix) {
	for k := range min(joined.labels, compareLabels) {
		if n := joined.end(k); (joined == r || n < r.end(k)) && n >= 2 && s.index.near.has(n) && e.edits(k, n) {
			s.nearRun(r, joined.letters[:n], h, k, cut)
		}
	}
}

// nearRun looks up the letters of the rightmost k+1 labels of r, whole and with one
// left out.
func (s *search) nearRun(r *reading, letters []rune, h []uint64, k int, cut affix) {
	edits, n := &s.index.edits, len(letters)
	h = h[:n+1]
	s.work += n
	whole := h[n]
	if edits.has(whole) {
		s.nearCandidates(r, key(whole, editKey), k, cut)
	}
	for i := range letters {
		h := without(h, whole, i)
		if !edits.has(h) || i > 0 && glyph(letters[i]) == glyph(letters[i-1]) { // leaving out either of two equal letters is the same
			continue
		}
		s.nearCandidates(r, key(h, editKey), k, cut)
	}
}

// heldKeys looks up r with each letter that occurs three times or more in a row
// reduced to one, and to two.
func (s *search) heldKeys(r *reading, h []uint64, cut affix) {
	n := r.end(min(r.labels, compareLabels) - 1)
	for i := 1; i < n; i += 2 { // one of two places is in a run of three
		c := r.letters[i]
		if c != r.letters[i-1] && (i+1 == n || c != r.letters[i+1]) {
			continue
		}
		from, to := i, i+1
		for from > 0 && r.letters[from-1] == c {
			from--
		}
		for to < n && r.letters[to] == c {
			to++
		}
		if to-from >= 3 {
			s.heldKey(r, h, from, to, cut)
		}
		i = max(i, to-1)
	}
}

// heldKey looks up r with the letters from from up to to reduced to one, and to two.
func (s *search) heldKey(r *reading, h []uint64, from, to int, cut affix) {
	for k := range min(r.labels, compareLabels) {
		n := r.end(k)
		if n < to {
			continue
		}
		for keep := 1; keep <= 2; keep++ {
			left := n - (to - from - keep)
			if left < typoFloor.medium || left > s.index.longest {
				continue
			}
			whole := h[from+keep] + (h[n]-h[to])*inversePower(to-from-keep)
			if s.index.edits.has(whole) {
				s.nearCandidates(r, key(whole, editKey), k, cut)
			}
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

// nearTo adds protected name id if the rightmost k+1 labels of r are one or two
// slips away from it. Most names that are near share many keys, but are aligned once.
func (s *search) nearTo(r *reading, k int, id uint32, cut affix) {
	if !s.aligned.add(k, id) {
		return
	}
	n := r.end(k)
	from, to := r.offset, r.offset+n
	first, end := s.writing().span(from, to)
	q := s.written.cells[first:end]
	core := s.index.core(id)
	slips, folded := s.worth(core, n, &cut)
	s.work++
	if !mayBeNear(core, q, slips) {
		return
	}
	if slips > 1 {
		s.twoSlips++
	}
	p := s.spellProtected(id)
	near := s.aligner.align(p.cells, q, slips, folded)
	s.work += s.aligner.work
	if !near || s.aligner.count == 0 { // 0: the two are the same, which same is for
		return
	}
	f := s.finding(r, k)
	f.id, f.from, f.to, f.how.affix = id, from, to, cut
	f.how.steps, f.how.count = s.aligner.found, s.aligner.count
	f.size, f.protectedSize = min(len(p.at), n), len(p.at)
	f.how.idle = s.idleLetters()
	f.gradeSteps(p.cells, q, len(p.at)-f.how.idle)
	if f.confidence > Unsure && s.limit(&f, cut.tail == nil && r.skipped == s.headLabels) {
		s.add(&f)
	}
}
