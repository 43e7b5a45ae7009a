package alertlog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/kafka"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/nats"
)

// streams are the kinds of streams that a fleet publishes to.
var streams = []struct {
	scheme string
	read   func(context.Context, sink.Address, *sink.Options, func([]byte) error) error
}{
	{"nats://", nats.Read},
	{"kafka://", kafka.Read},
}

// Name returns what messages and records call a file or a stream: of a stream,
// the address without its options.
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

// stream reads what a stream has now. Its address and its options stand in one
// argument, as they do in the alert line of a Corefile.
func (r *reader) stream(ctx context.Context, source string) error {
	words := strings.Fields(source)
	o, err := sink.ParseOptions(words[1:])
	if err != nil {
		return fmt.Errorf("%s: %w", words[0], err)
	}
	number := 0
	for _, s := range streams {
		if !strings.HasPrefix(source, s.scheme) {
			continue
		}
		err = s.read(ctx, sink.Address{Target: words[0], Format: "ecs"}, o, func(body []byte) error {
			number++
			rec, err := Parse(slices.Clone(body))
			if err != nil {
				if r.Problem != nil {
					r.Problem(Problem{words[0], number, body, err})
				}
				return nil
			}
			rec.File, rec.Line = words[0], number
			return r.emit(rec)
		})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", words[0], err)
	}
	return nil
}
