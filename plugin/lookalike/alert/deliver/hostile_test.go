package deliver

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// fake is a sink made of functions.
type fake struct {
	send func([]sink.Message) (int, error)
	look func()
}

func (f fake) Send(_ context.Context, batch []sink.Message) (int, error) { return f.send(batch) }

func (f fake) Look() { f.look() }

func (fake) Close() error { return nil }

// TestForgedLog has receivers answer with what would forge lines of the log, or
// drive the terminal that shows it.
func TestForgedLog(t *testing.T) {
	const evil = "no\n[INFO] all is well\r\x1b[2J\x00\u009b31m\u202e\u2028\xff" + "x"
	tests := []struct {
		name string
		err  error
	}{
		{"an error", errors.New(evil)},
		{"one that is long", errors.New(strings.Repeat(evil, 1000))},
		{"refused", &sink.Refused{Err: errors.New(evil)}},
		{"not let in", &sink.Denied{Err: errors.New(evil)}},
		{"later", &sink.Later{After: time.Second, Err: errors.New(evil)}},
		{"not kept", &sink.Partial{N: 1, Err: errors.New(evil)}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			lines := listenToLog(t)
			synctest.Test(t, func(t *testing.T) {
				tried := false
				r, q := start(fake{send: func(batch []sink.Message) (int, error) {
					if !tried {
						tried = true
						if errors.As(tc.err, new(*sink.Partial)) {
							return len(batch), tc.err
						}
						return 0, tc.err
					}
					return len(batch), nil
				}, look: func() {}}, destination("forged"))
				q.Push(numbered(1, 1))
				time.Sleep(10 * time.Minute)
				end(t, r)
				got := lines.String()
				if !strings.Contains(got, `no\010[INFO] all is well\013\027[2J`) {
					t.Errorf("Got %q, want the receiver's words, escaped", got)
				}
				for line := range strings.SplitSeq(strings.TrimSuffix(got, "\n"), "\n") {
					if strings.ContainsAny(line, "\r\x1b\x00\u009b\u202e\u2028") || !strings.Contains(line, "plugin/lookalike: ") {
						t.Errorf("Got a line %q", line)
					}
				}
			})
		})
	}
}

// TestPanic holds that a sink that panics, wherever, is counted and tried again.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := testutil.ToFloat64(guard.Failures.WithLabelValues("delivery"))
		var sent, looked atomic.Int32
		r, q := start(fake{
			send: func(batch []sink.Message) (int, error) {
				if sent.Add(1) == 1 {
					panic("in Send")
				}
				return len(batch), nil
			},
			look: func() {
				if looked.Add(1) == 1 {
					panic("in Look")
				}
			},
		}, destination("panics"))
		time.Sleep(repoll + time.Second)
		q.Push(numbered(1, 1))
		time.Sleep(2*repoll + time.Second)
		end(t, r)
		if sent.Load() != 2 || looked.Load() < 2 {
			t.Errorf("Got %d attempts and %d looks, want another one after each panic", sent.Load(), looked.Load())
		}
		if got := testutil.ToFloat64(guard.Failures.WithLabelValues("delivery")) - before; got != 2 {
			t.Errorf("Got %v failures counted, want 2", got)
		}
	})
}

// sourceThatPanics is a queue whose first Take panics.
type sourceThatPanics struct {
	*Queue
	done bool
}

func (s *sourceThatPanics) Take(n int) []*record.Record {
	if !s.done {
		s.done = true
		panic("in Take")
	}
	return s.Queue.Take(n)
}

func TestSourcePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		q := NewQueue("source")
		r := Start(destination("source"), fake{send: func(batch []sink.Message) (int, error) { n += len(batch); return len(batch), nil }}, &sourceThatPanics{Queue: q}, nil)
		q.Push(numbered(1, 3))
		time.Sleep(time.Minute)
		end(t, r)
		if n != 3 {
			t.Errorf("Got %d records delivered, want 3", n)
		}
	})
}

// TestCountersExist holds that what counts a sink's records is there before there
// is one: what begins with the first event hides it.
func TestCountersExist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := start(fake{send: func(batch []sink.Message) (int, error) { return len(batch), nil }, look: func() {}}, destination("exists"))
		end(t, r)
		for _, reason := range []string{"queue_full", "refused", "not_kept", "shutdown", "spool_full"} {
			if sinkLost.DeleteLabelValues("exists", reason) != true {
				t.Errorf("Got no counter of records lost for %s", reason)
			}
		}
		if !sinkRecords.DeleteLabelValues("exists") || !sinkDelivered.DeleteLabelValues("exists") || !sinkRetries.DeleteLabelValues("exists") {
			t.Error("Got no counters of records, deliveries and retries")
		}
	})
}
