// Package deliver delivers records to sinks. Each sink has a runner, which
// takes records from a source and retries for as long as it takes.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

var log = clog.NewWithPlugin("lookalike")

const (
	repoll      = 5 * time.Second // of a source that had nothing, or could not be read
	filesEvery  = time.Second     // looks for new credentials, after access was denied
	stopGrace   = time.Second     // for a sink whose context is done
	directGrace = time.Second     // for a sink on this host, when others have used up the time
)

// Destination tells a runner where and how it delivers.
type Destination struct {
	Name    string // for metrics and messages
	Format  *format.Format
	Direct  bool          // on this host
	Batch   int           // most records of one Send
	Timeout time.Duration // of one Send
	Files   []string      // that the sink reads: secrets and certificates
}

// Runner brings the records of one source to one sink. Its goroutine is the
// only one that calls the sink; Stop ends it.
type Runner struct {
	dest   Destination
	sink   sink.Sink
	source Source
	dead   *DeadLetters // nil: the log

	// Owned by the goroutine.
	batch    int            // most records of the next Send
	files    string         // state of the destination's files before the last Send
	refused  rateLimitedLog // of records that are refused
	rejected rateLimitedLog // of records that were taken and then rejected

	shutdown chan struct{} // closed: there is no time for long pauses
	draining chan struct{} // closed: end when nothing is left
	cancel   context.CancelFunc
	done     chan struct{}
}

// Start starts a runner, which owns the sink and the source from now on. What
// the receiver refuses goes to the dead letters, or to the log where there are
// none.
func Start(to Destination, s sink.Sink, from Source, dead *DeadLetters) *Runner {
	r := &Runner{
		dest: to, sink: s, source: from, dead: dead, batch: to.Batch,
		shutdown: make(chan struct{}), draining: make(chan struct{}), done: make(chan struct{}),
	}
	sinkUp.WithLabelValues(to.Name).Set(1)
	begin(to.Name)
	r.Measure(time.Now())
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go r.run(ctx)
	return r
}

// Name returns the destination's name.
func (r *Runner) Name() string { return r.dest.Name }

// Durable reports whether records that are not delivered outlast the process.
func (r *Runner) Durable() bool { return r.source.Durable() }

// Backlog is the number of records that wait, and when the oldest was made.
func (r *Runner) Backlog() (n int, oldest time.Time) { return r.source.Backlog() }

// Push gives the sink records; it never waits. From a spool, the sink takes
// them by itself.
func (r *Runner) Push(records []*record.Record) {
	if q, ok := r.source.(*Queue); ok {
		q.Push(records)
	}
}

// Measure sets the gauges that change with time.
func (r *Runner) Measure(now time.Time) {
	n, oldest := r.source.Backlog()
	age := 0.0
	if n > 0 {
		age = max(now.Sub(oldest).Seconds(), 0)
	}
	sinkBacklog.WithLabelValues(r.dest.Name).Set(float64(n))
	sinkOldest.WithLabelValues(r.dest.Name).Set(age)
}

// run delivers until the source is drained or ctx is done.
func (r *Runner) run(ctx context.Context) {
	defer close(r.done)
	defer guard.Recover("delivery") // of Close
	defer r.sink.Close()
	var b backoff
	for ctx.Err() == nil {
		if !r.deliver(ctx, &b) {
			return
		}
	}
}

// afterPanic is the pause behind a panic, which would come again at once.
const afterPanic = time.Second

// deliver takes a batch to the sink, and waits where that fails. It reports
// whether there may be more to deliver.
func (r *Runner) deliver(ctx context.Context, b *backoff) (more bool) {
	defer func() {
		if guard.Handle("delivery", recover()) {
			more = wait(ctx, afterPanic)
		}
	}()
	records := r.next(ctx)
	if records == nil {
		return false
	}
	n, err := r.send(ctx, records)
	if n > 0 {
		sinkDelivered.WithLabelValues(r.dest.Name).Add(float64(n - r.reject(err, records)))
		r.source.Settle(n)
	}
	if no := (*sink.Refused)(nil); errors.As(err, &no) && n < len(records) {
		r.deadLetter(records[n], no)
		r.source.Settle(1)
		if !b.suspicious(n) {
			return true
		}
	}
	if n == len(records) {
		b.reset(r.dest.Name)
		return true
	}
	if n > 0 {
		b.attempts, b.refusals = 0, 0
	}
	return ctx.Err() == nil && r.pause(ctx, b, err)
}

// wait waits, and reports false where ctx is done.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// next waits for records. It returns nil when there will be none.
func (r *Runner) next(ctx context.Context) []*record.Record {
	for {
		if ctx.Err() != nil {
			return nil
		}
		last := r.drains() // asked first: what came before it is taken now
		if records := r.source.Take(r.batch); len(records) > 0 {
			return records[:min(len(records), r.batch)]
		}
		if last {
			return nil
		}
		r.wait(ctx)
	}
}

// drains reports whether no more records will come.
func (r *Runner) drains() bool { return isClosed(r.draining) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// wait waits until there may be records, or none any more.
func (r *Runner) wait(ctx context.Context) {
	timer := time.NewTimer(repoll)
	defer timer.Stop()
	select {
	case <-r.source.Ready():
	case <-r.draining:
	case <-ctx.Done():
	case <-timer.C:
		r.look()
	}
}

// look lets the sink look after what it holds.
func (r *Runner) look() {
	defer guard.Recover("delivery")
	if l, ok := r.sink.(sink.Looker); ok {
		l.Look()
	}
}

// send encodes and sends the records. It returns an error when not all of them
// are settled. A receiver that is too slow for a batch gets a smaller one,
// since it would never finish the same one.
//
// A panic in a sink, which a receiver's answer may provoke, counts as a failed
// attempt.
func (r *Runner) send(ctx context.Context, records []*record.Record) (n int, err error) {
	defer func() {
		if guard.Handle("delivery", recover()) {
			n, err = 0, errors.New("the sink failed")
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, r.dest.Timeout)
	defer cancel()
	batch := make([]sink.Message, len(records))
	for i, rec := range records {
		batch[i] = Message(r.dest.Format, rec)
	}
	r.files = state(r.dest.Files)
	n, err = r.sink.Send(ctx, batch)
	switch {
	case n == len(batch):
		r.batch = min(2*r.batch, r.dest.Batch)
	case n == 0 && errors.Is(err, context.DeadlineExceeded):
		r.batch = max(len(batch)/2, 1)
	}
	if err == nil && n < len(batch) {
		err = fmt.Errorf("the receiver took only %d of %d alerts", n, len(batch))
	}
	return n, err
}

// reject counts and logs the records that the receiver says it took and then
// rejected. It returns their number.
func (r *Runner) reject(err error, records []*record.Record) int {
	partial := (*sink.Partial)(nil)
	if !errors.As(err, &partial) {
		return 0
	}
	counters.Lost(r.dest.Name, notKept, partial.N)
	if more, due := r.rejected.due(time.Now()); due {
		log.Errorf("delivery to %s: %d alerts of sequence %d to %d were rejected: %v%s",
			r.dest.Name, partial.N, records[0].Sequence, records[len(records)-1].Sequence, text.Clean(partial.Err.Error()), more)
	}
	return partial.N
}

// Message encodes a record for a sink.
func Message(f *format.Format, r *record.Record) sink.Message {
	return sink.Message{
		ID: r.ID, Group: r.Group, Sequence: r.Sequence, Time: r.End,
		Severity: sink.Severity(r.Level()), Event: format.EventName(r), Sensor: r.Sensor,
		Text: r.Message(), Body: f.Append(nil, r),
	}
}

// deadLetter puts away a record that the receiver will never take.
func (r *Runner) deadLetter(rec *record.Record, why *sink.Refused) {
	reason := text.Clean(why.Err.Error())
	counters.Lost(r.dest.Name, refused, 1)
	if r.dead != nil {
		err := r.dead.write(r.dest.Name, why, rec)
		if err == nil {
			if more, due := r.refused.due(time.Now()); due {
				log.Errorf("delivery to %s: alert %s was refused, now in %s: %v%s", r.dest.Name, rec.ID, r.dead.path, reason, more)
			}
			return
		}
		log.Errorf("delivery to %s: writing a dead letter failed: %v", r.dest.Name, err)
	}
	log.Errorf("delivery to %s: alert %s was refused: %v: %s", r.dest.Name, rec.ID, reason, format.ECS().Append(nil, rec))
}

// pause waits before the next attempt, and reports whether there is one. After
// access was denied, new credentials end the pause. So does the beginning of
// the shutdown, in which pauses are short.
func (r *Runner) pause(ctx context.Context, b *backoff, why error) bool {
	sinkUp.WithLabelValues(r.dest.Name).Set(0)
	sinkRetries.WithLabelValues(r.dest.Name).Inc()
	now, shutdown, draining := running, r.shutdown, r.draining
	if isClosed(shutdown) {
		now, shutdown = ending, nil
	}
	if isClosed(draining) {
		now, draining = ending, nil
	}
	timer := time.NewTimer(b.next(r.dest.Name, now, why))
	defer timer.Stop()
	if draining == nil && r.source.Durable() {
		return false // what is left waits on disk
	}
	look := time.NewTicker(filesEvery)
	defer look.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-look.C:
			if failureOf(why) == denied && state(r.dest.Files) != r.files {
				return true
			}
		case <-shutdown:
			return true
		case <-draining:
			return !r.source.Durable()
		case <-ctx.Done():
			return false
		}
	}
}

// state tells whether files have changed: when and in which size each was
// written.
func state(files []string) string {
	var b strings.Builder
	for _, path := range files {
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintf(&b, "%d %d", info.ModTime().UnixNano(), info.Size())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Shutdown tells the runner that there is no time for long pauses any more.
func (r *Runner) Shutdown() { close(r.shutdown) }

// Stop ends the goroutine: when all is delivered, or when ctx is done. A sink
// on this host has directGrace even if ctx is done already: the last records
// are to be somewhere, whatever has become of the network.
func (r *Runner) Stop(ctx context.Context) error {
	close(r.draining)
	if r.dest.Direct {
		select {
		case <-r.done:
		case <-time.After(directGrace):
		}
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		r.cancel()
		select {
		case <-r.done:
		case <-time.After(stopGrace): // stuck in a system call
		}
	}
	r.cancel()
	sinkUp.DeleteLabelValues(r.dest.Name)
	sinkBacklog.DeleteLabelValues(r.dest.Name)
	sinkOldest.DeleteLabelValues(r.dest.Name)
	left, _ := r.source.Backlog()
	r.source.Release()
	if r.source.Durable() {
		if left > 0 {
			log.Infof("delivery to %s stopped, %d alerts stay in the spool", r.dest.Name, left)
		}
		return nil
	}
	if left == 0 {
		return nil
	}
	counters.Lost(r.dest.Name, atShutdown, left)
	return fmt.Errorf("%d alerts could not be delivered to %s", left, r.dest.Name)
}
