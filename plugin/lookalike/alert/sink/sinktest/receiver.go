package sinktest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// Receiver is a sink that remembers. Set changes its fields while it is in use.
type Receiver struct {
	Fail   error
	Taken  int    // of a batch, when it fails
	Bad    string // it fails for a message with this in it only, having taken those before
	Hang   bool   // until the context is done
	Opened int    // by Open
	Closed int    // calls of Close

	mu       sync.Mutex
	messages []sink.Message
}

// Open is a sink.Opener.
func (r *Receiver) Open(sink.Env) (sink.Sink, error) {
	r.Set(func() { r.Opened++ })
	return r, nil
}

// Send is that of a sink.
func (r *Receiver) Send(ctx context.Context, batch []sink.Message) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Hang {
		r.mu.Unlock()
		<-ctx.Done()
		r.mu.Lock()
		return 0, ctx.Err()
	}
	n, err := len(batch), r.Fail
	if r.Bad != "" {
		n = slices.IndexFunc(batch, func(m sink.Message) bool { return strings.Contains(string(m.Body), r.Bad) })
		if n < 0 {
			n, err = len(batch), nil
		}
	} else if err != nil {
		n = min(r.Taken, n)
	}
	r.messages = append(r.messages, batch[:n]...)
	return n, err
}

// Close is that of a sink.
func (r *Receiver) Close() error {
	r.Set(func() { r.Closed++ })
	return nil
}

// Set runs f, which may change r, between two calls.
func (r *Receiver) Set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// All returns the messages that r has taken.
func (r *Receiver) All() []sink.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}

// Has returns a function that reports whether r has taken n messages.
func (r *Receiver) Has(n int) func() bool { return func() bool { return len(r.All()) >= n } }

// Slow is a sink that needs its time for each message, and forgets a batch that
// it was not given the time for.
type Slow struct {
	Each time.Duration

	mu       sync.Mutex
	got      int
	largest  int
	attempts int
}

// Open is a sink.Opener.
func (s *Slow) Open(sink.Env) (sink.Sink, error) { return s, nil }

// Send is that of a sink.
func (s *Slow) Send(ctx context.Context, batch []sink.Message) (int, error) {
	select {
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		s.attempts++
		return 0, fmt.Errorf("no answer: %w", ctx.Err())
	case <-time.After(time.Duration(len(batch)) * s.Each):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got += len(batch)
	s.largest = max(s.largest, len(batch))
	return len(batch), nil
}

// Close is that of a sink.
func (*Slow) Close() error { return nil }

// Seen returns how many messages s has taken, how many at once at most, and how
// many attempts were in vain.
func (s *Slow) Seen() (got, largest, attempts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got, s.largest, s.attempts
}
