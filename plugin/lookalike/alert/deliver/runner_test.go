package deliver

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
	"testing"
	"testing/synctest"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

func TestMain(m *testing.M) {
	clog.Discard()
	goleak.VerifyTestMain(m)
}

// start starts a runner from a queue to s.
func start(s sink.Sink, to Destination) (*Runner, *Queue) {
	q := NewQueue(to.Name)
	return Start(to, s, q, nil), q
}

func destination(name string) Destination {
	return Destination{Name: name, Format: format.ECS(), Batch: 256, Timeout: 30 * time.Second}
}

// numbered are records with the numbers from and up to to.
func numbered(from, to int) (records []*record.Record) {
	for i := from; i <= to; i++ {
		r := recordtest.Sample()
		r.ID, r.Sequence = record.NewID(), uint64(i)
		records = append(records, r)
	}
	return records
}

// end stops a runner, which has to deliver everything.
func end(t *testing.T, r *Runner) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// value reads a counter or a gauge.
func value(tb testing.TB, m prometheus.Metric) float64 {
	tb.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		tb.Fatal(err)
	}
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}

// lastMoment is a queue that gets its last record just after it was found
// empty, and then no more.
type lastMoment struct {
	*Queue
	end func()
}

func (l *lastMoment) Take(n int) []*record.Record {
	records := l.Queue.Take(n)
	if len(records) == 0 && l.end != nil {
		l.Push([]*record.Record{{ID: "last"}})
		l.end()
		l.end = nil
	}
	return records
}

// TestNextAtTheEnd stops a runner between its look for records and its look
// whether there will be any more: it delivers what came in between.
func TestNextAtTheEnd(t *testing.T) {
	r := &Runner{draining: make(chan struct{}), batch: 10}
	r.source = &lastMoment{NewQueue("last moment"), func() { close(r.draining) }}
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
		{"the same secret", func(string) error { return nil }, longestPause[running][denied] - time.Minute + time.Second},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				r := &sinktest.Receiver{Fail: &sink.Denied{Err: errors.New("401")}}
				d := destination("rotating " + tc.name)
				d.Files = []string{path}
				runner, q := start(r, d)
				q.Push(numbered(1, 1))
				time.Sleep(time.Minute)
				r.Set(func() { r.Fail = nil })
				if err := tc.change(path); err != nil {
					t.Error(err)
				}
				time.Sleep(tc.within)
				if n := len(r.All()); n != 1 {
					t.Errorf("Got %d records, want the one", n)
				}
				end(t, runner)
			})
		})
	}
}

// TestRefusesAll holds that a receiver that refuses whatever it gets is taken
// for one that is down: it costs few records, and gets the others later.
func TestRefusesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &sinktest.Receiver{Fail: &sink.Refused{Err: errors.New("the SSL certificate error")}}
		runner, q := start(r, destination("refuses all"))
		const all = 80
		before := value(t, sinkLost.WithLabelValues("refuses all", "refused"))
		q.Push(numbered(1, all))
		time.Sleep(5 * time.Minute)
		refused := value(t, sinkLost.WithLabelValues("refuses all", "refused")) - before
		if most := float64(mostRefusals + 40); refused <= mostRefusals || refused > most {
			t.Errorf("Got %v of %d records put away in five minutes, want some and at most %v", refused, all, most)
		}
		if up := value(t, sinkUp.WithLabelValues("refuses all")); up != 0 {
			t.Errorf("Got sink_up %v, want 0", up)
		}
		r.Set(func() { r.Fail = nil })
		time.Sleep(2 * time.Minute)
		if got := len(r.All()); got != all-int(refused) {
			t.Errorf("Got %d records after it, want all but the %v", got, refused)
		}
		end(t, runner)
	})
}

// TestSlowReceiver holds that a receiver that is too slow for a batch gets all
// records in smaller ones.
func TestSlowReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sinktest.Slow{Each: time.Second}
		runner, q := start(s, destination("slow"))
		const all = 90
		q.Push(numbered(1, all))
		time.Sleep(8 * time.Minute)
		if got, largest, attempts := s.Seen(); got < all || largest > 30 || attempts == 0 || attempts > 10 {
			t.Errorf("Got %d records, %d at once at most, and %d attempts in vain", got, largest, attempts)
		}
		end(t, runner)
	})
}

// TestSinkPanics holds that a sink that panics is tried again, and costs nothing
// else.
func TestSinkPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &panicking{times: 3}
		runner, q := start(s, destination("panics"))
		q.Push(numbered(1, 2))
		time.Sleep(time.Minute)
		if got := len(s.All()); got != 2 {
			t.Errorf("Got %d records, want both", got)
		}
		end(t, runner)
	})
}

type panicking struct {
	sinktest.Receiver
	times int
}

func (p *panicking) Send(ctx context.Context, batch []sink.Message) (int, error) {
	if p.times > 0 {
		p.times--
		panic("in a test")
	}
	return p.Receiver.Send(ctx, batch)
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
				r := new(sinktest.Receiver)
				d, q := destination("noisy "+tc.name), NewQueue("noisy "+tc.name)
				d.Batch = 1
				runner := Start(d, r, q, NewDeadLetters(dir))
				for i := range minutes * 60 {
					r.Set(func() {
						r.Fail, r.Taken = tc.err(i), 0
						if errors.As(r.Fail, new(*sink.Partial)) {
							r.Taken = 1
						}
					})
					q.Push([]*record.Record{{ID: fmt.Sprint(i)}})
					time.Sleep(time.Second)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_ = runner.Stop(ctx) // with what it could not deliver
			})
			if n := strings.Count(log.String(), "\n"); n == 0 || n > tc.each*minutes+2 {
				t.Errorf("Got %d lines in %d minutes, want some and %d a minute at most; the last ones:\n%.600s", n, minutes, tc.each,
					log.String()[max(log.Len()-600, 0):])
			}
		})
	}
}
