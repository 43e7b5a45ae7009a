package perf

import (
	"cmp"
	"slices"
)

// number is what quantiles are taken of.
type number interface {
	cmp.Ordered
	~int64 | ~float64
}

// Quantile returns the value below which the part q of the list is, between
// neighbours in proportion. The list must have a value.
func Quantile[N number](list []N, q float64) N {
	sorted := slices.Sorted(slices.Values(list))
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + N((at-float64(i))*float64(sorted[i+1]-sorted[i]))
}
