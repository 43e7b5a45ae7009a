// Package wait has the waits of the tests. Each has a deadline, and a test that
// reaches it says what it waited for, and what every goroutine was doing.
package wait

import (
	"context"
	"os/exec"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// Limit is how long a test waits for something that ought to happen soon.
const Limit = time.Minute

// Until waits until ok holds.
func Until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	Within(tb, Limit, what, ok)
}

// Within waits until ok holds, for no longer than limit. It asks again after a
// millisecond, and then ever less often.
func Within(tb testing.TB, limit time.Duration, what string, ok func() bool) {
	tb.Helper()
	const mostPause = 50 * time.Millisecond
	pause := time.Millisecond
	for began := time.Now(); !ok(); pause = min(2*pause, mostPause) {
		if time.Since(began) > limit {
			inVain(tb, limit, what)
		}
		time.Sleep(pause)
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
		inVain(tb, Limit, what)
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
func inVain(tb testing.TB, limit time.Duration, what string) {
	tb.Helper()
	var goroutines strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&goroutines, 1) // a strings.Builder takes everything
	tb.Fatalf("Waited %v in vain for %s. The goroutines:\n%s", limit, what, goroutines.String())
}

// Command is a program that is killed when it runs for longer than limit, or
// when the test ends.
func Command(tb testing.TB, limit time.Duration, name string, args ...string) *exec.Cmd {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), limit)
	tb.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = 5 * time.Second // for children of it that keep its output open
	return cmd
}
