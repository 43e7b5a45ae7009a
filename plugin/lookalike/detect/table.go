package detect

import "math/bits"

// table maps each 64-bit key to the numbers of several protected names. It may
// return names of other keys, so callers verify. It holds no pointers, so the
// garbage collector does not scan it.
type table struct {
	// A slot has the number plus one in the bits of ids, and a tag of the key in the
	// others; 0 is free. A million names leave 12 bits for the tag: one in 4,096 slots
	// of other keys has the tag that a search looks for.
	slots []uint32
	ids   uint32
}

// newTable returns a table with room for a number of keys and protected names.
func newTable(keys, names int) table {
	return table{
		slots: make([]uint32, keys+keys/4+1), // at most four fifths full: gates answer nearly all misses
		ids:   1<<bits.Len(uint(names)) - 1,
	}
}

// home returns the slot where the search for key begins.
func (t *table) home(key uint64) int {
	hi, _ := bits.Mul64(key, uint64(len(t.slots)))
	return int(hi)
}

// tag returns the bits of key that a slot holds, in their places.
func (t *table) tag(key uint64) uint32 { return uint32(key) &^ t.ids }

// add puts id under key.
func (t *table) add(key uint64, id uint32) {
	slot := t.tag(key) | (id + 1)
	i := t.home(key)
	for t.slots[i] != 0 {
		if t.slots[i] == slot {
			return
		}
		if i++; i == len(t.slots) {
			i = 0
		}
	}
	t.slots[i] = slot
}

// probe walks the names under a key.
type probe struct {
	table *table
	tag   uint32
	at    int
}

func (t *table) find(key uint64) probe { return probe{t, t.tag(key), t.home(key)} }

// next returns the next name, or false after the last.
func (p *probe) next() (uint32, bool) {
	slots, ids := p.table.slots, p.table.ids
	for {
		slot := slots[p.at]
		if slot == 0 {
			return 0, false
		}
		if p.at++; p.at == len(slots) {
			p.at = 0
		}
		if slot&^ids == p.tag {
			return slot&ids - 1, true
		}
	}
}

// The hash of a string is a polynomial modulo 2^64: the sum of each letter i times
// firstPower times base to the power of i. So the hashes of its beginnings give the hash
// of the string without some of its letters.
const (
	base        = 0xd6e8feb86659fd93 // odd, so that it has an inverse
	baseInverse = 0xcfee444d8b59a89b
	firstPower  = 0x9e3779b97f4a7c15 // not 1, so that hashes of few letters fill 64 bits, too
)

// powers holds firstPower times the powers of base. A letter adds two to a skeleton at
// most. The size is a power of two, which saves bounds checks.
var powers = func() (table [4 * maxLetters]uint64) {
	for n := range table {
		table[n] = firstPower * power(base, n)
	}
	return table
}()

// prefixHashes sets h, which needs the room, to the hashes of the first 0, 1, 2, ...
// letters, with glyphs applied.
func prefixHashes(h []uint64, letters []rune) []uint64 {
	letters = letters[:min(len(letters), maxLetters)]
	h = h[:len(letters)+1]
	sum := uint64(0)
	h[0] = 0
	for i, r := range letters {
		sum += powers[i&(len(powers)-1)] * uint64(glyph(r))
		h[i+1] = sum
	}
	return h
}

// compared sets h to the prefix hashes of the labels of r that are compared letter by
// letter. r has at least one label.
func (r *reading) compared(h []uint64) []uint64 {
	return prefixHashes(h, r.run(min(r.labels, compareLabels)-1))
}

// without returns the hash of a string without letter i. whole is the hash of the
// string, and h are its prefix hashes.
func without(h []uint64, whole uint64, i int) uint64 {
	return h[i] + (whole-h[i+1])*baseInverse
}

// without2 is without for letters i and j, i < j.
func without2(h []uint64, whole uint64, i, j int) uint64 {
	return h[i] + ((h[j]-h[i+1])+(whole-h[j+1])*baseInverse)*baseInverse
}

// inversePowers holds the powers of baseInverse.
var inversePowers = func() (table [2*maxLetters + 1]uint64) {
	for n := range table {
		table[n] = power(baseInverse, n)
	}
	return table
}()

func inversePower(n int) uint64 { return inversePowers[n] }

// skeletonHasher hashes a skeleton, letter by letter. A letter that reads as a pair
// counts as that pair.
type skeletonHasher struct {
	sum  uint64
	size int // of the skeleton
}

// terms holds what each letter adds to a skeletonHasher.
var terms = func() (table [128]struct {
	sum  uint64
	size int
}) {
	for r := range table {
		term, p := &table[r], apart[r]
		term.sum, term.size = uint64(p.last), 1
		if p.first != 0 {
			term.sum, term.size = term.sum+power(base, 1)*uint64(p.first), 2
		}
	}
	return table
}()

// power returns b to the power of n, modulo 2^64.
func power(b uint64, n int) uint64 {
	p := uint64(1)
	for range n {
		p *= b
	}
	return p
}

func (h *skeletonHasher) add(letters []rune) {
	sum, size := h.sum, h.size
	for _, r := range letters {
		p := powers[size&(len(powers)-1)] // which size stays below
		if r >= 128 {
			sum += p * uint64(r)
			size++
			continue
		}
		t := &terms[r&127]
		sum += p * t.sum
		size += t.size
	}
	h.sum, h.size = sum, size
}

// after returns the hash of the skeleton of h without its beginning.
func (h *skeletonHasher) after(beginning *skeletonHasher) uint64 {
	return (h.sum - beginning.sum) * inversePower(beginning.size)
}

func skeletonOf(letters []rune) uint64 {
	var h skeletonHasher
	h.add(letters)
	return h.sum
}

// Kinds of keys, which share a table.
const (
	skeletonKey = 0x9e3779b97f4a7c15 // of the skeleton
	editKey     = 0x2545f4914f6cdd1d // of the letters, whole or with one left out
	doubleKey   = 0xa0761d6478bd642f // of the letters with up to two left out
	togetherKey = 0x5851f42d4c957f2d // of the last letters of a name that may run together with others
)

// key spreads a hash over all 64 bits.
func key(hash, kind uint64) uint64 {
	hash = (hash ^ kind) * 0x9e3779b97f4a7c15
	return hash ^ hash>>32
}
