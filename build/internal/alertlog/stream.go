package alertlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/kafka"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/nats"
)

// stream reads what a fleet publishes, from where it has read before.
type stream interface {
	Read(ctx context.Context, each func([]byte) error, current func() error) error
}

// streams are the kinds of streams.
var streams = []struct {
	scheme string
	open   func(sink.Address, *sink.Options) (stream, error)
}{
	{"nats://", func(a sink.Address, o *sink.Options) (stream, error) { return nats.NewReader(a, o) }},
	{"kafka://", func(a sink.Address, o *sink.Options) (stream, error) { return kafka.NewReader(a, o) }},
}

// Name returns the name of a file or a stream for messages and records. For a stream
// this is the address without its options.
func Name(source string) string {
	if isStream(source) {
		return strings.Fields(source)[0]
	}
	return source
}

func isStream(source string) bool {
	for _, s := range streams {
		if strings.HasPrefix(source, s.scheme) {
			return true
		}
	}
	return false
}

// openStream takes an address and options in one argument, as they stand in the
// alert line of a Corefile.
func openStream(source string) (stream, error) {
	words := strings.Fields(source)
	o, err := sink.ParseOptions(words[1:])
	if err != nil {
		return nil, err
	}
	for _, s := range streams {
		if strings.HasPrefix(source, s.scheme) {
			return s.open(sink.Address{Target: words[0], Format: "ecs"}, o)
		}
	}
	return nil, errors.ErrUnsupported // isStream has said otherwise
}

// retryEvery is how long a stream that fails is left alone.
const retryEvery = 5 * time.Second

// streamed reads a stream: what it has now or, where current is not nil, on and
// on. Then it tries again after each failure, but for the first of all.
func (r *reader) streamed(ctx context.Context, source string, current func() error) error {
	s, err := openStream(source)
	if err != nil {
		return fmt.Errorf("%s: %w", Name(source), err)
	}
	number, reached := 0, false
	each := func(body []byte) error { number++; return r.message(Name(source), number, body) }
	var once func() error
	if current != nil {
		once = func() error {
			if reached {
				return nil
			}
			reached = true
			return current()
		}
	}
	for {
		err := s.Read(ctx, each, once)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%s: %w", Name(source), err)
		if !reached || ctx.Err() != nil || r.ended() {
			return err
		}
		r.tell(Problem{File: Name(source), Err: fmt.Errorf("%w; trying again", err)})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

// message takes one message of a stream.
func (r *reader) message(name string, number int, body []byte) error {
	rec, err := Parse(slices.Clone(body))
	if err != nil {
		r.tell(Problem{name, number, body, err})
		return nil
	}
	rec.File, rec.Line = name, number
	return r.hand(rec)
}
