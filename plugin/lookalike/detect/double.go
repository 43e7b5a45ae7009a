package detect

import "math/bits"

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
	keys table

	// The outer letters of every string in keys, by which most queries end
	// early: by the number of labels, nil for none, those at either end; and
	// those at both ends with the length of the string.
	front, back [compareLabels + 1]*outerSet
	both        table // only its gate is used

	without int // long enough protected names that are not in keys
}

// WithoutDoubleTypo returns for how many protected names the class DoubleTypo
// is promised by their length but not looked for: those that New had no room
// for among very many, all of the same number of labels and letters alike, and
// those of more than 32 letters.
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
	nameSum := names.from(floors)
	d.without -= nameSum
	d.keys = newTable(keys.from(floors))
	d.both = newGate(nameSum * len(outerCases))
	b.eachDouble(func(id uint32, r *reading) {
		if floors[r.labels] <= r.size && r.size <= doubleMax {
			d.add(id, r)
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
	d.keys.add(key(whole, editKey), id)
	for i := range r.size {
		d.keys.add(key(without(h, whole, i), editKey), id)
		for j := i + 1; j < r.size; j++ {
			d.keys.add(key(without2(h, whole, i, j), editKey), id)
		}
	}
	if d.front[r.labels] == nil {
		d.front[r.labels], d.back[r.labels] = new(outerSet), new(outerSet)
	}
	var o outerEnds
	o.front.readFront(r.letters[:r.size])
	o.back.readBack(r.letters[:r.size])
	d.front[r.labels].add(&o.front, r.size)
	d.back[r.labels].add(&o.back, r.size)
	for _, c := range outerCases {
		d.both.mark(o.key(c, r.size, r.labels))
	}
}

// With up to two letters left out, a string of seven or more still has three
// letters at each end, if not six in all. Which those are depends on how many of the outer letters
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

// outerCase is one possibility for both ends, as indexes of outer, and how
// many letters are left out in all; those that are not at the ends are between
// them.
type outerCase struct{ front, back, left uint8 }

// outerCases lists those that leave out two letters or fewer.
var outerCases = func() (cases []outerCase) {
	for i := range outer {
		for j := range outer {
			for left := outer[i].left + outer[j].left; left <= 2; left++ {
				cases = append(cases, outerCase{uint8(i), uint8(j), uint8(left)})
			}
		}
	}
	return cases
}()

// casesOfFront and casesOfBack hold, for each of outer, the bits of the cases
// that it is in and that leave out any of the given numbers of letters: bit 0
// of the second index stands for two letters, bit 1 for one, bit 2 for none.
var casesOfFront, casesOfBack = func() (front, back [len(outer)][8]uint64) {
	for i, c := range outerCases {
		for left := range uint8(8) {
			if left>>(2-c.left)&1 == 1 {
				front[c.front][left] |= 1 << i
				back[c.back][left] |= 1 << i
			}
		}
	}
	return front, back
}()

// outerSet holds, for each three outer letters, which lengths the strings with
// them have: bit 0 stands for three letters. Some letters share a place.
type outerSet [1 << 13]uint32

// place returns the place of three letters of five bits each.
func (s *outerSet) place(letters uint16) *uint32 { return &s[letters*0x9e37>>3] }

// add puts in the strings that a name of size letters leaves.
func (s *outerSet) add(o *outerKeys, size int) {
	for i, letters := range o {
		for left := outer[i].left; left <= 2; left++ {
			*s.place(letters) |= 1 << (size - left - 3)
		}
	}
}

// cases returns the bits of the cases in which a name of n letters, five or
// more, leaves a string whose letters and length are in the set.
func (s *outerSet) cases(o *outerKeys, n int, casesOf *[len(outer)][8]uint64) (cases uint64) {
	for i, letters := range o {
		cases |= casesOf[i][*s.place(letters)>>(n-5)&7]
	}
	return cases
}

// outerKeys are the outer letters at one end of a name, for each of outer.
type outerKeys [len(outer)]uint16

// outerEnds are those at both ends.
type outerEnds struct{ front, back outerKeys }

// readFront takes the outer letters from the beginning of letters, glyphs
// applied. Five bits tell all letters apart, and glyphs leaves no digits.
func (o *outerKeys) readFront(letters []rune) {
	o.read(letters[0], letters[1], letters[2], letters[3], letters[4])
}

// readBack takes them from the end of letters.
func (o *outerKeys) readBack(letters []rune) {
	l := letters[len(letters)-5:]
	o.read(l[4], l[3], l[2], l[1], l[0])
}

// read takes the outermost letter first.
func (o *outerKeys) read(a, b, c, d, e rune) {
	l := [...]uint16{five(a), five(b), five(c), five(d), five(e)}
	for i := range outer {
		at := &outer[i].at
		o[i] = l[at[0]] | l[at[1]]<<5 | l[at[2]]<<10
	}
}

func five(letter rune) uint16 { return uint16(glyph(letter)) & 31 }

// key returns the key of the outer letters in case c of a name of size letters
// in so many labels.
func (o *outerEnds) key(c outerCase, size, labels int) uint64 {
	return key(uint64(o.front[c.front])|uint64(o.back[c.back])<<15|uint64(size-int(c.left))<<30|uint64(labels)<<40, editKey)
}

// double looks for protected names at two edits. h are the prefix hashes of r.
func (s *search) double(r *reading, h []uint64) {
	if r.size < doubleMin-2 {
		return
	}
	var ends outerEnds
	ends.front.readFront(r.letters[:])
	for k := range min(r.labels, compareLabels) {
		s.doubleRun(r, h, k, &ends)
	}
}

// doubleRun looks the letters of the rightmost k+1 labels up, whole and with
// one and two left out.
func (s *search) doubleRun(r *reading, h []uint64, k int, ends *outerEnds) {
	n := int(r.ends[k])
	d := &s.index.doubles
	if n < doubleMin-2 || n > doubleMax+2 {
		return
	}
	labels := k + 1 // a dot more or less would be a third slip
	if d.front[labels] == nil {
		return
	}
	cases := d.front[labels].cases(&ends.front, n, &casesOfFront)
	if cases == 0 {
		return
	}
	ends.back.readBack(r.run(k))
	cases &= d.back[labels].cases(&ends.back, n, &casesOfBack)
	for ; cases != 0; cases &= cases - 1 {
		if c := outerCases[bits.TrailingZeros64(cases)]; d.both.maybe(ends.key(c, n, labels)) {
			s.doubleCase(r, h, k, c)
		}
	}
}

// doubleCase looks the letters up without those that case c leaves out.
func (s *search) doubleCase(r *reading, h []uint64, k int, c outerCase) {
	n := int(r.ends[k])
	front, back := &outer[c.front], &outer[c.back]
	var out leftOut
	for _, i := range front.out[:front.left] {
		out = out.and(i)
	}
	for _, i := range back.out[:back.left] {
		out = out.and(n - 1 - i)
	}
	s.doubleBetween(r, h, k, out, front.at[2]+1, n-1-back.at[2], int(c.left)-out.count)
}

// leftOut is up to two letters that are left out.
type leftOut struct {
	at    [2]int
	count int
}

func (l leftOut) and(i int) leftOut {
	l.at[l.count] = i
	l.count++
	return l
}

// hash returns the hash of the first n letters without those left out; h are
// the prefix hashes.
func (l leftOut) hash(h []uint64, n int) uint64 {
	switch l.count {
	case 0:
		return h[n]
	case 1:
		return without(h, h[n], l.at[0])
	}
	return without2(h, h[n], min(l.at[0], l.at[1]), max(l.at[0], l.at[1]))
}

// doubleBetween looks the letters up without those in out and more of those
// from first up to end.
func (s *search) doubleBetween(r *reading, h []uint64, k int, out leftOut, first, end, more int) {
	n := int(r.ends[k])
	if more == 0 {
		s.doubleCandidates(r, k, out.hash(h, n))
		return
	}
	for i := first; i < end; i++ {
		if more == 1 {
			s.doubleCandidates(r, k, out.and(i).hash(h, n))
			continue
		}
		for j := i + 1; j < end; j++ {
			s.doubleCandidates(r, k, without2(h, h[n], i, j))
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
		s.nearTo(r, k, id, affix{})
	}
}
