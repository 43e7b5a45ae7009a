package alert

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
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
	filesEvery   = time.Second            // looks for other credentials in that pause
	mostRefusals = 3                      // in a row that are the records' fault
	repoll       = 5 * time.Second        // of a source that had nothing, or could not be read
	drainBackoff = 250 * time.Millisecond // at shutdown there is no time
	stopGrace    = time.Second            // for a sink whose context is done
	directGrace  = time.Second            // for a sink on this host, when others have used up the time
)

// runner brings the records of one source to one sink. Its goroutine is the
// only one that calls the sink; release ends it.
type runner struct {
	key     string
	refs    int // guarded by registry.mu
	leaving int // references of pipelines that end; guarded by registry.mu
	dest    Destination
	sink    sink.Sink
	source  source
	queue   *queue // the source, where that is in memory

	dead *deadLetters // nil: the log

	// Owned by the goroutine.
	batch   int    // most records of the next Send
	files   string // state of the destination's files before the last Send
	refused paced  // messages about records that are refused
	unkeptN paced  // and about those that were taken and not kept

	hurry    chan struct{} // closed: there is no time for long pauses; by leave
	draining chan struct{} // closed: end when nothing is left; by stop
	cancel   context.CancelFunc
	done     chan struct{}
}

// newRunner opens the sink and starts the goroutine. Without a spool, records
// wait in memory.
func newRunner(key string, dest Destination, env sink.Env, spool *spoolShare) (*runner, error) {
	s, err := dest.open(env)
	if err != nil {
		return nil, err
	}
	r := &runner{
		key: key, refs: 1, dest: dest, sink: s, batch: dest.batch,
		hurry: make(chan struct{}), draining: make(chan struct{}), done: make(chan struct{}),
	}
	if spool != nil {
		r.source, r.dead = spool.Attach(dest.key, dest.name), spool.dead
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

func (r *runner) records(n int) { counts{}.Meant(r.dest.name, n) }

func (r *runner) lose(reason string, n int) {
	counts{}.Lost(r.dest.name, reason, n)
}

// counts are the counters of all sinks.
type counts struct{}

// Meant counts records that a sink is to get.
func (counts) Meant(dest string, n int) { sinkRecords.WithLabelValues(dest).Add(float64(n)) }

// Lost counts records that a sink never gets.
func (counts) Lost(dest, reason string, n int) {
	sinkLost.WithLabelValues(dest, reason).Add(float64(n))
}

// measure sets the gauges that change with time.
func (r *runner) measure(now time.Time) {
	n, oldest := r.source.Backlog()
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
			sinkDelivered.WithLabelValues(r.dest.name).Add(float64(n - r.unkept(err, records)))
			r.source.Settle(n)
		}
		if refused := (*sink.Refused)(nil); errors.As(err, &refused) && n < len(records) {
			r.bury(records[n], refused)
			r.source.Settle(1)
			if !t.suspicious(n) {
				continue
			}
		}
		if n == len(records) {
			t.over(r.dest.name)
			continue
		}
		if n > 0 {
			t.attempts, t.refusals = 0, 0
		}
		if ctx.Err() != nil || !r.pause(ctx, t.delay(r.dest.name, err), err) {
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
func (r *runner) drains() bool { return isClosed(r.draining) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
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
	case <-r.source.Ready():
	case <-r.draining:
	case <-ctx.Done():
	case <-timer.C:
	}
}

// send encodes and sends the records. It returns an error when not all of
// them are settled. A receiver that is too slow for a batch gets a smaller one,
// since it would never be done with the same one again.
func (r *runner) send(ctx context.Context, records []*Record) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, r.dest.timeout)
	defer cancel()
	batch := make([]sink.Message, len(records))
	for i, rec := range records {
		batch[i] = message(r.dest.format, rec)
	}
	r.files = state(r.dest.files)
	n, err := r.sink.Send(ctx, batch)
	switch {
	case n == len(batch):
		r.batch = min(2*r.batch, r.dest.batch)
	case n == 0 && errors.Is(err, context.DeadlineExceeded):
		r.batch = max(len(batch)/2, 1)
	}
	if err == nil && n < len(batch) {
		err = fmt.Errorf("only %d of %d alerts were taken", n, len(batch))
	}
	return n, err
}

// unkept counts the records that the receiver says it took and did not keep.
func (r *runner) unkept(err error, records []*Record) int {
	partial := (*sink.Partial)(nil)
	if !errors.As(err, &partial) {
		return 0
	}
	r.lose("not_kept", partial.N)
	if more, due := r.unkeptN.due(time.Now()); due {
		log.Errorf("Of the alerts from sequence %d to %d, %s has taken and not kept some: %v%s",
			records[0].Sequence, records[len(records)-1].Sequence, r.dest.name, partial, more)
	}
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
			if more, due := r.refused.due(time.Now()); due {
				log.Errorf("Alert %s is %v by %s, it is in %s%s", rec.ID, why, r.dest.name, r.dead.path, more)
			}
			return
		}
		log.Errorf("A dead letter cannot be written: %v", err)
	}
	log.Errorf("Alert %s is %v by %s: %s", rec.ID, why, r.dest.name, ecs.Append(nil, rec))
}

// pause waits before the next attempt, and reports whether there is one. Where
// why is that the sink was not let in, other credentials end the pause. So does
// the beginning of the shutdown, in which pauses are short.
func (r *runner) pause(ctx context.Context, d time.Duration, why error) bool {
	sinkUp.WithLabelValues(r.dest.name).Set(0)
	sinkRetries.WithLabelValues(r.dest.name).Inc()
	hurry, draining := r.hurry, r.draining
	if isClosed(draining) {
		if r.source.Durable() {
			return false // what is left waits on disk
		}
		d, draining = min(d, drainBackoff), nil
	}
	if isClosed(hurry) {
		d, hurry = min(d, drainBackoff), nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	look := time.NewTicker(filesEvery)
	defer look.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-look.C:
			if errors.As(why, new(*sink.Denied)) && state(r.dest.files) != r.files {
				return true
			}
		case <-hurry:
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
	left, _ := r.source.Backlog()
	r.source.Release()
	if r.source.Durable() {
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
	refusals int // in a row
	since    time.Time
	log      paced
	told     bool // the log has heard of this one
}

// suspicious counts a refusal, before which the receiver took n records. One
// that refuses whatever it gets, as a proxy does whose certificate has expired,
// does not mean the records: they are not to be put away as fast as they come.
func (t *trouble) suspicious(n int) bool {
	if n > 0 {
		t.refusals = 0
	}
	if t.refusals++; t.refusals > mostRefusals {
		return true
	}
	t.attempts = 0 // somebody is there
	return false
}

// delay counts a failed attempt and returns the time to the next one: full
// jitter over an exponential bound, unless the receiver named a time. The log
// hears of a failure once a minute.
func (t *trouble) delay(name string, err error) time.Duration {
	now := time.Now()
	if t.since.IsZero() {
		t.since = now
	}
	if more, due := t.log.due(now); due {
		log.Warningf("Alerts are kept back, %s does not take them: %v%s", name, err, more)
		t.told = true
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

// over ends the trouble. Of one that the log has not heard of, it need not hear
// that it is over.
func (t *trouble) over(name string) {
	if t.told {
		log.Infof("Alerts are taken again by %s, after %v", name, time.Since(t.since).Round(time.Second))
	}
	*t = trouble{log: t.log}
	sinkUp.WithLabelValues(name).Set(1)
}

// paced lets one message a minute into the log.
type paced struct {
	last time.Time
	held int
}

// due reports whether a message may go into the log, and what to say there of
// those that might not.
func (p *paced) due(now time.Time) (more string, ok bool) {
	if now.Sub(p.last) < time.Minute {
		p.held++
		return "", false
	}
	if p.held > 0 {
		more = fmt.Sprintf(" (and %d times since the last such message)", p.held)
	}
	p.last, p.held = now, 0
	return more, true
}
