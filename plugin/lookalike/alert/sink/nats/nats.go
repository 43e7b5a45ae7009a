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
	link   *link // nil: none
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
	c := config{subject: subject, expect: o.String("stream", ""), creds: o.File("creds")}
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
	if c.user != "" && (c.token.Given() || c.creds != "") || c.token.Given() && c.creds != "" {
		return nil, errors.New("user, token and creds exclude each other: leave only the one that the server asks for")
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
		nats.NoReconnect(),
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

// link is a connection, which ends for good when it breaks: the next one has
// the secrets and certificates of its time, and no acknowledgements to wait for.
type link struct {
	conn    *nats.Conn
	stream  jetstream.JetStream
	refused chan error    // what the server says that belongs to no message
	gone    chan struct{} // closed with the connection
}

// connect makes a connection if there is none.
func (s *Sink) connect() error {
	if s.link != nil && !s.link.conn.IsClosed() {
		return nil
	}
	options, err := s.options()
	if err != nil {
		return &sink.Denied{Err: err}
	}
	l := &link{refused: make(chan error, 1), gone: make(chan struct{})}
	options = append(options,
		nats.ClosedHandler(func(*nats.Conn) { close(l.gone) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { // else the client writes to standard error
			select {
			case l.refused <- err:
			default:
			}
		}),
	)
	if l.conn, err = nats.Connect(strings.Join(s.config.servers, ","), options...); err != nil {
		return explain(err)
	}
	if l.stream, err = jetstream.New(l.conn); err != nil {
		l.conn.Close()
		return err
	}
	s.link = l
	return nil
}

// Send publishes the batch and waits for the server to have stored it. Alerts
// behind one that failed may be stored already; they are published again with
// the same id.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	if err := s.connect(); err != nil {
		return 0, err
	}
	n, err := s.publishAll(ctx, batch)
	if err != nil && !errors.As(err, new(*sink.Refused)) {
		s.disconnect()
	}
	return n, err
}

func (s *Sink) publishAll(ctx context.Context, batch []sink.Message) (int, error) {
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
		if err := s.link.wait(ctx, f); err != nil {
			return i, explain(err)
		}
	}
	return len(futures), explain(published)
}

// wait waits until the server has stored a message.
func (l *link) wait(ctx context.Context, f jetstream.PubAckFuture) error {
	select {
	case <-f.Ok():
		return nil
	case err := <-f.Err():
		return err
	case err := <-l.refused:
		return err
	case <-l.gone:
		return errors.New("the connection broke")
	case <-ctx.Done():
		return fmt.Errorf("no acknowledgement: %w", ctx.Err())
	}
}

func (s *Sink) publish(m *sink.Message) (jetstream.PubAckFuture, error) {
	msg := nats.NewMsg(s.config.subject)
	msg.Data = m.Body
	msg.Header.Set("Lookalike-Group", m.Group)
	options := []jetstream.PublishOpt{jetstream.WithMsgID(m.ID)}
	if s.config.expect != "" {
		options = append(options, jetstream.WithExpectStream(s.config.expect))
	}
	return s.link.stream.PublishMsgAsync(msg, options...)
}

// explain gives an error its meaning.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum):
		return &sink.Refused{Err: err}
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked),
		errors.Is(err, nats.ErrPermissionViolation):
		return &sink.Denied{Err: err}
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w (create a stream for the subject)", err)
	}
	return err
}

func (s *Sink) disconnect() {
	if s.link != nil {
		s.link.conn.Close()
		s.link = nil
	}
}

// Close closes the connection.
func (s *Sink) Close() error {
	s.disconnect()
	return nil
}
