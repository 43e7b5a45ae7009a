// Package elastic writes alerts to Elasticsearch or OpenSearch with the bulk
// interface. Each document's id is the event id and the operation is create, so
// that an alert that is sent twice is stored once.
package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/web"
)

// defaultIndex is a data stream that the stock index templates cover.
const defaultIndex = "logs-lookalike.alert-default"

// Sink is a sink for one cluster.
type Sink struct {
	client *web.Client
	key    sink.Secret
	index  string
}

// Parse reads an http or https address and the options index, api_key_file
// and api_key_env, besides those of all HTTP sinks.
func Parse(a sink.Address, o *sink.Options) (sink.Opener, error) {
	config, err := web.Parse(a, false, o)
	if err != nil {
		return nil, err
	}
	s := Sink{key: o.SentSecret("api_key"), index: o.String("index", defaultIndex)}
	if s.key.Given() && config.User != "" {
		return nil, errors.New("user and api_key exclude each other")
	}
	if strings.ToLower(s.index) != s.index || strings.ContainsAny(s.index, "\\/*?\"<>| ,#:") {
		return nil, fmt.Errorf("option index: %q is no index name", s.index)
	}
	return func(sink.Env) (sink.Sink, error) {
		opened := s
		if _, err := opened.key.Read(); err != nil {
			return nil, err
		}
		client, err := web.NewClient(config)
		opened.client = client
		return &opened, err
	}, nil
}

// answer is the bulk interface's answer, about each document in order.
type answer struct{ Items items }

// items are at most as many as documents were sent.
type items struct {
	most int
	list []item
}

// item is about one document, which was to be created.
type item struct {
	Create struct {
		Status int
		Error  json.RawMessage
	}
}

// UnmarshalJSON reads a list, and stops where it is too long: in memory it is
// many times as large as in the answer.
func (i *items) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.New("items is no list")
	}
	i.list = make([]item, 0, i.most)
	for d.More() {
		if len(i.list) == i.most {
			return fmt.Errorf("it is about more documents than the %d that were sent", i.most)
		}
		i.list = append(i.list, item{})
		if err := d.Decode(&i.list[len(i.list)-1]); err != nil {
			return err
		}
	}
	return nil
}

// Send writes the batch. Documents behind one that failed are sent again with
// it; those that are there already answer 409, which is success.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	settled := 0
	_, err := web.Deliver(ctx, batch, func(ctx context.Context, part []sink.Message) error {
		n, err := s.post(ctx, part)
		settled += n
		return err
	})
	if item := (itemError{}); errors.As(err, &item) {
		err = item.error
	}
	return settled, err
}

// itemError is about one known document: there is no need to look for it in
// halves of the batch.
type itemError struct{ error }

func (s *Sink) post(ctx context.Context, batch []sink.Message) (int, error) {
	header := http.Header{}
	header.Set("Content-Type", "application/x-ndjson")
	key, err := s.key.Read()
	if err != nil {
		return 0, &sink.Denied{Err: err}
	}
	if key != "" {
		header.Set("Authorization", "ApiKey "+key)
	}
	reply, err := s.client.Post(ctx, "/_bulk", header, s.body(batch))
	if err != nil {
		return 0, err
	}
	a := answer{Items: items{most: len(batch)}}
	if err := reply.JSON("the answer to _bulk", &a); err != nil {
		return 0, err
	}
	return a.settled(len(batch), reply.Header.Get("Retry-After"))
}

func (s *Sink) body(batch []sink.Message) []byte {
	var b []byte
	for i := range batch {
		meta, _ := json.Marshal(map[string]any{"create": map[string]string{"_index": s.index, "_id": batch[i].ID}})
		b = append(append(b, meta...), '\n')
		b = append(append(b, batch[i].Body...), '\n')
	}
	return b
}

// settled counts the documents up to the first that was not stored.
func (a *answer) settled(sent int, retryAfter string) (int, error) {
	if len(a.Items.list) != sent {
		return 0, fmt.Errorf("the answer to _bulk is about %d documents, not %d", len(a.Items.list), sent)
	}
	for n := range a.Items.list {
		result := &a.Items.list[n].Create
		if result.Status >= 200 && result.Status < 300 || result.Status == http.StatusConflict {
			continue
		}
		err := fmt.Errorf("status %d: %.300s", result.Status, result.Error)
		if !ofIndex(result.Error) {
			err = web.StatusErr(result.Status, retryAfter, err)
		}
		return n, itemError{err}
	}
	return sent, nil
}

// indexErrors are error types whose status blames the document or the
// credentials, though the cause is the state of the index or the cluster: it is
// closed, read-only, or has no room for another shard.
var indexErrors = []string{"index_closed_exception", "cluster_block_exception", "validation_exception"}

func ofIndex(text json.RawMessage) bool {
	var e struct{ Type string }
	return json.Unmarshal(text, &e) == nil && slices.Contains(indexErrors, e.Type)
}

// Close closes the connection.
func (s *Sink) Close() error { return s.client.Close() }
