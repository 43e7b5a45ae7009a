package detect

// This file holds the class double-typo: two edits.

// Bounds of double-typo: how many letters a protected name has for it, and how
// many keys, which grow with the square of the length, the index spends on it.
// Names with the fewest labels get them first, and of those the longest: the
// more names there are, the more letters it takes for two slips to say anything.
const (
	doubleMin     = 7
	doubleMax     = 32
	doubleKeysMax = 1 << 21
)

// doubles finds protected names by their letters without up to two of them.
type doubles struct {
	keys    table
	hashes  [2]gate // of strings of up to shortDouble letters, which most names leave, and of longer ones
	without int     // long enough protected names that are not in keys
}

// maxDoubles limits how often one search meets protected names under keys of double-typo.
// Two edits leave a handful of keys in common. A name that shares many more, since only
// its dots and hyphens differ, is met again under each. What lies beyond the limit is
// only missed as double-typo, the weakest class.
const maxDoubles = 96

// shortDouble is the most letters of strings that have a gate of their own.
const shortDouble = 8

// gate returns the gate of strings of n letters.
func (d *doubles) gate(n int) *gate {
	if n <= shortDouble {
		return &d.hashes[0]
	}
	return &d.hashes[1]
}

// inLabels adds the number of labels to a hash of letters: a dot more or less would
// be a third slip.
func inLabels(hash uint64, labels int) uint64 { return hash + uint64(labels)*doubleKey }

// WithoutDoubleTypo returns the number of protected names that are long enough for the
// class DoubleTypo but left out of its index. These are the names of more than 32
// letters, and in a long list those without room: all of the same number of labels and
// letters together.
func (x *Index) WithoutDoubleTypo() int { return x.doubles.without }

// fillDoubles builds the part of the index for double-typo.
func (b *builder) fillDoubles() {
	var names, keys doubleCounts
	d := &b.index.doubles
	b.eachDouble(func(_ uint32, r *reading) {
		d.without++
		if r.size <= doubleMax {
			names[r.labels][r.size]++
			keys[r.labels][r.size] += 1 + r.size*(r.size+1)/2
		}
	})
	floors := keys.floors(doubleKeysMax)
	d.without -= names.from(floors)
	all, short := keys.from(floors), keys.short(floors)
	d.keys, d.hashes = newTable(all, len(b.index.cores)), [...]gate{newGate(short), newGate(all - short)}
	b.eachDouble(func(id uint32, r *reading) {
		if floors[r.labels] <= r.size && r.size <= doubleMax {
			d.add(id, r)
			b.index.ends.addDoubles(r.letters[:r.size], r.labels)
		}
	})
}

// doubleCounts holds numbers by labels and letters.
type doubleCounts [compareLabels + 1][doubleMax + 1]int

// doubleFloors holds, by labels, the fewest letters that double-typo is looked
// for with.
type doubleFloors [compareLabels + 1]int

// floors returns those down to which the counts add up to limit at most.
func (c *doubleCounts) floors(limit int) doubleFloors {
	var floors doubleFloors
	for labels := range floors {
		floors[labels] = doubleMax + 1
	}
	for labels := 1; labels <= compareLabels; labels++ {
		for size := doubleMax; size >= doubleMin; size-- {
			if limit -= c[labels][size]; limit < 0 {
				return floors
			}
			floors[labels] = size
		}
	}
	return floors
}

// from returns the sum of the counts from floors up.
func (c *doubleCounts) from(floors doubleFloors) (sum int) {
	for labels, floor := range floors {
		for _, n := range c[labels][floor:] {
			sum += n
		}
	}
	return sum
}

// short returns how many of the keys from floors up are of strings of up to
// shortDouble letters, or more.
func (c *doubleCounts) short(floors doubleFloors) (sum int) {
	for labels, floor := range floors {
		for size := floor; size <= shortDouble+2; size++ {
			sum += c[labels][size]
		}
	}
	return sum
}

// eachDouble calls do for each protected name that double-typo is promised for.
func (b *builder) eachDouble(do func(id uint32, r *reading)) {
	for id := range uint32(len(b.index.cores)) {
		if core := int(b.index.cores[id]); core < doubleMin || b.index.isRepeated(id) {
			continue
		}
		r := b.readProtected(id)
		if doubleMin <= r.size && r.labels <= compareLabels {
			do(id, r)
		}
	}
}

// add puts a protected name in.
func (d *doubles) add(id uint32, r *reading) {
	var buf [doubleMax + 1]uint64
	h := prefixHashes(buf[:0], r.letters[:r.size])
	whole := h[r.size]
	add := func(h uint64, left int) {
		h = inLabels(h, r.labels)
		d.gate(r.size - left).add(h)
		d.keys.add(key(h, doubleKey), id)
	}
	add(whole, 0)
	for i := range r.size {
		add(without(h, whole, i), 1)
		for j := i + 1; j < r.size; j++ {
			add(without2(h, whole, i, j), 2)
		}
	}
}

// double looks for protected names at two edits. h are the prefix hashes of r, of
// which the edges have been read.
func (s *search) double(r *reading, h []uint64) {
	if r.size < doubleMin-2 || s.index.doubles.isEmpty() {
		return
	}
	for k := range min(r.labels, compareLabels) {
		n := r.end(k)
		if n < doubleMin-2 || n > doubleMax+2 {
			continue
		}
		at := [...]doubleEdits{anywhere, anywhere, anywhere}
		if n >= endsMin {
			at = s.edges.doubles(k, n)
		}
		if at != [3]doubleEdits{} {
			s.doubleRun(r, h, k, &at)
		}
	}
}

// doubleRun looks the letters of the rightmost k+1 labels up, whole and with
// one and two left out, where that may be. h are the prefix hashes of r.
func (s *search) doubleRun(r *reading, h []uint64, k int, at *[3]doubleEdits) {
	n, labels := r.end(k), k+1
	d := &s.index.doubles
	s.work += n
	h = h[:n+1]
	whole := h[n]
	if at[0] != 0 && n >= doubleMin-2 {
		if hash := inLabels(whole, labels); d.gate(n).has(hash) {
			s.doubleCandidates(r, k, hash)
		}
	}
	if at[1] != 0 && n >= doubleMin-1 {
		gate := d.gate(n - 1)
		for i := range n {
			if hash := inLabels(without(h, whole, i), labels); gate.has(hash) && !r.repeats(i) {
				s.doubleCandidates(r, k, hash)
			}
		}
	}
	if at[2] != 0 && n >= doubleMin {
		s.doublePairs(r, h, k, at[2])
	}
}

// doublePairs leaves out two letters.
func (s *search) doublePairs(r *reading, h []uint64, k int, at doubleEdits) {
	n := len(h) - 1
	// The hash without letters i and j is the sum of what only i and only j decide.
	first, second := s.first[:n], s.second[:n]
	for i := range n {
		first[i] = inLabels(h[i], k+1) - h[i+1]*baseInverse
		second[i] = without(h, h[n], i) * baseInverse
	}
	gate := s.index.doubles.gate(n - 2)
	from, pairs := at.pairs(n)
	first, second = first[from:], second[from:]
	s.work += len(pairs)
	for _, p := range pairs {
		i, j := int(p.i), int(p.j)
		if hash := first[i] + second[j]; gate.has(hash) && (i == 0 || !r.repeats(from+i)) && (j == i+1 || !r.repeats(from+j)) {
			s.doubleCandidates(r, k, hash)
		}
	}
}

// doubleCandidates adds the names under a hash that are two edits from the
// rightmost k+1 labels of r.
func (s *search) doubleCandidates(r *reading, k int, hash uint64) {
	for probe := s.index.doubles.keys.find(key(hash, doubleKey)); ; {
		id, ok := s.next(&probe)
		if !ok || s.doubles == maxDoubles {
			return
		}
		s.doubles++
		s.nearTo(r, k, id, affix{})
	}
}

// repeats reports whether letter i is the same as the one before: to leave out
// either is the same.
func (r *reading) repeats(i int) bool { return i > 0 && glyph(r.letters[i]) == glyph(r.letters[i-1]) }

func (d *doubles) isEmpty() bool { return len(d.keys.slots) == 1 }
