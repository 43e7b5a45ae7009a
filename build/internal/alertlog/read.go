package alertlog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options say how files are read.
type Options struct {
	// Stdin is read where a file is named "-", to its end.
	Stdin io.Reader
	// Follow goes on after the ends of the files as they grow, over their
	// rotation, and with streams, until the context is done. Compressed files and standard input
	// are not expected to grow.
	Follow bool
	// Current is called once, when the ends of all files have been reached. It
	// may be nil.
	Current func() error
	// Problem is told of lines that are no alerts, and of files that are damaged:
	// what was read before the damage has been emitted. It may be nil.
	Problem func(Problem)
}

// Problem is a part of the input that cannot be read.
type Problem struct {
	File string
	Line int    // from 1; 0: the rest of the file cannot be read
	Text []byte // of the line, valid until Problem returns
	Err  error
}

// Error gives the place of the problem and its description.
func (p Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %v", p.File, p.Err)
	}
	return fmt.Sprintf("%s:%d: %v", p.File, p.Line, p.Err)
}

// maxRecord is the length of the longest line: records have 8 KiB at most, and
// some more where a shipper has added to them.
const maxRecord = 1 << 20

// Read reads the alerts of all files and passes them to emit, which may keep them.
// They come in the order of their times if each file is in order. A stream comes
// first, up to its end when Read begins: nats://... or kafka://..., followed by the
// options of an alert line. Calls of emit, Current and Problem never overlap.
//
// Read returns at the end of the files, unless it follows them. It also returns when
// emit or Current fails, when a file cannot be opened, when a stream cannot be read
// the first time, and when ctx is done. A Read that waits for a pipe keeps waiting.
func Read(ctx context.Context, files []string, o Options, emit func(*Record) error) error {
	r := &reader{Options: o, emit: emit}
	defer r.close()
	if err := r.open(files); err != nil {
		return err
	}
	var live *errgroup.Group // the streams that are followed
	if o.Follow {
		live, ctx = errgroup.WithContext(ctx)
	}
	err := r.all(ctx, files, live)
	if live == nil {
		return err
	}
	live.Go(func() error {
		if err == nil {
			err = r.follow(ctx)
		}
		return err
	})
	return live.Wait()
}

// all reads what streams and files have now. Streams go on in live, where there
// is one.
func (r *reader) all(ctx context.Context, files []string, live *errgroup.Group) error {
	for _, source := range files {
		if !isStream(source) {
			continue
		}
		if live == nil {
			if err := r.streamed(ctx, source, nil); err != nil {
				return err
			}
			continue
		}
		reached := make(chan struct{})
		live.Go(func() error { return r.streamed(ctx, source, func() error { close(reached); return nil }) })
		select {
		case <-reached:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := r.merge(ctx); err != nil {
		return err
	}
	if r.Current == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Current()
}

// reader reads several sources.
type reader struct {
	Options
	emit    func(*Record) error
	sources []*source

	mu     sync.Mutex // one at a time calls emit, Current or Problem
	failed bool       // emit has
}

// hand gives a record on.
func (r *reader) hand(rec *Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.emit(rec)
	r.failed = r.failed || err != nil
	return err
}

// ended reports whether emit wants no more.
func (r *reader) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// tell tells of a problem.
func (r *reader) tell(p Problem) {
	if r.Problem == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Problem(p)
}

func (r *reader) open(files []string) error {
	for _, file := range files {
		if isStream(file) {
			continue
		}
		s, err := newSource(file, r.Stdin, r.Follow)
		if err != nil {
			return err
		}
		r.sources = append(r.sources, s)
	}
	return nil
}

func (r *reader) close() {
	for _, s := range r.sources {
		s.close()
	}
}

// merge reads all sources to their ends, the earliest record first.
func (r *reader) merge(ctx context.Context) error {
	waiting := make([]*Record, len(r.sources)) // the next of each; nil: it has no more
	for i, s := range r.sources {
		waiting[i] = r.next(s)
	}
	for ctx.Err() == nil {
		first := -1
		for i, w := range waiting {
			if w != nil && (first < 0 || w.End.Before(waiting[first].End)) {
				first = i
			}
		}
		if first < 0 {
			return nil
		}
		if err := r.hand(waiting[first]); err != nil {
			return err
		}
		waiting[first] = r.next(r.sources[first])
	}
	return ctx.Err()
}

// next returns the next record of a source, or nil at its end.
func (r *reader) next(s *source) *Record {
	for s.lines.Next() {
		line := bytes.TrimSpace(s.lines.Text)
		switch {
		case len(line) == 0:
			continue
		case s.lines.Long:
			r.problem(s, s.lines.N, line, fmt.Errorf("a line longer than %d bytes: %w", maxRecord, ErrNoAlert))
			continue
		}
		rec, err := Parse(slices.Clone(line))
		told := s.told
		s.told = false
		if err != nil {
			if !told {
				r.problem(s, s.lines.N, line, err)
			}
			continue
		}
		rec.File, rec.Line = s.name, s.lines.N
		return rec
	}
	// The beginning of a line that never becomes an alert: a file in another
	// format may have no end of a line for long.
	if begun := bytes.TrimSpace(s.lines.Text); s.grows && !s.told && len(begun) > 0 && begun[0] != '{' {
		r.problem(s, s.lines.N+1, begun, ErrNoAlert)
		s.told = true
	}
	if err := s.lines.Err; err != nil && !s.ended {
		s.ended = true
		r.tell(Problem{File: s.name, Err: err})
	}
	return nil
}

func (r *reader) problem(s *source, n int, line []byte, err error) {
	r.tell(Problem{s.name, n, line, err})
}

// pollEvery is how often files are looked at for new lines: a poll of a hundred
// files costs less than a millisecond.
const pollEvery = 250 * time.Millisecond

// follow emits what comes to the files.
func (r *reader) follow(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		for _, s := range r.sources {
			if err := r.drain(ctx, s); err != nil {
				return err
			}
			if next := r.successor(s); next != nil {
				if err := r.drain(ctx, s); err != nil { // what came in between
					next.Close()
					return err
				}
				s.turn(next)
				if err := r.drain(ctx, s); err != nil {
					return err
				}
			}
		}
	}
}

// drain emits what a source has.
func (r *reader) drain(ctx context.Context, s *source) error {
	for ctx.Err() == nil {
		rec := r.next(s)
		if rec == nil {
			return nil
		}
		if err := r.hand(rec); err != nil {
			return err
		}
	}
	return ctx.Err()
}
