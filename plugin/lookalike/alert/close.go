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
	drainShare = 5                      // a fifth of the time is kept for the last records
	drainPoll  = 10 * time.Millisecond  // between two looks at the backlogs
	inFlight   = 50 * time.Millisecond  // for queries that are being answered, to be counted
	lastTry    = 250 * time.Millisecond // for a sink that has used up its time already
	spoolGrace = time.Second            // for a sink whose records stay on disk
	hungGrace  = 3 * time.Second        // after the deadline, for a disk that does not answer; longer than the others together
)

// Close drops one reference to each of the pipelines. Those that have none left
// end together. First, the sinks that nobody else uses deliver their backlog.
// Then all groups end, and their final records are delivered. Close stops when
// ctx is done; the error says what was not delivered.
//
// The server may answer queries meanwhile, which are counted while slow sinks
// catch up. After that, Closed reports true for all the pipelines at once.
func Close(ctx context.Context, all ...*Pipeline) error {
	var ending []*Pipeline
	for _, p := range all {
		_ = pipelines.Release(p.key, func(p *Pipeline) error { ending = append(ending, p); return nil })
	}
	if len(ending) == 0 {
		return nil
	}
	stuck := drain(ctx, leave(ending))
	for _, p := range ending {
		p.closed.Store(true)
	}
	time.Sleep(inFlight)
	finished := make(chan error, 1)
	go func() { // ends when the spools' disks have answered
		err := errors.New("closing the alerts failed")
		defer func() { finished <- err }()
		safely(func() { err = finish(ctx, ending, stuck) })
	}()
	var hung <-chan time.Time
	if deadline, ok := ctx.Deadline(); ok {
		hung = time.After(time.Until(deadline) + hungGrace)
	}
	select {
	case err := <-finished:
		return err
	case <-hung:
		return errors.New("the disk of a spool does not answer: the last alerts are not written, not even those for files")
	}
}

// finish ends the pipelines and what nobody else uses of them.
func finish(ctx context.Context, ending []*Pipeline, stuck []*outlet) error {
	var wg sync.WaitGroup
	for _, p := range ending {
		wg.Go(func() { safely(p.end) })
	}
	wg.Wait()
	return release(ctx, ending, stuck)
}

// Closed reports whether p has stopped taking detections, or is about to: new
// ones must go elsewhere.
//
// A nil Pipeline, of a configuration without alerts, is never closed.
func (p *Pipeline) Closed() bool { return p != nil && p.closed.Load() }

// drain waits until the outlets have delivered what they had when it began, and
// returns those that have not. It leaves a part of the time of ctx.
func drain(ctx context.Context, waiting []*outlet) (stuck []*outlet) {
	began := time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-deadline.Sub(began)/drainShare))
		defer cancel()
	}
	ticker := time.NewTicker(drainPoll)
	defer ticker.Stop()
	for {
		waiting = slices.DeleteFunc(waiting, func(o *outlet) bool {
			n, oldest := o.Backlog()
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
	p.emit(p.table.Close(time.Now()))
	p.tellEvery()
}

// release stops the outlets that nobody else uses, and closes the spools. It
// must come last: pipelines that end in another Close may share an outlet, and
// have records for it until then.
func release(ctx context.Context, ended []*Pipeline, stuck []*outlet) error {
	running.Lock()
	for _, p := range ended {
		delete(running.all, p)
	}
	running.Unlock()
	err := stop(ctx, left(ended), stuck)
	for _, p := range ended {
		err = errors.Join(err, p.spool.release())
	}
	return err
}

// stop stops outlets concurrently, so that one slow sink does not use up the
// others' time. Meanwhile nothing is counted any more, so it waits only briefly
// where waiting gains little.
func stop(ctx context.Context, all, stuck []*outlet) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, o := range all {
		patience := time.Duration(-1)
		switch {
		case slices.Contains(stuck, o):
			patience = lastTry
		case o.Durable():
			patience = spoolGrace
		}
		wg.Go(func() {
			ctx := ctx
			if patience >= 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, patience)
				defer cancel()
			}
			errs[i] = o.Stop(ctx)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
