package nats

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// readTimeout is how long the stream may take for one message that it has.
const readTimeout = 30 * time.Second

// A Reader reads a stream. It is not for concurrent use.
type Reader struct {
	sink *Sink
	last uint64 // the sequence number of the last message that was read
}

// NewReader returns a reader of the stream with the subject. The address and the
// options are those of Parse. Nothing is connected yet.
func NewReader(a sink.Address, o *sink.Options) (*Reader, error) {
	open, err := Parse(a, o)
	if err == nil {
		err = o.Err()
	}
	if err != nil {
		return nil, err
	}
	s, err := open(sink.Env{Sensor: "reader", Guest: true})
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
	for left := info.NumPending + info.Delivered.Consumer; left > 0; left-- {
		one, stop := context.WithTimeout(ctx, readTimeout)
		err := r.next(one, sub, each)
		stop()
		if err != nil {
			return sink.Waited(ctx, "the next message of the stream", readTimeout, err)
		}
	}
	if current == nil {
		return nil
	}
	if err := current(); err != nil {
		return err
	}
	for {
		if err := r.next(ctx, sub, each); err != nil {
			return err
		}
	}
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
