package alert

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// How Close shares out its time.
const (
	drainShare = 5                      // the fraction of the time that is left for the last records
	drainPoll  = 10 * time.Millisecond  // between two looks at the backlogs
	inFlight   = 50 * time.Millisecond  // for queries that are being answered, to be counted
	lastTry    = 250 * time.Millisecond // for a sink that has used up its time already
	spoolGrace = time.Second            // for a sink whose records stay on disk
	hungGrace  = 3 * time.Second        // more than all of these, for a spool's disk that does not answer
)

// Close is the function of the same name for one pipeline.
func (p *Pipeline) Close(ctx context.Context) error { return Close(ctx, p) }

// Close drops one reference to each of the pipelines. Those that have none left
// end together: the sinks that nobody else uses deliver what waits for them,
// then all groups end with their final records, and those are delivered, until
// ctx is done at the latest. The error says what was not delivered.
//
// The server may answer queries all that time, and they are counted while sinks
// that are slow catch up. When that is over, Closed holds, for all pipelines at
// once.
func Close(ctx context.Context, pipelines ...*Pipeline) error {
	ending, waiting := leave(pipelines)
	if len(ending) == 0 {
		return nil
	}
	stuck := drain(ctx, waiting)
	for _, p := range ending {
		p.closed.Store(true)
	}
	time.Sleep(inFlight)
	finished := make(chan error, 1)
	go func() { finished <- finish(ctx, ending, stuck) }() // ends when the spools' disks have answered
	var hung <-chan time.Time
	if deadline, ok := ctx.Deadline(); ok {
		hung = time.After(time.Until(deadline) + hungGrace)
	}
	select {
	case err := <-finished:
		return err
	case <-hung:
		return errors.New("the disk of an alert spool does not answer: the last alerts are not written, and neither are those for files")
	}
}

// finish ends the pipelines and what nobody else uses of them.
func finish(ctx context.Context, ending []*Pipeline, stuck []*runner) error {
	var wg sync.WaitGroup
	for _, p := range ending {
		wg.Go(p.end)
	}
	wg.Wait()
	return release(ctx, ending, stuck)
}

// Closed reports whether p takes no more detections, or will not in a moment:
// what is found from now on is to go elsewhere.
//
// It may be asked of nil, which is closed to nobody: there are no alerts.
func (p *Pipeline) Closed() bool { return p != nil && p.closed.Load() }

// leave drops the references. It returns the pipelines that end, and those of
// their runners that have to deliver from memory, over the network, for nobody
// else: nobody can take those from the registry any more.
func leave(pipelines []*Pipeline) (ending []*Pipeline, waiting []*runner) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	for _, p := range pipelines {
		if p.refs--; p.refs > 0 {
			continue
		}
		delete(registry.pipelines, p.key)
		registry.pipelines[p.owner] = p // no configuration leads to it, the metrics still have it
		ending = append(ending, p)
		for _, r := range p.runners {
			r.leaving++
			if r.leaving == r.refs && r.queue != nil && !r.dest.direct {
				delete(registry.runners, r.key)
				close(r.hurry)
				waiting = append(waiting, r)
			}
		}
	}
	return ending, waiting
}

// drain waits until the runners have delivered what they had when it began, and
// returns those that have not. It leaves a part of the time of ctx.
func drain(ctx context.Context, waiting []*runner) (stuck []*runner) {
	began := time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-deadline.Sub(began)/drainShare))
		defer cancel()
	}
	ticker := time.NewTicker(drainPoll)
	defer ticker.Stop()
	for {
		waiting = slices.DeleteFunc(waiting, func(r *runner) bool {
			n, oldest := r.source.Backlog()
			return n == 0 || oldest.After(began)
		})
		if len(waiting) == 0 {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return waiting
		}
	}
}

// end ends the flusher, then all groups.
func (p *Pipeline) end() {
	close(p.quit)
	<-p.done
	p.emit(p.table.close(time.Now()))
}

// release stops the runners that the pipelines were the last to use, and closes
// the spools. Only now, since pipelines that end elsewhere may share a runner
// and have records for it until now.
func release(ctx context.Context, ended []*Pipeline, stuck []*runner) error {
	registry.mu.Lock()
	idle := make([]*runner, 0, len(ended))
	for _, p := range ended {
		delete(registry.pipelines, p.owner)
		for _, r := range p.runners {
			r.leaving--
		}
		idle = append(idle, unused(p.runners)...)
	}
	registry.mu.Unlock()

	err := stop(ctx, idle, stuck)

	registry.mu.Lock()
	defer registry.mu.Unlock()
	for _, p := range ended {
		err = errors.Join(err, p.closeSpool())
	}
	return err
}

// unused drops a reference to each runner and returns those that have none
// left, which are no longer in the registry. The registry is locked.
func unused(runners []*runner) []*runner {
	var idle []*runner
	for _, r := range runners {
		if r.refs--; r.refs == 0 {
			if registry.runners[r.key] == r { // else another has taken its place
				delete(registry.runners, r.key)
			}
			idle = append(idle, r)
		}
	}
	return idle
}

// stop stops runners side by side, so that one slow sink does not take the
// others' time. While it waits nothing is counted any more, so it does not wait
// for long where that gains little.
func stop(ctx context.Context, runners, stuck []*runner) error {
	errs := make([]error, len(runners))
	var wg sync.WaitGroup
	for i, r := range runners {
		patience := time.Duration(-1)
		switch {
		case slices.Contains(stuck, r):
			patience = lastTry
		case r.source.Durable():
			patience = spoolGrace
		}
		wg.Go(func() {
			ctx := ctx
			if patience >= 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, patience)
				defer cancel()
			}
			errs[i] = r.stop(ctx)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
