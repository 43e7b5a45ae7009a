package detect

import "math/bits"

// gate is a Bloom filter whose bits for one hash lie in one word. It answers most
// misses without a look into a table. It holds no pointers, so the garbage collector
// does not scan it.
type gate struct{ words []uint64 }

// gateBitsPerHash lets about one miss in two hundred through.
const gateBitsPerHash = 16

// newGate returns a gate with room for the given number of hashes.
func newGate(hashes int) gate { return gate{make([]uint64, hashes*gateBitsPerHash/64+1)} }

// patterns are sets of four bits of a word. Each hash has one of them.
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

// has reports whether a hash was added. It may report true for one that was not.
func (g *gate) has(hash uint64) bool {
	word, set := g.place(hash)
	return g.words[word]&set == set
}
