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
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/web"
)

// ackEvery is the time between two questions for an acknowledgement. ackWait is
// the time that one may take; after it, the events are sent again.
const (
	ackEvery = time.Second
	ackWait  = 5 * time.Minute
)

// misconfigured are the codes of errors that concern all events of this token
// or request, although the status is that of one bad event: a wrong index,
// channel or acknowledgement, or a misplaced token.
var misconfigured = []int{7, 10, 11, 14, 16}

// errNoAck says that a Send has no time left to wait.
var errNoAck = errors.New("the indexer has not acknowledged yet")

// Sink is a sink for one collector.
type Sink struct {
	client     *web.Client
	token      sink.Secret
	index      string
	source     string
	sourcetype string
	channel    string // tells the collector whose acknowledgements the sink asks for

	waiting *pending // nil: none
}

// pending are events that the collector has, but perhaps not yet the indexer.
type pending struct {
	ack   uint64
	ids   []string
	since time.Time
}

// begins reports whether the batch begins with the pending events.
func (p *pending) begins(batch []sink.Message) bool {
	return len(p.ids) <= len(batch) && slices.EqualFunc(p.ids, batch[:len(p.ids)], func(id string, m sink.Message) bool { return id == m.ID })
}

// Parse reads an http or https address and the options token_file, token_env,
// index, source and sourcetype, besides those of all HTTP sinks. The format goes
// into the default sourcetype.
func Parse(a sink.Address, o *sink.Options) (sink.Opener, error) {
	config, err := web.Parse(a, false, o)
	if err != nil {
		return nil, err
	}
	s := Sink{
		token: o.SentSecret("token"), index: o.String("index", ""), source: o.String("source", "lookalike"),
		sourcetype: o.String("sourcetype", "lookalike:alert:"+a.Format),
	}
	if !s.token.Given() {
		return nil, errors.New("token_file or token_env is needed")
	}
	if config.User != "" { // both would use the same header
		return nil, errors.New("user and token exclude each other: leave out user and password_file (or password_env)")
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

// event is one event in the collector's form.
type event struct {
	Time       json.Number `json:"time"`
	Host       string      `json:"host,omitempty"`
	Source     string      `json:"source,omitempty"`
	Sourcetype string      `json:"sourcetype,omitempty"`
	Index      string      `json:"index,omitempty"`
	Event      any         `json:"event"`
}

// Send posts the batch and waits for its acknowledgement where there is one. If
// an earlier Send has posted the same events, it asks about those first, rather
// than posting them again.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	settled := 0
	if s.waiting != nil && s.waiting.begins(batch) {
		n := len(s.waiting.ids)
		if err := s.awaitAck(ctx); err != nil {
			return 0, err
		}
		settled = n
	}
	if settled == len(batch) {
		return settled, nil
	}
	n, err := web.Deliver(ctx, batch[settled:], s.post)
	return settled + n, err
}

func (s *Sink) post(ctx context.Context, batch []sink.Message) error {
	var body []byte
	ids := make([]string, len(batch))
	for i := range batch {
		b, err := json.Marshal(s.event(&batch[i]))
		if err != nil {
			return &sink.Refused{Err: err}
		}
		body = append(body, b...)
		ids[i] = batch[i].ID
	}
	var answer struct{ AckID *uint64 }
	if err := s.ask(ctx, "/services/collector/event", body, &answer); err != nil {
		return err
	}
	if answer.AckID == nil {
		return nil
	}
	s.waiting = &pending{ack: *answer.AckID, ids: ids, since: time.Now()}
	return s.awaitAck(ctx)
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

// ask posts to the collector and reads its answer.
func (s *Sink) ask(ctx context.Context, path string, body []byte, answer any) error {
	token, err := s.token.Read()
	if err != nil {
		return &sink.Denied{Err: err}
	}
	header := http.Header{}
	header.Set("Authorization", "Splunk "+token)
	header.Set("Content-Type", "application/json")
	header.Set("X-Splunk-Request-Channel", s.channel)
	reply, err := s.client.Post(ctx, path, header, body)
	if err != nil {
		return err
	}
	err = reply.JSON("the collector's answer", answer)
	if refused := (*sink.Refused)(nil); errors.As(err, &refused) {
		var why struct{ Code int }
		if text, cut := reply.Body(); cut == nil && json.Unmarshal(text, &why) == nil && slices.Contains(misconfigured, why.Code) {
			return refused.Err // it is about the request, not about an event
		}
	}
	return err
}

// awaitAck asks until the indexer has the pending events. If the collector
// denies that for long, or cannot tell, they are sent again: twice is better
// than not at all. To send them again whenever ctx is done would be too often.
func (s *Sink) awaitAck(ctx context.Context) error {
	question := fmt.Appendf(nil, `{"acks":[%d]}`, s.waiting.ack)
	for {
		var answer struct{ Acks map[string]bool }
		err := s.ask(ctx, "/services/collector/ack?channel="+s.channel, question, &answer)
		if refused := (*sink.Refused)(nil); errors.As(err, &refused) {
			err = refused.Err // it is about the question, not about the events
		}
		switch {
		case err != nil:
			if ctx.Err() != nil && time.Since(s.waiting.since) < ackWait {
				return errNoAck
			}
			s.waiting = nil
			return err
		case answer.Acks[strconv.FormatUint(s.waiting.ack, 10)]:
			s.waiting = nil
			return nil
		case time.Since(s.waiting.since) >= ackWait:
			s.waiting = nil
			return fmt.Errorf("the indexer has not acknowledged for %v, the events are sent again", ackWait)
		}
		select {
		case <-time.After(ackEvery):
		case <-ctx.Done():
			return errNoAck
		}
	}
}

// Close closes the connection.
func (s *Sink) Close() error { return s.client.Close() }
