package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	golog "log"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// lastMoment is a queue that gets its last record just after it was found
// empty, and then no more.
type lastMoment struct {
	*queue
	end func()
}

func (l *lastMoment) Take(n int) []*Record {
	records := l.queue.Take(n)
	if len(records) == 0 && l.end != nil {
		l.push([]*Record{{ID: "last"}})
		l.end()
		l.end = nil
	}
	return records
}

// TestNextAtTheEnd stops a runner between its look for records and its look
// whether there will be any more: it delivers what came in between.
func TestNextAtTheEnd(t *testing.T) {
	r := &runner{draining: make(chan struct{}), batch: 10}
	r.source = &lastMoment{newQueue(10, func() {}, func() {}), func() { close(r.draining) }}
	records := r.next(t.Context())
	if len(records) != 1 || records[0].ID != "last" {
		t.Fatalf("Got %v, want the last record", records)
	}
	r.source.Settle(1)
	if records := r.next(t.Context()); records != nil {
		t.Errorf("Got %v after the last record, want none", records)
	}
}

// TestOtherCredentials holds that a sink that was not let in tries again soon
// after somebody has changed a file that it reads, and not before.
func TestOtherCredentials(t *testing.T) {
	tests := []struct {
		name   string
		change func(path string) error
		within time.Duration // of the change, a minute after the attempt
	}{
		{"another secret", func(path string) error { return os.WriteFile(path, []byte("longer"), 0o600) }, 2 * filesEvery},
		{"the secret is gone", os.Remove, 2 * filesEvery},
		{"the same secret", func(string) error { return nil }, deniedPause - time.Minute + time.Second},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{fail: &sink.Denied{Err: errors.New("401")}}
				d := r.destination("rotating " + tc.name)
				d.files = []string{path}
				p := open(t, d)
				p.Observe(now("army.ml"))
				time.Sleep(time.Minute)
				r.set(func() { r.fail = nil })
				if err := tc.change(path); err != nil {
					t.Error(err)
				}
				time.Sleep(tc.within)
				want(t, "records", phases(t, r.all()), []string{"1 first 1"})
				shut(t, p)
			})
		})
	}
}

// TestRefusesAll holds that a receiver that refuses whatever it gets is taken
// for one that is down: it costs few records, and gets the others later.
func TestRefusesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{fail: &sink.Refused{Err: errors.New("the SSL certificate error")}}
		p := open(t, r.destination("refuses all"))
		const all = 80
		for i := range all {
			p.Observe(now(fmt.Sprintf("a%d.ml", i)))
		}
		time.Sleep(5 * time.Minute)
		refused := value(t, sinkLost.WithLabelValues("refuses all", "refused"))
		if most := float64(mostRefusals + 40); refused <= mostRefusals || refused > most {
			t.Errorf("Got %v of %d records put away in five minutes, want some and at most %v", refused, all, most)
		}
		if up := value(t, sinkUp.WithLabelValues("refuses all")); up != 0 {
			t.Errorf("Got sink_up %v, want 0", up)
		}
		r.set(func() { r.fail = nil })
		time.Sleep(2 * time.Minute)
		if got := len(r.all()); got < all-int(refused)-1 {
			t.Errorf("Got %d records after it, want all but the %v", got, refused)
		}
		shut(t, p)
		sinkIdentity(t, "refuses all")
	})
}

// slow is a sink that needs its time for each message, and forgets a batch that
// it was not given the time for.
type slow struct {
	each     time.Duration
	mu       sync.Mutex
	got      []sink.Message
	attempts int
	largest  int
}

func (s *slow) Send(ctx context.Context, batch []sink.Message) (int, error) {
	select {
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		s.attempts++
		return 0, fmt.Errorf("no answer: %w", ctx.Err())
	case <-time.After(time.Duration(len(batch)) * s.each):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, batch...)
	s.largest = max(s.largest, len(batch))
	return len(batch), nil
}

func (*slow) Close() error { return nil }

// TestSlowReceiver holds that a receiver that is too slow for a batch gets all
// records in smaller ones.
func TestSlowReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{each: time.Second}
		d := new(receiver).destination("slow")
		d.open = func(sink.Env) (sink.Sink, error) { return s, nil }
		p := open(t, d)
		const all = 90
		for i := range all {
			p.Observe(now(fmt.Sprintf("a%d.ml", i)))
		}
		time.Sleep(8 * time.Minute)
		s.mu.Lock()
		if len(s.got) < all || s.largest > 30 || s.attempts == 0 || s.attempts > 10 {
			t.Errorf("Got %d records, %d at once at most, and %d attempts in vain", len(s.got), s.largest, s.attempts)
		}
		s.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

// listenToLog returns what is logged from now on, to be read when all is over.
func listenToLog(t *testing.T) *bytes.Buffer {
	t.Helper()
	b := new(bytes.Buffer)
	golog.SetOutput(b)
	t.Cleanup(func() { golog.SetOutput(io.Discard) })
	return b
}

// TestQuietLog holds that no receiver, whatever is wrong with it, floods the log.
func TestQuietLog(t *testing.T) {
	const minutes = 30
	tests := []struct {
		name string
		err  func(i int) error // of the i-th second
		each int               // lines a minute at most
	}{
		{"is down", func(int) error { return errors.New("connection refused") }, 1},
		{"is up and down", func(i int) error { return []error{nil, errors.New("connection reset")}[i%2] }, 2},
		{"refuses every other", func(i int) error { return []error{nil, &sink.Refused{Err: errors.New("bad")}}[i%2] }, 1},
		{"refuses all", func(int) error { return &sink.Refused{Err: errors.New("bad")} }, 2},
		{"does not let in", func(int) error { return &sink.Denied{Err: errors.New("401")} }, 1},
		{"keeps nothing", func(int) error { return &sink.Partial{N: 1, Err: errors.New("too old")} }, 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			log := listenToLog(t)
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				r := new(receiver)
				d := r.destination("noisy " + tc.name)
				q := newQueue(10_000, func() {}, func() {})
				runner := &runner{
					dest: d, sink: r, source: q, queue: q, batch: 1, dead: newDeadLetters(dir),
					hurry: make(chan struct{}), draining: make(chan struct{}), done: make(chan struct{}),
				}
				ctx, cancel := context.WithCancel(t.Context())
				runner.cancel = cancel
				go runner.run(ctx)
				for i := range minutes * 60 {
					r.set(func() {
						r.fail, r.taken = tc.err(i), 0
						if errors.As(r.fail, new(*sink.Partial)) {
							r.taken = 1
						}
					})
					q.push([]*Record{{ID: fmt.Sprint(i), Phase: First}})
					time.Sleep(time.Second)
				}
				cancel()
				<-runner.done
			})
			if n := strings.Count(log.String(), "\n"); n == 0 || n > tc.each*minutes+2 {
				t.Errorf("Got %d lines in %d minutes, want some and %d a minute at most; the last ones:\n%.600s", n, minutes, tc.each,
					log.String()[max(log.Len()-600, 0):])
			}
		})
	}
}

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
			var tr trouble
			var sum time.Duration
			least, most := time.Hour*24, time.Duration(0)
			for range n {
				tr.attempts = tc.attempts
				d := tr.delay("delay", tc.err)
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
