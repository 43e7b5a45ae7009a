package group

import (
	"math"
	"math/bits"
)

// sketch estimates how many different hashes were added to it: HyperLogLog
// (Flajolet et al. 2007) with 256 registers, standard error 6.5 %, with linear
// counting for small numbers.
type sketch [256]uint8

func (s *sketch) add(hash uint64) {
	rank := uint8(bits.LeadingZeros64(hash<<8|1<<7)) + 1 //nolint:gosec // at most 56
	if r := &s[hash>>56]; *r < rank {
		*r = rank
	}
}

func (s *sketch) estimate() uint64 {
	const m = float64(len(s))
	sum, empty := 0.0, 0
	for _, r := range s {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			empty++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && empty > 0 {
		estimate = m * math.Log(m/float64(empty))
	}
	return uint64(math.Round(estimate))
}
