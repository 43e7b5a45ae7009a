package detect

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkCostliest searches, by the clock, for the name that takes longest to compare,
// and measures it. TestWorstName searches by counted work, which no other load disturbs.
func BenchmarkCostliest(b *testing.B) {
	for _, n := range []int{258, 5_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			names := benchNames(n)
			x := benchIndex(b, n)
			worst, longest := "", time.Duration(0)
			r := rand.New(rand.NewPCG(77, uint64(n)))
			for range 5 {
				most := time.Duration(0)
				q, _ := climb(r, func(q string) time.Duration {
					took := timeOf(x, q, most)
					most = max(most, took)
					return took
				}, names, 4_000)
				if took := timeOf(x, q+".ml", 0); took > longest {
					worst, longest = q, took
				}
			}
			b.Logf("%v work %d: %s", longest, workOf(x, worst+".ml"), worst)
			for b.Loop() {
				x.Match(worst + ".ml")
			}
		})
	}
}

// timeOf returns how long a name takes: the shortest of several times, which nothing
// else has disturbed. It gives up when that is less than least.
func timeOf(x *Index, q string, least time.Duration) time.Duration {
	shortest := time.Hour
	for i := 0; i < 20 && shortest > least; i++ {
		start := time.Now()
		x.Match(q)
		shortest = min(shortest, time.Since(start))
	}
	return shortest
}
