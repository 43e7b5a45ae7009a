package detect

import "math/bits"

// gate is a set of hashes that may claim to hold others: it answers most misses
// without a look into a table. It holds no pointers, so the garbage collector does
// not look into it.
type gate struct{ words []uint64 }

// gateBitsPerHash makes about one miss in two hundred pass a gate.
const gateBitsPerHash = 16

// newGate returns a gate with room for the given number of hashes.
func newGate(hashes int) gate { return gate{make([]uint64, hashes*gateBitsPerHash/64+1)} }

// patterns are sets of four bits of a word, which a hash has one of.
var patterns = func() (all [patternCount]uint64) {
	h := uint64(1)
	for i := range all {
		for bits.OnesCount64(all[i]) < 4 {
			h *= base
			all[i] |= 1 << (h >> 58)
		}
	}
	return all
}()

const patternCount = 512

// place returns the word and the bits of it that belong to a hash.
func (g *gate) place(hash uint64) (word int, set uint64) {
	hi, lo := bits.Mul64(hash, uint64(len(g.words)))
	return int(hi), patterns[lo/(1<<64/patternCount)]
}

// add makes has true for a hash.
func (g *gate) add(hash uint64) {
	word, set := g.place(hash)
	g.words[word] |= set
}

// has reports false for a hash that was not added, but for a few.
func (g *gate) has(hash uint64) bool {
	word, set := g.place(hash)
	return g.words[word]&set == set
}
