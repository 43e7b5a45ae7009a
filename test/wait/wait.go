// Package wait has the waits of the tests. Each has a deadline, and a test that
// reaches it says what it waited for, and what every goroutine was doing.
package wait

import (
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// Limit is how long a test waits for something that ought to happen soon.
const Limit = 30 * time.Second

// Until waits until ok holds.
func Until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for began := time.Now(); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Since(began) > Limit {
			inVain(tb, what)
		}
	}
}

// For waits for a value from the channel, or its close, and returns the value.
func For[T any](tb testing.TB, what string, from <-chan T) T {
	tb.Helper()
	deadline := time.NewTimer(Limit)
	defer deadline.Stop()
	select {
	case v := <-from:
		return v
	case <-deadline.C:
		inVain(tb, what)
		panic("unreachable")
	}
}

// Done runs f and waits for its end. As f runs in a goroutine of its own, it
// must not end the test.
func Done(tb testing.TB, what string, f func()) {
	tb.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	For(tb, what, done)
}

// inVain ends the test.
func inVain(tb testing.TB, what string) {
	tb.Helper()
	var goroutines strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&goroutines, 1) // a strings.Builder takes everything
	tb.Fatalf("Waited %v in vain for %s. The goroutines:\n%s", Limit, what, goroutines.String())
}
