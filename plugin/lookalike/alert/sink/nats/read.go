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

// Read hands over what the stream with the subject has, the oldest first, up to
// what it has when Read begins. The address and the options are those of Parse.
// The error is that of each, of ctx, or of the server.
func Read(ctx context.Context, a sink.Address, o *sink.Options, each func(body []byte) error) error {
	open, err := Parse(a, o)
	if err == nil {
		err = o.Err()
	}
	if err != nil {
		return err
	}
	opened, err := open(sink.Env{Sensor: "reader", Guest: true})
	if err != nil {
		return err
	}
	defer opened.Close()
	s := opened.(*Sink) // Parse makes no other
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
	sub, err := js.SubscribeSync(s.config.subject, nats.BindStream(stream), nats.OrderedConsumer(), nats.DeliverAll())
	if err != nil {
		return explain(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection ends as well
	return drain(ctx, sub, each)
}

// drain reads until nothing waits that was there at the beginning.
func drain(ctx context.Context, sub *nats.Subscription, each func(body []byte) error) error {
	info, err := sub.ConsumerInfo()
	if err != nil {
		return explain(err)
	}
	for left := info.NumPending + info.Delivered.Consumer; left > 0; left-- {
		one, stop := context.WithTimeout(ctx, readTimeout)
		msg, err := sub.NextMsgWithContext(one)
		stop()
		if err != nil {
			return sink.Waited(ctx, "the next message of the stream", readTimeout, err)
		}
		if err := each(msg.Data); err != nil {
			return err
		}
	}
	return nil
}
