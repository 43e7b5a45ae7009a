package alert

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

var log = clog.NewWithPlugin("lookalike")

// How a runner tries again.
const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = time.Minute
	deniedPause  = 5 * time.Minute        // with credentials that do not work
	repoll       = 5 * time.Second        // of a source that had nothing, or could not be read
	drainBackoff = 250 * time.Millisecond // at shutdown there is no time
	stopGrace    = time.Second            // for a sink whose context is done
	directGrace  = time.Second            // for a sink on this host, when others have used up the time
)

// runner brings the records of one source to one sink. Its goroutine is the
// only one that calls the sink; release ends it.
type runner struct {
	key    string
	refs   int // guarded by registry.mu
	dest   Destination
	sink   sink.Sink
	source source
	queue  *queue  // the source, where that is in memory
	cursor *cursor // the source, where that is a spool

	dead *deadLetters // nil: the log

	draining chan struct{} // closed: end when nothing is left
	cancel   context.CancelFunc
	done     chan struct{}
}

// newRunner opens the sink and starts the goroutine. Without a spool, records
// wait in memory.
func newRunner(key string, dest Destination, env sink.Env, spool *store) (*runner, error) {
	s, err := dest.open(env)
	if err != nil {
		return nil, err
	}
	r := &runner{
		key: key, refs: 1, dest: dest, sink: s,
		draining: make(chan struct{}), done: make(chan struct{}),
	}
	if spool != nil {
		r.cursor = spool.attach(dest)
		r.source, r.dead = r.cursor, spool.dead
	} else {
		r.queue = newQueue(queueLimit, func() { r.lose("queue_full", 1) }, func() { r.records(1) })
		r.source = r.queue
	}
	sinkUp.WithLabelValues(dest.name).Set(1)
	r.measure(time.Now())
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go r.run(ctx)
	return r, nil
}

// push gives the sink records; it never waits. From a spool, the sink takes
// them by itself.
func (r *runner) push(records []*Record) {
	if r.queue != nil {
		r.records(len(records))
		r.queue.push(records)
	}
}

func (r *runner) records(n int) { sinkRecords.WithLabelValues(r.dest.name).Add(float64(n)) }

func (r *runner) lose(reason string, n int) {
	sinkLost.WithLabelValues(r.dest.name, reason).Add(float64(n))
}

// measure sets the gauges that change with time.
func (r *runner) measure(now time.Time) {
	n, oldest := r.source.backlog()
	age := 0.0
	if n > 0 {
		age = max(now.Sub(oldest).Seconds(), 0)
	}
	sinkBacklog.WithLabelValues(r.dest.name).Set(float64(n))
	sinkOldest.WithLabelValues(r.dest.name).Set(age)
}

// run delivers until the source is drained or ctx is done.
func (r *runner) run(ctx context.Context) {
	defer close(r.done)
	defer r.sink.Close()
	var t trouble
	for {
		records := r.next(ctx)
		if records == nil {
			return
		}
		n, err := r.send(ctx, records)
		if n > 0 {
			sinkDelivered.WithLabelValues(r.dest.name).Add(float64(n - r.unkept(err)))
			r.source.settle(n)
		}
		if refused := (*sink.Refused)(nil); errors.As(err, &refused) && n < len(records) {
			r.bury(records[n], refused)
			r.source.settle(1)
			t.attempts = 0 // somebody is there
			continue
		}
		if n == len(records) {
			t.over(r.dest.name)
			continue
		}
		if n > 0 {
			t.attempts = 0
		}
		if ctx.Err() != nil || !r.pause(ctx, t.delay(r.dest.name, err)) {
			return
		}
	}
}

// next waits for records. It returns nil when there will be none.
func (r *runner) next(ctx context.Context) []*Record {
	for {
		if ctx.Err() != nil {
			return nil
		}
		last := r.drains() // asked first: what came before it is taken now
		if records := r.source.take(r.dest.batch); len(records) > 0 {
			return records
		}
		if last {
			return nil
		}
		r.wait(ctx)
	}
}

// drains reports whether no more records will come.
func (r *runner) drains() bool {
	select {
	case <-r.draining:
		return true
	default:
		return false
	}
}

// wait waits until there may be records, or none any more.
func (r *runner) wait(ctx context.Context) {
	timer := time.NewTimer(repoll)
	defer timer.Stop()
	select {
	case <-r.source.ready():
	case <-r.draining:
	case <-ctx.Done():
	case <-timer.C:
	}
}

// send encodes and sends the records. It returns an error when not all of
// them are settled.
func (r *runner) send(ctx context.Context, records []*Record) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, r.dest.timeout)
	defer cancel()
	batch := make([]sink.Message, len(records))
	for i, rec := range records {
		batch[i] = message(r.dest.format, rec)
	}
	n, err := r.sink.Send(ctx, batch)
	if err == nil && n < len(batch) {
		err = fmt.Errorf("only %d of %d alerts were taken", n, len(batch))
	}
	return n, err
}

// unkept counts the records that the receiver says it took and did not keep.
func (r *runner) unkept(err error) int {
	partial := (*sink.Partial)(nil)
	if !errors.As(err, &partial) {
		return 0
	}
	r.lose("not_kept", partial.N)
	log.Errorf("Alerts were taken and not all kept by %s: %v", r.dest.name, partial)
	return partial.N
}

// message encodes a record for a sink.
func message(f *Format, r *Record) sink.Message {
	return sink.Message{
		ID: r.ID, Group: r.Group, Sequence: r.Sequence, Time: r.End,
		Severity: sink.Severity(r.Level()), Event: eventName(r), Sensor: r.Sensor,
		Text: r.Message(), Body: f.Append(nil, r),
	}
}

// bury puts away a record that the receiver will never take.
func (r *runner) bury(rec *Record, why error) {
	r.lose("refused", 1)
	if r.dead != nil {
		err := r.dead.write(r.dest.name, why, rec)
		if err == nil {
			log.Errorf("Alert %s is %v by %s, it is in %s", rec.ID, why, r.dest.name, r.dead.path)
			return
		}
		log.Errorf("A dead letter cannot be written: %v", err)
	}
	log.Errorf("Alert %s is %v by %s: %s", rec.ID, why, r.dest.name, ecs.Append(nil, rec))
}

// pause waits before the next attempt, and reports whether there is one.
func (r *runner) pause(ctx context.Context, d time.Duration) bool {
	sinkUp.WithLabelValues(r.dest.name).Set(0)
	sinkRetries.WithLabelValues(r.dest.name).Inc()
	draining := r.draining
	select {
	case <-draining:
		if r.cursor != nil {
			return false // what is left waits on disk
		}
		d, draining = min(d, drainBackoff), nil
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-draining:
		return r.cursor == nil
	case <-ctx.Done():
		return false
	}
	return true
}

// stop ends the goroutine: when all is delivered, or when ctx is done. A sink
// on this host has directGrace even if ctx is done already: the last records
// are to be somewhere, whatever has become of the network.
func (r *runner) stop(ctx context.Context) error {
	close(r.draining)
	if r.dest.direct {
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
	sinkUp.DeleteLabelValues(r.dest.name)
	sinkBacklog.DeleteLabelValues(r.dest.name)
	sinkOldest.DeleteLabelValues(r.dest.name)
	left, _ := r.source.backlog()
	if r.cursor != nil {
		r.cursor.detach()
		if left > 0 {
			log.Infof("%d alerts for %s stay in the spool", left, r.dest.name)
		}
		return nil
	}
	if left == 0 {
		return nil
	}
	r.lose("shutdown", left)
	return fmt.Errorf("%d alerts could not be delivered to %s", left, r.dest.name)
}

// trouble is the state of a sink that does not take what it is given.
type trouble struct {
	attempts int
	since    time.Time
	told     time.Time // when the log last heard of it
}

// delay counts a failed attempt and returns the time to the next one: full
// jitter over an exponential bound, unless the receiver named a time. The log
// hears of the first failure and then once a minute.
func (t *trouble) delay(name string, err error) time.Duration {
	now := time.Now()
	if t.since.IsZero() {
		t.since = now
	}
	if now.Sub(t.told) >= time.Minute {
		log.Warningf("Alerts are kept back, %s does not take them: %v", name, err)
		t.told = now
	}
	bound := maxBackoff
	if t.attempts < 8 {
		bound = min(firstBackoff<<t.attempts, maxBackoff)
	}
	t.attempts++
	later, denied := (*sink.Later)(nil), (*sink.Denied)(nil)
	switch {
	case errors.As(err, &denied):
		return deniedPause
	case errors.As(err, &later):
		return min(max(later.After, firstBackoff), time.Hour)
	}
	return rand.N(bound) + time.Millisecond //nolint:gosec // jitter is no secret
}

// over ends the trouble.
func (t *trouble) over(name string) {
	if !t.since.IsZero() {
		log.Infof("Alerts are taken again by %s, after %v", name, time.Since(t.since).Round(time.Second))
	}
	*t = trouble{}
	sinkUp.WithLabelValues(name).Set(1)
}
