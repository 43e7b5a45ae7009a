package detect

import (
	"math/bits"
)

// This file indexes the four letters at either end of protected names. Few names
// share them, so the ends of a longer name rule out most searches for one or two
// edits.
//
// Two names at one edit become equal when each loses at most one letter. If that
// letter is near one end, the other end is whole. Two names at two edits become
// equal when each loses at most two letters. Then either one end is whole in both,
// or one edit is near each end.

const (
	endLetters = 4 // of one end
	// endsMin is the fewest letters of a name whose ends are looked at. With two
	// letters left out, no letter is near both ends.
	endsMin = 2*endLetters - 1 + 2
)

// ends maps the letters at an end to the lengths of strings that have them.
type ends struct{ front, back endTable }

// newEnds returns empty ends with room for a number of names.
func newEnds(names int) ends {
	const least, most = 8, 14 // 256 KiB for both
	size := min(max(bits.Len(uint(16*names)), least), most)
	return ends{newEndTable(size), newEndTable(size)}
}

// endTable maps the letters at one end to lengths. Some ends share a place, so it
// may claim lengths that no name has.
type endTable struct {
	lengths []lengths
	shift   uint8
}

func newEndTable(size int) endTable { return endTable{make([]lengths, 1<<size), uint8(32 - size)} }

// at returns the place of letters of five bits each. That is enough: glyphs leaves
// no digits.
func (t *endTable) at(letters uint32) *lengths {
	return &t.lengths[int(letters*0x9e3779b1>>(t.shift&31))&(len(t.lengths)-1)]
}

// lengths holds a set of lengths, modulo useBits, for each use: bit n of a use is
// set for n letters.
type lengths uint64

// Uses of lengths.
const (
	edits            = iota // one edit, with up to one letter left out
	doublesWhole            // two edits, one label, with the end whole
	doublesWholeMore        // the same, several labels
	doublesAny              // two edits, one label, with up to one letter left out near the end
	doublesAnyMore          // the same, several labels
	useBits          = 12
)

func (l lengths) has(use, length int) bool {
	return l>>(uint(use*useBits)+uint(length)%useBits)&1 != 0
}

func (l *lengths) add(use, length int) { *l |= 1 << (use*useBits + length%useBits) }

// more is 1 for several labels, whose uses come after those of one label.
func more(labels int) int {
	if labels > 1 {
		return 1
	}
	return 0
}

// addEdits adds letters, and the strings that remain when one letter is left out.
func (e *ends) addEdits(letters []rune) {
	n := len(letters)
	for length := max(n-1, endsMin-2); length <= n; length++ {
		e.add(letters, edits, length, n-length)
	}
}

// addDoubles does so for up to two letters, of a name with a number of labels.
func (e *ends) addDoubles(letters []rune, labels int) {
	n := len(letters)
	for length := max(n-2, endsMin-2); length <= n; length++ {
		out := min(n-length, 1)
		if length == endsMin-2 {
			out = n - length // two letters in the middle that change places are both near an end
		}
		e.add(letters, doublesWhole+more(labels), length, 0)
		e.add(letters, doublesAny+more(labels), length, out)
	}
}

// add adds both ends of letters, for strings of the given length. Up to out
// letters are left out near an end.
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

// endLengths holds the lengths of strings that share an end with a name: its whole
// end, and any end that is left when at most one letter is left out there.
type endLengths struct{ whole, any lengths }

// edges holds the lengths for both ends of a reading. All runs of rightmost labels
// share the last letters, and each has first letters of its own. Runs of fewer
// than endsMin letters have no lengths.
type edges struct {
	front endLengths
	back  [compareLabels]endLengths
}

// read looks up the ends of r.
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

// of returns the lengths for the five letters at an end, the outermost first.
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

// doubles says where two edits may lie between a protected name and the rightmost
// k+1 labels, of n letters. The index of at is the number of letters left out.
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

// pairsBelow holds all pairs of places, ordered by the greater one: the first n*(n-1)/2
// are those below n. One loop over them is faster than a loop in a loop, whose ends a
// processor mispredicts.
var pairsBelow = func() (all []pairOfPlaces) {
	for j := range uint8(doubleMax + 2) {
		for i := range j {
			all = append(all, pairOfPlaces{i, j})
		}
	}
	return all
}()

// pairsApart holds the pairs with one place near each end, by the number of letters.
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

// pairs returns which two of n letters to leave out: pairs of places, to be added to
// from.
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
