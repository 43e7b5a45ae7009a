package detect

// This file looks for protected names that are slips away from the queried one:
// the classes typo, edit, homoglyph by letters that are only similar, and
// double-typo where one of the slips is a fold or a dot or hyphen.

// near looks for protected names at one edit from a run of up to four
// rightmost labels of r, as it stands and with pairs put together. h are the
// prefix hashes of r.
func (s *search) near(r *reading, h []uint64, cut affix) {
	s.nearRuns(r, r, h, cut)
	s.heldKeys(r, h, cut)
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
	s.nearRuns(r, joined, joined.compared(s.joinedHashes[:0]), cut)
	return true
}

// nearRuns looks runs of labels of joined up, which is r or r with pairs put
// together.
func (s *search) nearRuns(r, joined *reading, h []uint64, cut affix) {
	for k := range min(r.labels, compareLabels) {
		s.nearRun(r, joined, h, k, cut)
	}
}

// nearRun looks the letters of the rightmost k+1 labels up, whole and with one
// left out.
func (s *search) nearRun(r, joined *reading, h []uint64, k int, cut affix) {
	n := int(joined.ends[k])
	if n < 2 || !s.index.near.has(n) {
		return
	}
	keys := &s.index.keys
	whole := h[n]
	if h := key(whole, editKey); keys.maybe(h) {
		s.nearCandidates(r, h, k, cut)
	}
	var before rune
	for i, c := range joined.letters[:n] {
		if c = glyph(c); c == before {
			continue // leaving out either of two equal letters is the same
		}
		before = c
		if h := key(without(h, whole, i), editKey); keys.maybe(h) {
			s.nearCandidates(r, h, k, cut)
		}
	}
}

// heldKeys looks r up with letters that stand there three times or more typed
// once, and twice.
func (s *search) heldKeys(r *reading, h []uint64, cut affix) {
	n := int(r.ends[min(r.labels, compareLabels)-1])
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

// heldKey looks r up with the letters from from up to to typed once, and twice.
func (s *search) heldKey(r *reading, h []uint64, from, to int, cut affix) {
	for k := range min(r.labels, compareLabels) {
		n := int(r.ends[k])
		if n < to {
			continue
		}
		for keep := 1; keep <= 2; keep++ {
			left := n - (to - from - keep)
			if left < typoFloor.medium || left > s.index.longest {
				continue
			}
			whole := h[from+keep] + (h[n]-h[to])*inversePower(to-from-keep)
			if key := key(whole, editKey); s.index.keys.maybe(key) {
				s.nearCandidates(r, key, k, cut)
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
// slips away from it.
func (s *search) nearTo(r *reading, k int, id uint32, cut affix) {
	p := s.spellProtected(s.index, id)
	f := s.finding(r, k)
	n := int(r.ends[k])
	f.id, f.from, f.to, f.how.affix = id, r.offset, r.offset+n, cut
	first, end := s.writing().span(f.from, f.to)
	q := s.written.cells[first:end]
	if !s.aligner.align(p.cells, q) || s.aligner.count == 0 { // 0: the two are the same, which same is for
		return
	}
	f.how.steps, f.how.count = s.aligner.found, s.aligner.count
	f.size, f.protectedSize = min(len(p.at), n), len(p.at)
	f.how.idle = s.idleLetters()
	f.gradeSteps(p.cells, q, len(p.at)-f.how.idle)
	if f.confidence > Unsure && s.limit(&f, cut.tail == nil && r.skipped == s.headLabels) {
		s.add(&f)
	}
}
