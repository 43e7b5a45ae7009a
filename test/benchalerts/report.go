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
// seconds, and the ratios to the first ones with a 95 % interval.
func report(probe *subject, subjects []*subject, duration time.Duration, rate int) {
	calm := calmer(probe.samples)
	fmt.Printf(`Latency of blocked names by where alerts go, all servers asked in turn: %d queries/s
each for %v, one name in %d new, from %d clients. Ratios are to the first two
together, equal servers with the same directive and alerts to a file; how far each of them
is from 1 is noise. Counted are the %d seconds in which an echo in the measuring program
was least late (at most %v). The intervals hold 95 %% of %d draws of these seconds.

`, rate, duration, newOnes, clients, len(calm.seconds), round(calm.worst), draws)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "p50\tp99\tp50 ratio\t95 %\tp99 ratio\t95 %\tCPU/query\tno answer\talerts go to\t")
	var well []sample
	for _, s := range subjects[:equal] {
		well = append(well, s.samples...)
	}
	base := calm.of(well)
	for _, s := range subjects {
		samples := calm.of(s.samples)
		half, tail := compare(samples, base, calm.seconds, 0.5), compare(samples, base, calm.seconds, 0.99)
		fmt.Fprintf(table, "%v\t%v\t%s\t%s\t%v\t%d\t%s\t\n", round(half.value), round(tail.value), half, tail,
			round(s.cpu/time.Duration(len(s.samples)+s.lost)), s.lost, s.name)
	}
	table.Flush()
}

// calmness says which seconds of a run count.
type calmness struct {
	seconds []int
	worst   time.Duration // of the echo in them
}

// calmer returns the half of the seconds in which the slowest echo was fastest.
func calmer(echoes []sample) calmness {
	slowest := make(map[int]time.Duration)
	for _, s := range echoes {
		slowest[s.second] = max(slowest[s.second], s.latency)
	}
	seconds := slices.SortedFunc(maps.Keys(slowest), func(a, b int) int {
		return cmp.Or(cmp.Compare(slowest[a], slowest[b]), cmp.Compare(a, b))
	})
	seconds = seconds[:(len(seconds)+1)/2]
	return calmness{seconds, slowest[seconds[len(seconds)-1]]}
}

// of returns the samples that count, sorted.
func (c calmness) of(samples []sample) []sample {
	counts := make(map[int]bool, len(c.seconds))
	for _, second := range c.seconds {
		counts[second] = true
	}
	samples = slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return !counts[s.second] })
	slices.SortFunc(samples, func(a, b sample) int { return cmp.Compare(a.latency, b.latency) })
	return samples
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Nanosecond) }

// ratio is of a quantile of one server to that of another.
type ratio struct {
	value     time.Duration // of the one
	ratio     float64
	low, high float64
}

func (r ratio) String() string { return fmt.Sprintf("%.3f\t%.3f-%.3f", r.ratio, r.low, r.high) }

// draws is how often the seconds of a run are drawn with replacement.
const draws = 1000

// compare returns the ratio of a quantile of sorted samples to that of others,
// with the interval that a bootstrap gives: the seconds of the run are drawn
// again and again, the same ones for both servers, since what the machine did
// in a second met both.
func compare(samples, others []sample, seconds []int, q float64) ratio {
	weights := make([]int, slices.Max(seconds)+1)
	for _, second := range seconds {
		weights[second] = 1
	}
	value := quantile(samples, weights, q)
	r := ratio{value: value, ratio: float64(value) / float64(quantile(others, weights, q))}
	drawn := make([]float64, draws)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same samples give the same interval
	for i := range drawn {
		clear(weights)
		for range seconds {
			weights[seconds[random.IntN(len(seconds))]]++
		}
		drawn[i] = float64(quantile(samples, weights, q)) / float64(quantile(others, weights, q))
	}
	slices.Sort(drawn)
	r.low, r.high = drawn[draws*25/1000], drawn[draws*975/1000]
	return r
}

// quantile returns a quantile of sorted samples, each as often as its second's
// weight says. It counts from the end, which is near for high ones.
func quantile(samples []sample, weights []int, q float64) time.Duration {
	total := 0
	for _, s := range samples {
		total += weights[s.second]
	}
	above := total - int(float64(total)*q)
	for _, s := range slices.Backward(samples) {
		if above -= weights[s.second]; above <= 0 {
			return s.latency
		}
	}
	return 0
}
