package detect

// This file holds the class double-typo: two edits.

// Bounds of double-typo: how many letters a protected name has for it, and how
// many keys the index spends on it. Names with the fewest labels get them
// first. Among very many names two slips say little, and the keys, which grow
// with the square of the length, would take more memory than all the rest.
const (
	doubleMin     = 8
	doubleMax     = 32
	doubleKeysMax = 1 << 21
)

// doubles finds protected names by their letters without up to two of them.
type doubles struct {
	keys  table
	ends  table // the outer letters of every string in keys; only its gate is used
	sizes places
}

// fillDoubles builds the part of the index for double-typo.
func (b *builder) fillDoubles() {
	var names, keys [compareLabels + 1]int // by labels
	b.eachDouble(func(_ uint32, r *reading) {
		names[r.labels]++
		keys[r.labels] += 1 + r.size*(r.size+1)/2
	})
	labels, nameSum, keySum := 0, 0, 0
	for labels < compareLabels && keySum+keys[labels+1] <= doubleKeysMax {
		labels++
		nameSum += names[labels]
		keySum += keys[labels]
	}
	d := &b.index.doubles
	d.keys = newTable(keySum)
	d.ends = newGate(nameSum * outerVariants)
	b.eachDouble(func(id uint32, r *reading) {
		if r.labels <= labels {
			d.add(id, r)
		}
	})
}

// eachDouble calls do for each protected name that is in question for
// double-typo.
func (b *builder) eachDouble(do func(id uint32, r *reading)) {
	for id := range uint32(len(b.index.cores)) {
		if int(b.index.cores[id]) < doubleMin {
			continue
		}
		r := b.index.protectedReading(id)
		if doubleMin <= r.size && r.size <= doubleMax && r.labels <= compareLabels {
			do(id, &r)
		}
	}
}

// add puts a protected name in.
func (d *doubles) add(id uint32, r *reading) {
	var buf [doubleMax + 1]uint64
	h := prefixHashes(buf[:0], r.letters[:r.size])
	whole := h[r.size]
	d.sizes.add(r.size)
	d.keys.add(key(whole, editKey), id)
	for i := range r.size {
		d.keys.add(key(without(h, whole, i), editKey), id)
		for j := i + 1; j < r.size; j++ {
			d.keys.add(key(without2(h, whole, i, j), editKey), id)
		}
	}
	for _, front := range outer {
		for _, back := range outer {
			if front.left+back.left <= 2 {
				d.ends.mark(outerKey(r.letters[:r.size], front, back))
			}
		}
	}
}

// With up to two letters left out, a string of eight or more still has three
// letters at each end. Which those are depends on how many of the outer letters
// were left out. Few names have the same ones, so looking at them first spares
// most of the pairs.
type outerLetters struct {
	at   [3]int // their places, from the end
	left int    // how many were left out
	out  [2]int // which
}

// outer lists the possibilities for one end.
var outer = [...]outerLetters{
	{at: [3]int{0, 1, 2}},
	{at: [3]int{1, 2, 3}, left: 1, out: [2]int{0}},
	{at: [3]int{0, 2, 3}, left: 1, out: [2]int{1}},
	{at: [3]int{0, 1, 3}, left: 1, out: [2]int{2}},
	{at: [3]int{2, 3, 4}, left: 2, out: [2]int{0, 1}},
	{at: [3]int{1, 3, 4}, left: 2, out: [2]int{0, 2}},
	{at: [3]int{1, 2, 4}, left: 2, out: [2]int{0, 3}},
	{at: [3]int{0, 3, 4}, left: 2, out: [2]int{1, 2}},
	{at: [3]int{0, 2, 4}, left: 2, out: [2]int{1, 3}},
	{at: [3]int{0, 1, 4}, left: 2, out: [2]int{2, 3}},
}

// outerVariants is how many pairs of outer leave out two letters or fewer.
const outerVariants = 1 + 2*3 + 2*6 + 3*3

// outerKey returns the key of the outer letters at both ends.
func outerKey(letters []rune, front, back outerLetters) uint64 {
	h, last := uint64(0), len(letters)-1
	for i := range 3 {
		h = h*base + uint64(glyph(letters[front.at[i]]))
		h = h*base + uint64(glyph(letters[last-back.at[i]]))
	}
	return key(h, editKey)
}

// double looks for protected names at two edits. h are the prefix hashes of r.
func (s *search) double(r *reading, h []uint64) {
	for k := range min(r.labels, compareLabels) {
		s.doubleRun(r, h, k)
	}
}

// doubleRun looks the letters of the rightmost k+1 labels up, whole and with
// one and two left out.
func (s *search) doubleRun(r *reading, h []uint64, k int) {
	n := int(r.ends[k])
	sizes := &s.index.doubles.sizes
	if n < doubleMin-2 || n > doubleMax+2 ||
		!sizes.has(n-2) && !sizes.has(n-1) && !sizes.has(n) && !sizes.has(n+1) && !sizes.has(n+2) {
		return
	}
	whole := h[n]
	s.doubleCandidates(r, k, whole)
	for i := range n {
		s.doubleCandidates(r, k, without(h, whole, i))
	}
	if n < doubleMin {
		return // without two letters it is shorter than any name without two
	}
	letters := r.run(k)
	for _, front := range outer {
		for _, back := range outer {
			if front.left+back.left <= 2 && s.index.doubles.ends.maybe(outerKey(letters, front, back)) {
				s.doublePairs(r, h, k, front, back)
			}
		}
	}
}

// doublePairs looks the letters up with two left out, those that front and
// back leave out among them and the others between the outer letters.
func (s *search) doublePairs(r *reading, h []uint64, k int, front, back outerLetters) {
	n := int(r.ends[k])
	whole := h[n]
	first, last := front.at[2]+1, n-1-back.at[2] // the letters between: first <= i < last
	switch {
	case front.left == 2:
		s.doubleCandidates(r, k, without2(h, whole, front.out[0], front.out[1]))
	case back.left == 2:
		s.doubleCandidates(r, k, without2(h, whole, n-1-back.out[1], n-1-back.out[0]))
	case front.left == 1 && back.left == 1:
		s.doubleCandidates(r, k, without2(h, whole, front.out[0], n-1-back.out[0]))
	case front.left == 1:
		for j := first; j < last; j++ {
			s.doubleCandidates(r, k, without2(h, whole, front.out[0], j))
		}
	case back.left == 1:
		for i := first; i < last; i++ {
			s.doubleCandidates(r, k, without2(h, whole, i, n-1-back.out[0]))
		}
	default:
		for i := first; i < last; i++ {
			for j := i + 1; j < last; j++ {
				s.doubleCandidates(r, k, without2(h, whole, i, j))
			}
		}
	}
}

// doubleCandidates adds the names under a hash that are two edits from the
// rightmost k+1 labels of r.
func (s *search) doubleCandidates(r *reading, k int, hash uint64) {
	h := key(hash, editKey)
	t := &s.index.doubles.keys
	if !t.maybe(h) {
		return
	}
	for probe := t.find(h); ; {
		id, ok := s.next(&probe)
		if !ok {
			return
		}
		p := s.index.protectedReading(id)
		q := r.run(k)
		if twoEdits(p.letters[:p.size], q) && samePlaces(&p, r, len(q)) {
			f := s.finding(r, k)
			f.id, f.size, f.class, f.confidence = id, p.size, DoubleTypo, confidenceOf(DoubleTypo, p.size)
			s.add(f)
		}
	}
}

// samePlaces reports whether the first n letters of q have as many dots and
// hyphens between them as p, each within the two letters that two edits move
// it: a dot missing besides two edits would be a third slip.
func samePlaces(p, q *reading, n int) bool {
	for _, both := range [][2]*places{{&p.dots, &q.dots}, {&p.hyphens, &q.hyphens}} {
		i, j := both[0].next(1), both[1].next(1)
		for i >= 0 && i < p.size && j >= 0 && j < n {
			if i-j > 2 || j-i > 2 {
				return false
			}
			i, j = both[0].next(i+1), both[1].next(j+1)
		}
		if i >= 0 && i < p.size || j >= 0 && j < n {
			return false
		}
	}
	return true
}

// twoEdits reports whether the optimal string alignment distance of p and q,
// glyphs applied, is at most two.
func twoEdits(p, q []rune) bool {
	const far = 3
	if len(p) > doubleMax || len(q) > doubleMax+2 || len(p)-len(q) > 2 || len(q)-len(p) > 2 {
		return false
	}
	// rows[i%3][j] is the distance of the first i letters of p and j of q,
	// at most far.
	var rows [3][doubleMax + 3]uint8
	for j := range len(q) + 1 {
		rows[0][j] = uint8(min(j, far))
	}
	for i := 1; i <= len(p); i++ {
		row, above := &rows[i%3], &rows[(i-1)%3]
		row[0] = uint8(min(i, far))
		for j := 1; j <= len(q); j++ {
			a, b := glyph(p[i-1]), glyph(q[j-1])
			d := min(above[j], row[j-1]) + 1
			if a == b {
				d = min(d, above[j-1])
			} else {
				d = min(d, above[j-1]+1)
			}
			if i > 1 && j > 1 && a == glyph(q[j-2]) && b == glyph(p[i-2]) {
				d = min(d, rows[(i-2)%3][j-2]+1)
			}
			row[j] = min(d, far)
		}
	}
	return rows[len(p)%3][len(q)] <= 2
}
