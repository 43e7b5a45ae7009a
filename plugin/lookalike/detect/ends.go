package detect

import (
	"math/bits"
)

// This file holds the four letters at either end of protected names. Few names
// have the same ones, so a look at the ends of a longer name answers most of what
// is asked about one and two edits.
//
// Names at one edit leave the same string, with one letter left out of each at the
// most; where that is near one end, the other end is whole. Names at two edits do
// with two, and either one end is whole in both, or one edit is near each.

// endLetters is how many letters make an end, and endsMin the fewest letters of a
// name whose ends are looked at: with two left out, no letter is near both.
const (
	endLetters = 4
	endsMin    = 2*endLetters - 1 + 2
)

// ends says which lengths strings with certain letters at an end have.
type ends struct{ front, back endTable }

// newEnds returns the ends of so many names.
func newEnds(names int) ends {
	const least, most = 8, 14 // 256 KiB for both
	size := min(max(bits.Len(uint(16*names)), least), most)
	return ends{newEndTable(size), newEndTable(size)}
}

// endTable maps the letters at one end to lengths. Some letters share a place.
type endTable struct {
	lengths []lengths
	shift   uint8
}

func newEndTable(size int) endTable { return endTable{make([]lengths, 1<<size), uint8(32 - size)} }

// at returns the place of letters of five bits each. Five bits tell all letters
// apart, and glyphs leaves no digits.
func (t *endTable) at(letters uint32) *lengths {
	return &t.lengths[int(letters*0x9e3779b1>>(t.shift&31))&(len(t.lengths)-1)]
}

// lengths is a set of lengths, modulo 12, for each use: bit n of a use's twelve is
// set for n letters.
type lengths uint64

// Uses of lengths: for names at one edit, with up to one letter left out; and for
// names at two edits, of one label and of more, as they stand, and with up to one
// letter left out near the end.
const (
	edits = iota
	doublesWhole
	doublesWholeMore
	doublesAny
	doublesAnyMore
	useBits = 12
)

func (l lengths) has(use, length int) bool {
	return l>>(uint(use*useBits)+uint(length)%useBits)&1 != 0
}

func (l *lengths) add(use, length int) { *l |= 1 << (use*useBits + length%useBits) }

// more is 1 for names of several labels, which have uses of their own.
func more(labels int) int {
	if labels > 1 {
		return 1
	}
	return 0
}

// addEdits puts in the strings that letters leave with up to one left out.
func (e *ends) addEdits(letters []rune) {
	n := len(letters)
	for length := max(n-1, endsMin-2); length <= n; length++ {
		e.add(letters, edits, length, n-length)
	}
}

// addDoubles puts in those with up to two left out, of a name of so many labels.
func (e *ends) addDoubles(letters []rune, labels int) {
	n := len(letters)
	for length := max(n-2, endsMin-2); length <= n; length++ {
		out := min(n-length, 1)
		if length == endsMin-2 {
			out = n - length // where letters in the middle change places, both are near an end
		}
		e.add(letters, doublesWhole+more(labels), length, 0)
		e.add(letters, doublesAny+more(labels), length, out)
	}
}

// add puts in both ends of letters for strings of a length, with up to so many
// letters left out near the end.
func (e *ends) add(letters []rune, use, length, out int) {
	n := len(letters)
	var end [endLetters + 2]rune // the outermost letter first
	copy(end[:], letters)
	e.front.add(end[:], use, length, out)
	for i := range min(n, len(end)) {
		end[i] = letters[n-1-i]
	}
	e.back.add(end[:], use, length, out)
}

func (t *endTable) add(end []rune, use, length, out int) {
	key := uint32(0)
	for i, c := range end[:endLetters] {
		key |= five(c) << (5 * i)
	}
	t.at(key).add(use, length)
	if out == 0 {
		return
	}
	without := make([]rune, 0, endLetters+2)
	for i := range endLetters {
		without = append(append(without[:0], end[:i]...), end[i+1:]...)
		t.add(without, use, length, out-1)
	}
}

func five(letter rune) uint32 { return uint32(glyph(letter)) & 31 }

// endLengths holds the lengths of strings that begin, or end, with the letters at
// an end of a name: as it stands, and with one letter left out there or none.
type endLengths struct{ whole, any lengths }

// edges holds what is known of the ends of a reading: of the last letters, where
// all runs of rightmost labels have the same, and of the first letters of each.
// Runs of fewer than endsMin letters have none.
type edges struct {
	front endLengths
	back  [compareLabels]endLengths
}

// read looks the ends of r up.
func (e *edges) read(in *ends, r *reading) {
	if r.size < endsMin {
		return
	}
	l := r.letters
	e.front = in.front.of(l[0], l[1], l[2], l[3], l[4])
	for k := range min(r.labels, compareLabels) {
		if n := r.end(k); n >= endsMin {
			l := r.letters[n-5 : n]
			e.back[k] = in.back.of(l[4], l[3], l[2], l[1], l[0])
		}
	}
}

// of takes the outermost letter first.
func (t *endTable) of(a, b, c, d, e rune) endLengths {
	v, w, x, y, z := five(a), five(b)<<5, five(c)<<10, five(d)<<15, five(e)<<15
	whole := *t.at(v | w | x | y)
	x2, y2 := x>>5, y>>5
	any := whole | *t.at(w>>5 | x2 | y2 | z) | *t.at(v | x2 | y2 | z) | *t.at(v | w | y2 | z) | *t.at(v | w | x | z)
	return endLengths{whole, any}
}

// edits reports whether the rightmost k+1 labels, of n letters, may be at one edit
// from a protected name.
func (e *edges) edits(k, n int) bool {
	if n < endsMin {
		return true
	}
	front, back := &e.front, &e.back[k]
	return (front.whole&back.whole).has(edits, n) || (front.whole&back.any|front.any&back.whole).has(edits, n-1)
}

// doubleEdits says where the two edits of names with certain ends may be.
type doubleEdits uint8

const (
	behindFront doubleEdits = 1 << iota // the front is whole
	beforeBack                          // the back is whole
	oneAtEach                           // one near each end
	anywhere    = behindFront | beforeBack | oneAtEach
)

// doubles says where the rightmost k+1 labels, of n letters, may be at two edits
// from a protected name, with as many letters left out as the index of the result
// says.
func (e *edges) doubles(k, n int) (at [3]doubleEdits) {
	if n < endsMin {
		return [...]doubleEdits{anywhere, anywhere, anywhere}
	}
	front, back := &e.front, &e.back[k]
	any, m := front.any&back.any, more(k+1)
	for out := range at {
		if front.whole.has(doublesWhole+m, n-out) {
			at[out] |= behindFront
		}
		if back.whole.has(doublesWhole+m, n-out) {
			at[out] |= beforeBack
		}
		if any.has(doublesAny+m, n-out) {
			at[out] |= oneAtEach
		}
	}
	return at
}

// pairOfPlaces is two places, the smaller one first.
type pairOfPlaces struct{ i, j uint8 }

// pairsBelow holds all pairs of places, ordered by the greater one: those below n are
// the first n*(n-1)/2. One loop over them costs less than a loop in a loop, whose many
// ends a processor cannot foresee.
var pairsBelow = func() (all []pairOfPlaces) {
	for j := range uint8(doubleMax + 2) {
		for i := range j {
			all = append(all, pairOfPlaces{i, j})
		}
	}
	return all
}()

// pairsApart holds, by the number of letters, the pairs with one place near each end.
var pairsApart = func() (all [doubleMax + 3][]pairOfPlaces) {
	for n := endsMin; n < len(all); n++ {
		for i := range endLetters + 1 {
			for j := max(i+1, n-endLetters-1); j < n; j++ {
				all[n] = append(all[n], pairOfPlaces{uint8(i), uint8(j)})
			}
		}
	}
	return all
}()

// pairs returns which two letters of n are to be left out, as pairs of places behind
// the first so many.
func (at doubleEdits) pairs(n int) (from int, pairs []pairOfPlaces) {
	switch at {
	case behindFront:
		from, n = endLetters, n-endLetters
	case beforeBack:
		n -= endLetters
	case oneAtEach:
		return 0, pairsApart[n]
	}
	return from, pairsBelow[:n*(n-1)/2]
}
