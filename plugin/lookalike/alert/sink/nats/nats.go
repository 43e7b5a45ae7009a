// Package nats publishes alerts to a NATS JetStream stream. The message id is
// the event id, so that the server drops what is published twice within the
// stream's duplicate window.
package nats

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// Sink is a sink for one subject.
type Sink struct {
	config config
	env    sink.Env
	conn   *nats.Conn
	stream jetstream.JetStream
}

// config is what the address and the options say.
type config struct {
	servers  []string
	subject  string
	expect   string // name of the stream that the subject has to belong to
	useTLS   bool
	tls      sink.TLS
	user     string
	password sink.Secret
	token    sink.Secret
	creds    string
}

// Parse reads the part of the address behind nats://, HOST[:PORT],.../SUBJECT,
// and the options stream, tls, user, password_file, password_env, token_file,
// token_env and creds (a NATS credentials file).
func Parse(address string, o *sink.Options) (sink.Opener, error) {
	hosts, subject, _ := strings.Cut(address, "/")
	c := config{subject: subject, expect: o.String("stream", ""), creds: o.String("creds", "")}
	if subject == "" || strings.ContainsAny(subject, "/*> \t") || strings.Contains("."+subject+".", "..") {
		return nil, errors.New("the address is not HOST[:PORT],.../SUBJECT")
	}
	for host := range strings.SplitSeq(hosts, ",") {
		server, err := sink.HostPort(host, 4222)
		if err != nil {
			return nil, err
		}
		c.servers = append(c.servers, "nats://"+server)
	}
	if c.useTLS = o.OneOf("tls", "no", "yes") == "yes"; c.useTLS {
		c.tls = o.TLS()
	}
	c.user, c.password, c.token = o.String("user", ""), o.Secret("password"), o.Secret("token")
	if (c.user != "") != c.password.Given() {
		return nil, errors.New("user and password_file (or password_env) are needed together")
	}
	return func(env sink.Env) (sink.Sink, error) {
		s := &Sink{config: c, env: env}
		_, err := s.options()
		return s, err
	}, nil
}

// options reads files and secrets.
func (s *Sink) options() ([]nats.Option, error) {
	c := &s.config
	options := []nats.Option{
		nats.Name("coredns-lookalike " + s.env.Sensor),
		nats.Timeout(5 * time.Second),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(time.Second),
		nats.ReconnectBufSize(-1), // an error is better than a buffer that may be lost
	}
	if c.useTLS {
		tlsConfig, err := c.tls.Config("")
		if err != nil {
			return nil, err
		}
		options = append(options, nats.Secure(tlsConfig))
	}
	password, err := c.password.Read()
	if err != nil {
		return nil, err
	}
	token, err := c.token.Read()
	if err != nil {
		return nil, err
	}
	if c.user != "" {
		options = append(options, nats.UserInfo(c.user, password))
	}
	if token != "" {
		options = append(options, nats.Token(token))
	}
	if c.creds != "" {
		if _, err := os.ReadFile(c.creds); err != nil {
			return nil, fmt.Errorf("creds: %w", err)
		}
		options = append(options, nats.UserCredentials(c.creds))
	}
	return options, nil
}

// connect connects once; the client then keeps the connection up by itself.
func (s *Sink) connect() error {
	if s.conn != nil && !s.conn.IsClosed() {
		if !s.conn.IsConnected() {
			return errors.New("not connected")
		}
		return nil
	}
	options, err := s.options()
	if err != nil {
		return &sink.Denied{Err: err}
	}
	conn, err := nats.Connect(strings.Join(s.config.servers, ","), options...)
	if err != nil {
		return explain(err)
	}
	stream, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return err
	}
	s.conn, s.stream = conn, stream
	return nil
}

// Send publishes the batch and waits for the server to have stored it. Alerts
// behind one that failed may be stored already; they are published again with
// the same id.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	if err := s.connect(); err != nil {
		return 0, err
	}
	futures := make([]jetstream.PubAckFuture, 0, len(batch))
	var published error
	for i := range batch {
		f, err := s.publish(&batch[i])
		if err != nil {
			published = err
			break
		}
		futures = append(futures, f)
	}
	for i, f := range futures {
		select {
		case <-f.Ok():
		case err := <-f.Err():
			return i, explain(err)
		case <-ctx.Done():
			return i, ctx.Err()
		}
	}
	return len(futures), explain(published)
}

func (s *Sink) publish(m *sink.Message) (jetstream.PubAckFuture, error) {
	msg := nats.NewMsg(s.config.subject)
	msg.Data = m.Body
	msg.Header.Set("Lookalike-Group", m.Group)
	options := []jetstream.PublishOpt{jetstream.WithMsgID(m.ID)}
	if s.config.expect != "" {
		options = append(options, jetstream.WithExpectStream(s.config.expect))
	}
	return s.stream.PublishMsgAsync(msg, options...)
}

// explain gives an error its meaning.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload):
		return &sink.Refused{Err: err}
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return &sink.Denied{Err: err}
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w (create a stream for the subject)", err)
	}
	return err
}

// Close closes the connection.
func (s *Sink) Close() error {
	if s.conn != nil {
		s.conn.Close()
	}
	return nil
}
