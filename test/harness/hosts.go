package harness

import (
	"math/rand/v2"
	"strings"
)

// Hosts returns a list of n names, of 17 characters on average. The same seed gives
// the same names.
func Hosts(n int, seed uint64) string {
	var b strings.Builder
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		for range 9 + r.IntN(9) {
			b.WriteByte(byte('a' + r.IntN(26)))
		}
		b.WriteString(".mil\n")
	}
	return b.String()
}
