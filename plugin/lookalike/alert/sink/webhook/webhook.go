// Package webhook posts alerts to any HTTP receiver, signed as the Standard
// Webhooks specification 1.0 has it.
//
// With batch=1, the default, a request's body is one record and its webhook-id
// is the event id. With a larger batch, the body of a JSON format is an array;
// other formats have one record a line. Receivers then recognise repeats by the
// event ids within.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/web"
)

// Sink is a sink for one webhook.
type Sink struct {
	client *web.Client
	secret sink.Secret
	batch  int
}

// Parse reads an http or https address and the options batch, secret_file and
// secret_env, besides those of all HTTP sinks. The secret has the form
// whsec_BASE64; while it changes, there may be several, with space between.
func Parse(a sink.Address, o *sink.Options) (sink.Opener, error) {
	config, err := web.Parse(a, true, o)
	if err != nil {
		return nil, err
	}
	config.Private = true
	s := Sink{secret: o.Secret("secret"), batch: o.Int("batch", 1, 1, 1000)}
	return func(sink.Env) (sink.Sink, error) {
		opened := s
		if _, err := opened.keys(); err != nil {
			return nil, err
		}
		client, err := web.NewClient(config)
		opened.client = client
		return &opened, err
	}, nil
}

// The length of a secret, in octets, by the Standard Webhooks specification 1.0.
const (
	shortestKey = 24
	longestKey  = 64
)

// keys returns the decoded secrets, none if the webhook is not signed.
func (s *Sink) keys() ([][]byte, error) {
	text, err := s.secret.Read()
	if err != nil {
		return nil, err
	}
	words := strings.Fields(text)
	keys := make([][]byte, 0, len(words))
	for _, w := range words {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(w, "whsec_"))
		if err != nil {
			return nil, errors.New("the webhook's secret is not whsec_ and base64")
		}
		if len(key) < shortestKey || len(key) > longestKey {
			return nil, fmt.Errorf("the webhook's secret has %d octets, want %d to %d: echo whsec_$(openssl rand -base64 32)", len(key), shortestKey, longestKey)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Send posts the batch in parts of the configured size.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	sent := 0
	for sent < len(batch) {
		part := batch[sent:min(sent+s.batch, len(batch))]
		n, err := web.Deliver(ctx, part, s.post)
		sent += n
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

func (s *Sink) post(ctx context.Context, batch []sink.Message) error {
	body, mediaType := s.body(batch)
	id := batch[0].ID
	if len(batch) > 1 {
		id += "-" + strconv.Itoa(len(batch))
	}
	header := http.Header{}
	header.Set("Content-Type", mediaType)
	if err := s.sign(header, id, time.Now(), body); err != nil {
		return &sink.Denied{Err: err}
	}
	reply, err := s.client.Post(ctx, "", header, body)
	if err != nil {
		return err
	}
	return reply.Err()
}

// body joins the records of a request.
func (s *Sink) body(batch []sink.Message) ([]byte, string) {
	bodies := make([][]byte, len(batch))
	for i := range batch {
		bodies[i] = batch[i].Body
	}
	switch {
	case len(batch[0].Body) == 0 || batch[0].Body[0] != '{':
		return bytes.Join(bodies, []byte("\n")), "text/plain; charset=utf-8"
	case s.batch == 1:
		return bodies[0], "application/json"
	}
	return append(append([]byte("["), bytes.Join(bodies, []byte(","))...), ']'), "application/json"
}

// sign sets the headers of Standard Webhooks; without a secret, those that
// need none.
func (s *Sink) sign(header http.Header, id string, now time.Time, body []byte) error {
	stamp := strconv.FormatInt(now.Unix(), 10)
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", stamp)
	keys, err := s.keys()
	if err != nil || len(keys) == 0 {
		return err
	}
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	header.Set("Webhook-Signature", strings.Join(signatures, " "))
	return nil
}

// Close closes the connection.
func (s *Sink) Close() error { return s.client.Close() }
