// Package splunk sends alerts to Splunk's HTTP Event Collector. Where the
// token has indexer acknowledgement, an alert is delivered when the indexer
// has it, else when the collector has taken it.
package splunk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/web"
)

// ackEvery is the time between two questions for an acknowledgement.
const ackEvery = time.Second

// Sink is a sink for one collector.
type Sink struct {
	client     *web.Client
	token      sink.Secret
	index      string
	source     string
	sourcetype string
	channel    string // tells the collector whose acknowledgements are asked for
}

// Parse reads an http or https address and the options token_file, token_env,
// index, source and sourcetype, besides those of all HTTP sinks. format goes
// into the default sourcetype.
func Parse(address, format string, o *sink.Options) (sink.Opener, error) {
	config, err := web.Parse(address, o)
	if err != nil {
		return nil, err
	}
	s := Sink{
		token: o.Secret("token"), index: o.String("index", ""), source: o.String("source", "lookalike"),
		sourcetype: o.String("sourcetype", "lookalike:alert:"+format),
	}
	if !s.token.Given() {
		return nil, errors.New("token_file or token_env is needed")
	}
	return func(sink.Env) (sink.Sink, error) {
		opened := s
		if _, err := opened.token.Read(); err != nil {
			return nil, err
		}
		opened.channel = uuid.NewString()
		client, err := web.NewClient(config)
		opened.client = client
		return &opened, err
	}, nil
}

// event is one event as the collector takes it.
type event struct {
	Time       json.Number `json:"time"`
	Host       string      `json:"host,omitempty"`
	Source     string      `json:"source,omitempty"`
	Sourcetype string      `json:"sourcetype,omitempty"`
	Index      string      `json:"index,omitempty"`
	Event      any         `json:"event"`
}

// Send posts the batch and waits for its acknowledgement where there is one.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	return web.Deliver(ctx, batch, s.post)
}

func (s *Sink) post(ctx context.Context, batch []sink.Message) error {
	var body []byte
	for i := range batch {
		b, err := json.Marshal(s.event(&batch[i]))
		if err != nil {
			return &sink.Refused{Err: err}
		}
		body = append(body, b...)
	}
	reply, err := s.ask(ctx, "/services/collector/event", body)
	if err != nil {
		return err
	}
	var answer struct {
		Code  int
		AckID *uint64
	}
	if err := json.Unmarshal(reply.Body, &answer); err != nil {
		return fmt.Errorf("the collector's answer is not JSON: %w", err)
	}
	if answer.AckID == nil {
		return nil
	}
	return s.awaitAck(ctx, *answer.AckID)
}

func (s *Sink) event(m *sink.Message) event {
	e := event{
		Time: json.Number(strconv.FormatFloat(float64(m.Time.UnixMilli())/1000, 'f', 3, 64)),
		Host: m.Sensor, Source: s.source, Sourcetype: s.sourcetype, Index: s.index, Event: string(m.Body),
	}
	if json.Valid(m.Body) {
		e.Event = json.RawMessage(m.Body)
	}
	return e
}

// ask posts to the collector and reads its status.
func (s *Sink) ask(ctx context.Context, path string, body []byte) (*web.Reply, error) {
	token, err := s.token.Read()
	if err != nil {
		return nil, &sink.Denied{Err: err}
	}
	header := http.Header{}
	header.Set("Authorization", "Splunk "+token)
	header.Set("Content-Type", "application/json")
	header.Set("X-Splunk-Request-Channel", s.channel)
	reply, err := s.client.Post(ctx, path, header, body)
	if err != nil {
		return nil, err
	}
	return reply, reply.Err()
}

// awaitAck asks until the indexer has the events. If it does not in time, they
// are sent again: twice is better than not at all.
func (s *Sink) awaitAck(ctx context.Context, id uint64) error {
	question := fmt.Appendf(nil, `{"acks":[%d]}`, id)
	for {
		reply, err := s.ask(ctx, "/services/collector/ack?channel="+s.channel, question)
		if refused := (*sink.Refused)(nil); errors.As(err, &refused) {
			return refused.Err // of the question, not of the events
		}
		if err != nil {
			return err
		}
		var answer struct{ Acks map[string]bool }
		if err := json.Unmarshal(reply.Body, &answer); err != nil {
			return fmt.Errorf("the collector's acknowledgement is not JSON: %w", err)
		}
		if answer.Acks[strconv.FormatUint(id, 10)] {
			return nil
		}
		select {
		case <-time.After(ackEvery):
		case <-ctx.Done():
			return fmt.Errorf("the indexer has not acknowledged: %w", ctx.Err())
		}
	}
}

// Close closes the connection.
func (s *Sink) Close() error { return s.client.Close() }
