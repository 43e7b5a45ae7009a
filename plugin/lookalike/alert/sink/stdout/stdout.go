// Package stdout writes alerts to the server's standard output, one a line.
package stdout

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// chunk is PIPE_BUF of Linux: a pipe that is ready takes as much at once, and
// does not mix it with what others write.
const chunk = 4096

// pollTime is how long one wait for a reader lasts before the context is
// checked again.
const pollTime = 100 * time.Millisecond

// Sink writes to one descriptor, which stays open.
type Sink struct {
	w     io.Writer
	ready func(time.Duration) (bool, error) // waits until w takes a chunk
	buf   []byte
	rest  int // bytes of the first message that are written already
}

// Parse returns what opens the standard output. There are no options.
func Parse(sink.Address, *sink.Options) (sink.Opener, error) {
	return func(sink.Env) (sink.Sink, error) { return New(os.Stdout), nil }, nil
}

// New returns a sink that writes to f. It waits for f before each write rather
// than in it, so that a reader that has stopped reading is waited for with a
// deadline. From then on, no write of the process to standard output ends it,
// even if the reader has gone.
func New(f *os.File) *Sink {
	ignoreSIGPIPE()
	return &Sink{w: f, ready: func(d time.Duration) (bool, error) { return writable(f, d) }}
}

// Send writes the batch. Lines that were written before ctx was done are
// settled, and a line that was begun is finished by the next Send.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	for i := range batch {
		s.buf = append(append(s.buf[:0], batch[i].Body...), '\n')
		for s.rest < len(s.buf) {
			if err := s.wait(ctx); err != nil {
				return i, err
			}
			n, err := s.w.Write(s.buf[s.rest:min(s.rest+chunk, len(s.buf))])
			s.rest += n
			if err != nil {
				return i, err
			}
		}
		s.rest = 0
	}
	return len(batch), nil
}

// wait waits until a write will not block.
func (s *Sink) wait(ctx context.Context) error {
	for {
		ok, err := s.ready(pollTime)
		if ok || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return errors.Join(errors.New("standard output is full, nobody reads it"), ctx.Err())
		}
	}
}

// Close does nothing: standard output belongs to the server.
func (s *Sink) Close() error { return nil }
