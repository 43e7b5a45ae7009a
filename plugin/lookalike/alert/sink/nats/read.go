package nats

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// A Reader reads a stream. It is not for concurrent use.
type Reader struct {
	sink *Sink
	last uint64 // the sequence number of the last message that was read
}

// NewReader returns a reader of the stream with the subject. The address and the
// options are those of Parse. Nothing is connected yet.
func NewReader(a sink.Address, o *sink.Options) (*Reader, error) {
	s, err := sink.OpenReader(Parse, a, o)
	if err != nil {
		return nil, err
	}
	return &Reader{sink: s.(*Sink)}, nil // Parse makes no other
}

// Read hands over what the stream has, the oldest first, from where the Read
// before has ended. With a nil current it ends where the stream ended when it
// began. Otherwise it calls current there, and goes on until an error. That is
// the error of each, of current, of ctx, or of the server.
func (r *Reader) Read(ctx context.Context, each func(body []byte) error, current func() error) error {
	s := r.sink
	defer s.Close()
	if err := s.connect(ctx); err != nil {
		return err
	}
	js, err := s.link.conn.JetStream(nats.Context(ctx))
	if err != nil {
		return err
	}
	stream := s.config.expect
	if stream == "" {
		if stream, err = js.StreamNameBySubject(s.config.subject, nats.Context(ctx)); err != nil {
			return fmt.Errorf("no stream for the subject %s can be found: %w", s.config.subject, err)
		}
	}
	from := nats.DeliverAll()
	if r.last > 0 {
		from = nats.StartSequence(r.last + 1)
	}
	sub, err := js.SubscribeSync(s.config.subject, nats.BindStream(stream), nats.OrderedConsumer(), from)
	if err != nil {
		return explain(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection ends as well
	info, err := sub.ConsumerInfo()
	if err != nil {
		return explain(err)
	}
	pending := int64(info.NumPending + info.Delivered.Consumer) //nolint:gosec // no stream has as many
	left := func() bool { return pending > 0 }
	next := func(ctx context.Context) error { pending--; return r.next(ctx, sub, each) }
	return sink.ReadOn(ctx, "the next message of the stream", left, next, current)
}

// next hands one message over.
func (r *Reader) next(ctx context.Context, sub *nats.Subscription, each func(body []byte) error) error {
	msg, err := sub.NextMsgWithContext(ctx)
	if err != nil {
		return err
	}
	meta, err := msg.Metadata()
	if err != nil {
		return err
	}
	if err := each(msg.Data); err != nil {
		return err
	}
	r.last = meta.Sequence.Stream
	return nil
}
