package main

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

// equal is how many subjects, the first ones, are equal servers that ratios are
// to: all together, so that the chance of one does not become everybody's.
const equal = 2

// report prints the quantiles over all answers of each server in the calmer
// moments, and the ratios to the first ones with a 95 % interval.
func report(probe *subject, subjects []*subject, duration time.Duration, rate int) {
	calm := calmer(probe.samples)
	fmt.Printf(`Latency of blocked names by where alerts go, all servers asked in turn: %d queries/s
each for %v, one name in %d new, from %d clients. Ratios are to the first two
together, equal servers with the same directive and alerts to a file; how far each of
them is from 1 is noise. Counted is the quarter of all moments of %v in which a process
that only echoes was least late, at most %v. The intervals hold 95 %% of %d draws of
these moments. CPU is over the whole run.

`, rate, duration, newOnes, clients, moment, round(calm.worst), draws)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "p50\tratio\t95 %\tp99\tratio\t95 %\tCPU/query\tno answer\talerts go to\t")
	var well []sample
	for _, s := range subjects[:equal] {
		well = append(well, s.samples...)
	}
	base := calm.of(well)
	for _, s := range subjects {
		samples := calm.of(s.samples)
		fmt.Fprintf(table, "%s\t%s\t%v\t%d\t%s\t\n",
			compare(samples, base, calm.moments, 0.5), compare(samples, base, calm.moments, 0.99),
			round(s.cpu/time.Duration(len(s.samples)+s.lost)), s.lost, s.name)
	}
	table.Flush()
}

func byLatency(a, b sample) int { return cmp.Compare(a.latency, b.latency) }

// calmness says which moments of a run count.
type calmness struct {
	moments []int
	worst   time.Duration // of the echo in them
}

// calmer returns the quarter of the moments in which the slowest echo was fastest.
func calmer(echoes []sample) calmness {
	slowest := make(map[int]time.Duration)
	for _, s := range echoes {
		slowest[s.moment] = max(slowest[s.moment], s.latency)
	}
	moments := slices.SortedFunc(maps.Keys(slowest), func(a, b int) int {
		return cmp.Or(cmp.Compare(slowest[a], slowest[b]), cmp.Compare(a, b))
	})
	moments = moments[:(len(moments)+3)/4]
	return calmness{moments, slowest[moments[len(moments)-1]]}
}

// of returns the samples that count, sorted.
func (c calmness) of(samples []sample) []sample {
	counts := make(map[int]bool, len(c.moments))
	for _, m := range c.moments {
		counts[m] = true
	}
	samples = slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return !counts[s.moment] })
	slices.SortFunc(samples, byLatency)
	return samples
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Nanosecond) }

// ratio is of a quantile of one server to that of another.
type ratio struct {
	value     time.Duration // of the one
	ratio     float64
	low, high float64
}

func (r ratio) String() string {
	return fmt.Sprintf("%v\t%.2f\t%.2f-%.2f", round(r.value), r.ratio, r.low, r.high)
}

// draws is how often the moments of a run are drawn with replacement.
const draws = 1000

// compare returns the ratio of a quantile of sorted samples to that of others,
// with the interval that a bootstrap gives: the moments of the run are drawn
// again and again, the same ones for both servers, since what the machine did
// in a moment met both.
func compare(samples, others []sample, moments []int, q float64) ratio {
	weights := make([]int, slices.Max(moments)+1)
	for _, m := range moments {
		weights[m] = 1
	}
	value := quantile(samples, weights, q)
	r := ratio{value: value, ratio: float64(value) / float64(quantile(others, weights, q))}
	drawn := make([]float64, draws)
	random := rand.New(rand.NewPCG(1, 2)) // the same samples give the same interval
	for i := range drawn {
		clear(weights)
		for range moments {
			weights[moments[random.IntN(len(moments))]]++
		}
		drawn[i] = float64(quantile(samples, weights, q)) / float64(quantile(others, weights, q))
	}
	slices.Sort(drawn)
	r.low, r.high = drawn[draws*25/1000], drawn[draws*975/1000]
	return r
}

// quantile returns a quantile of sorted samples, each as often as its moment's
// weight says. It counts from the end, which is near for high ones.
func quantile(samples []sample, weights []int, q float64) time.Duration {
	total := 0
	for _, s := range samples {
		total += weights[s.moment]
	}
	above := total - int(float64(total)*q)
	for _, s := range slices.Backward(samples) {
		if above -= weights[s.moment]; above <= 0 {
			return s.latency
		}
	}
	return 0
}
