package deliver

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// TestDelay says how long a runner waits after an attempt that failed.
func TestDelay(t *testing.T) {
	down := errors.New("connection refused")
	after := func(d time.Duration) error { return fmt.Errorf("post: %w", &sink.Later{After: d, Err: down}) }
	tests := []struct {
		name     string
		attempts int // before this one
		err      error
		low      time.Duration
		high     time.Duration // where that is more, delays are spread evenly over what is between
	}{
		{"the first attempt", 0, down, 0, 500 * time.Millisecond},
		{"the second", 1, down, 0, time.Second},
		{"the third", 2, down, 0, 2 * time.Second},
		{"the seventh", 6, down, 0, 32 * time.Second},
		{"the eighth", 7, down, 0, time.Minute},
		{"the ninth", 8, down, 0, time.Minute},
		{"the thousandth", 999, down, 0, time.Minute},
		{"the receiver names a time", 0, after(7 * time.Second), 7 * time.Second, 7 * time.Second},
		{"a time longer than any other pause", 999, after(10 * time.Minute), 10 * time.Minute, 10 * time.Minute},
		{"a time that is hardly one", 999, after(time.Millisecond), firstBackoff, firstBackoff},
		{"no time at all", 999, after(-time.Second), firstBackoff, firstBackoff},
		{"a time that is too long", 0, after(24 * time.Hour), time.Hour, time.Hour},
		{"not let in", 0, &sink.Denied{Err: down}, 5 * time.Minute, 5 * time.Minute},
		{"not let in for long", 999, &sink.Denied{Err: down}, 5 * time.Minute, 5 * time.Minute},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			const n = 4000
			var tr backoff
			var sum time.Duration
			least, most := time.Hour*24, time.Duration(0)
			for range n {
				tr.attempts = tc.attempts
				d := tr.next("delay", running, tc.err)
				if tr.attempts != tc.attempts+1 {
					t.Fatalf("Got %d attempts counted after %d", tr.attempts, tc.attempts)
				}
				least, most, sum = min(least, d), max(most, d), sum+d
			}
			const slack = time.Millisecond // that every random delay has on top
			if least < tc.low || most > tc.high+slack {
				t.Errorf("Got delays from %v to %v, want them from %v to %v", least, most, tc.low, tc.high)
			}
			// The mean of so many has a deviation of half a hundredth of the width.
			width := tc.high - tc.low
			if mean := sum / n; least > tc.low+width/20+slack || most < tc.high-width/20 || (mean-tc.low-width/2).Abs() > width/20+slack {
				t.Errorf("Got delays from %v to %v, %v on average, want them spread from %v to %v", least, most, mean, tc.low, tc.high)
			}
		})
	}
}

// TestDelayAtTheEnd holds that nothing makes a pause long when there is no time.
func TestDelayAtTheEnd(t *testing.T) {
	down := errors.New("connection refused")
	for _, err := range []error{down, &sink.Denied{Err: down}, &sink.Later{After: time.Hour, Err: down}} {
		b := backoff{attempts: 9}
		if d := b.next("delay", ending, err); d > 251*time.Millisecond {
			t.Errorf("Got a pause of %v after %v", d, err)
		}
	}
}
