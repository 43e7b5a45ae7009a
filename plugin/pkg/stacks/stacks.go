// Package stacks has goroutines start with a stack that a query needs.
//
// CoreDNS begins a goroutine for each query over UDP. It starts with 2 KiB of
// stack, which a chain of plugins outgrows: the runtime then copies the stack,
// frame by frame, to one of twice the size, up to three times a query. In CPU
// profiles this is 14 to 18 % of all that the server does.
//
// Go starts goroutines with the average stack in use that the garbage collector
// saw at its last collection, rounded up to a power of two (runtime.
// gcComputeStartingStackSize, since Go 1.19). In a server most goroutines wait,
// with little stack in use, so that the average stays small. A Keeper parks a
// few goroutines that have much stack in use, and so raises it. They cost 64 KiB
// each and no time.
//
// The size, [Query], is chosen by measurement (Go 1.27, two processors, one for the
// server, a Corefile with prometheus, errors, health, loop, cache and template).
// In CPU profiles, growing stacks is 3 % of passing and 8 % of blocked queries with
// 8 KiB, and at most 1 % with 16. Memory speaks for neither: with 10,000 queries in
// flight, which forward holds, each has 16 KiB of stack in the end, from whatever
// size it has grown; the whole server then has 203 to 228 MiB with 2, 4, 8 or
// 16 KiB alike. Under load the average wanders, so that now and then goroutines
// start with half of the size or twice as much.
//
// A Go that ignores this, or GODEBUG=adaptivestackstart=0, makes the Keeper give
// up: the server works as before.
package stacks

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Query is the starting size that a chain of plugins needs, in bytes.
const Query = 16 << 10

const (
	frame    = 62 << 10    // stack that a holder uses; with it, it has 64 KiB
	usual    = 1 << 10     // stack that a waiting goroutine uses, about
	most     = 64          // holders at a time, 4 MiB
	tries    = 16          // collections that Start may ask for
	later    = 8           // and the Keeper afterwards, while the server loads its lists
	interval = time.Second // between two looks
)

var _ = promauto.NewGaugeFunc(prometheus.GaugeOpts{
	Namespace: plugin.Namespace,
	Subsystem: "lookalike",
	Name:      "stack_start_bytes",
	Help:      "Gauge of the stack that a new goroutine starts with.",
}, func() float64 { return float64(look().size) })

// A Keeper keeps the starting size. Its methods are for one goroutine.
type Keeper struct {
	goal    uint64
	holders []chan<- struct{} // each ends by its closing
	stop    chan struct{}
	keeper  sync.WaitGroup
	parked  sync.WaitGroup // the holders
}

// Start makes goal, a power of two in bytes, the starting size of goroutines,
// by a few collections, and keeps it until Stop. It returns an error where this
// Go has another way; the Keeper then does nothing.
func Start(goal int) (*Keeper, error) {
	k := &Keeper{goal: uint64(max(goal, 0)), stop: make(chan struct{})}
	for range tries {
		runtime.GC() // what was seen before may be of other goroutines
		if k.correct(look()) {
			k.keeper.Go(k.keep)
			return k, nil
		}
	}
	seen := look()
	k.hold(0)
	return k, fmt.Errorf("goroutines start with %d bytes of stack instead of %d", seen.size, goal)
}

// Stop ends the Keeper and its goroutines.
func (k *Keeper) Stop() {
	close(k.stop)
	k.keeper.Wait()
	k.hold(0)
	k.parked.Wait()
}

// keep corrects the number of holders after each collection: goroutines come
// and go with listeners, connections and queries.
func (k *Keeper) keep() {
	defer guard.Recover("stacks")
	tick := time.NewTicker(interval)
	defer tick.Stop()
	last, left := look().collections, later
	for {
		select {
		case <-k.stop:
			return
		case <-tick.C:
		}
		now := look()
		if now.collections == last {
			continue
		}
		if !k.correct(now) && left > 0 {
			left--
			runtime.GC()
		}
		last = now.collections
	}
}

// correct changes the number of holders for the next collection, and reports
// whether the size is right as it is.
func (k *Keeper) correct(now sample) bool {
	others, have := max(1, now.goroutines-len(k.holders)), len(k.holders)
	// The average that is wanted lies in the middle of those rounded up to goal.
	average := int(k.goal) * 3 / 4 //nolint:gosec // it was an int
	want := others * (average - usual) / (frame - average)
	switch {
	case now.size < k.goal:
		k.hold(max(want, have+1))
	case now.size > k.goal && have > 1:
		k.hold(min(want, have-1))
	}
	// Where next to nothing runs, one holder may already be too much, and none too
	// few.
	return now.size == k.goal || now.size > k.goal && have <= 1
}

// hold has n holders, or as near to it as is allowed.
func (k *Keeper) hold(n int) {
	n = min(max(n, 0), most)
	for len(k.holders) > n {
		last := len(k.holders) - 1
		close(k.holders[last])
		k.holders = k.holders[:last]
	}
	for len(k.holders) < n {
		release, parked := make(chan struct{}), make(chan struct{})
		k.parked.Go(func() {
			defer guard.Recover("stacks")
			park(parked, release, false)
		})
		<-parked
		k.holders = append(k.holders, release)
	}
}

// park waits with a frame on its stack. The compiler leaves the frame there
// since its contents could matter; callers pass false.
//
//go:noinline
func park(parked chan<- struct{}, release <-chan struct{}, use bool) (sum byte) {
	var room [frame]byte
	close(parked)
	<-release
	if use {
		for i := range room {
			room[i] = sum
			sum += room[len(room)-1-i]
		}
	}
	return sum
}

// sample is what the runtime says of itself.
type sample struct {
	size        uint64 // stack that a goroutine starts with; 0 where the runtime does not tell
	collections uint64
	goroutines  int
}

func look() sample {
	s := []metrics.Sample{{Name: "/gc/stack/starting-size:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s)
	number := func(v metrics.Value) uint64 {
		if v.Kind() != metrics.KindUint64 {
			return 0
		}
		return v.Uint64()
	}
	return sample{number(s[0].Value), number(s[1].Value), runtime.NumGoroutine()}
}
