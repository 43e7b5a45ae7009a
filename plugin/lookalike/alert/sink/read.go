package sink

import (
	"context"
	"time"
)

// readTimeout is how long a receiver may take for the next of what it has.
const readTimeout = 30 * time.Second

// OpenReader opens a destination that the tool reads from. It connects nothing.
func OpenReader(parse Parser, a Address, o *Options) (Sink, error) {
	open, err := parse(a, o)
	if err == nil {
		err = o.Err()
	}
	if err != nil {
		return nil, err
	}
	return open(Env{Sensor: "reader", Guest: true})
}

// ReadOn calls next for what a receiver has, while left says that there is more of
// it. With a nil current it ends there. Otherwise it calls current, and then next
// until an error. It returns the error of next or current; that of a receiver which
// does not give what it has says what was waited for.
func ReadOn(ctx context.Context, what string, left func() bool, next func(context.Context) error, current func() error) error {
	for left() {
		one, stop := context.WithTimeout(ctx, readTimeout)
		err := next(one)
		stop()
		if err != nil {
			return Waited(ctx, what, readTimeout, err)
		}
	}
	if current == nil {
		return nil
	}
	for err := current(); ; err = next(ctx) {
		if err != nil {
			return err
		}
	}
}
