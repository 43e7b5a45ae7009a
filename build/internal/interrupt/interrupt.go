// Package interrupt ends work that a signal interrupts.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// grace is how long interrupted work may take to finish its line.
const grace = 200 * time.Millisecond

// Context returns a context that the first signal to end cancels. A second
// one ends the process at once, even where output blocks.
func Context() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// Within returns what do returns or, where that blocks after ctx is done, the
// error of ctx: no signal ends an open or a read. The process has to end then, and
// must not touch what do uses.
func Within[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-done:
		return r.value, r.err
	case <-time.After(grace):
		return *new(T), ctx.Err()
	}
}
