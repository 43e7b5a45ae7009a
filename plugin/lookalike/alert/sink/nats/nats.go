// Package nats publishes alerts to a NATS JetStream stream. The message id is
// the event id, so that the server drops what is published twice within the
// stream's duplicate window.
package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

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
func Parse(a sink.Address, o *sink.Options) (sink.Opener, error) {
	hosts, subject, _ := strings.Cut(a.Rest(), "/")
	c := config{subject: subject, expect: o.String("stream", ""), creds: o.PrivateFile("creds")}
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
	} else {
		o.Clear("tls=yes", strings.Split(hosts, ",")...)
	}
	c.user, c.password, c.token = o.String("user", ""), o.SentSecret("password"), o.SentSecret("token")
	if (c.user != "") != c.password.Given() {
		return nil, errors.New("user and password_file (or password_env) are needed together")
	}
	if c.user != "" && (c.token.Given() || c.creds != "") || c.token.Given() && c.creds != "" {
		return nil, errors.New("user, token and creds exclude each other: leave only the one that the server asks for")
	}
	return func(env sink.Env) (sink.Sink, error) {
		s := &Sink{config: c, env: env}
		_, err := s.options(&dialer{})
		return s, err
	}, nil
}

// dialTimeout bounds the time for a connection, and the time for the login.
const dialTimeout = 5 * time.Second

// leastPayload is the message size that any server must accept. If its limit is
// lower, the alert is not to blame.
const leastPayload = 16 << 10

// options reads files and secrets. The dialer makes its connections within ctx.
func (s *Sink) options(d *dialer) ([]nats.Option, error) {
	c := &s.config
	options := []nats.Option{
		nats.Name("coredns-lookalike " + s.env.Sensor),
		nats.SetCustomDialer(d),
		nats.Timeout(dialTimeout),
		nats.FlusherTimeout(dialTimeout),
		nats.SkipHostLookup(), // the dialer does it, and wants the name
		nats.NoReconnect(),
		nats.IgnoreDiscoveredServers(),
	}
	if _, err := c.tls.Config(""); err != nil {
		return nil, err
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

// link is a connection, which is not used again once it breaks. The next one
// has fresh secrets and certificates, and no acknowledgements to wait for.
type link struct {
	conn    *nats.Conn
	dialer  *dialer
	inbox   string         // subject of acknowledgements, before the message's number
	acks    chan *nats.Msg // that have come
	next    uint64         // number of the next message
	refused chan error     // the server's errors that belong to no message
	gone    chan struct{}  // closed with the connection
}

// mostAcks is how many acknowledgements may wait to be read: more than a batch
// needs. The library drops further ones.
const mostAcks = 1024

// connect makes a connection if there is none.
func (s *Sink) connect(ctx context.Context) error {
	if s.link != nil && !s.link.conn.IsClosed() {
		return nil
	}
	d := &dialer{ctx: ctx, useTLS: s.config.useTLS, config: s.config.tls.Config}
	options, err := s.options(d)
	if err != nil {
		return &sink.Denied{Err: err}
	}
	l := &link{
		dialer: d, inbox: nats.NewInbox() + ".", acks: make(chan *nats.Msg, mostAcks),
		refused: make(chan error, 1), gone: make(chan struct{}),
	}
	options = append(options,
		nats.ClosedHandler(func(*nats.Conn) { close(l.gone) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { // else the client writes to standard error
			select {
			case l.refused <- err:
			default:
			}
		}),
	)
	stop := context.AfterFunc(ctx, d.abort)
	defer stop()
	if l.conn, err = nats.Connect(strings.Join(s.config.servers, ","), options...); err != nil {
		return explain(sink.Waited(ctx, "the server to let us in", dialTimeout, err))
	}
	if _, err = l.conn.ChanSubscribe(l.inbox+"*", l.acks); err != nil {
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
	if err := s.connect(ctx); err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, s.link.dialer.abort) // the library may wait for a server that does not read
	defer stop()
	n, err := s.publishAll(ctx, batch)
	if most := s.link.conn.MaxPayload(); errors.Is(err, nats.ErrMaxPayload) && most < leastPayload {
		err = fmt.Errorf("the server takes no message above %d octets: set its max_payload to %d or more", most, leastPayload)
	}
	if err != nil && !errors.As(err, new(*sink.Refused)) {
		s.disconnect()
	}
	return n, err
}

// publishAll publishes the batch and waits for the acknowledgements.
func (s *Sink) publishAll(ctx context.Context, batch []sink.Message) (int, error) {
	began, first := time.Now(), s.link.next
	var published error
	for i := range batch {
		if published = s.publish(&batch[i]); published != nil {
			batch = batch[:i]
			break
		}
	}
	answers := make([]struct {
		came bool
		err  error
	}, len(batch))
	for n := 0; n < len(batch); {
		msg, err := s.link.wait(ctx)
		if err != nil {
			return n, explain(sink.Waited(ctx, "the stream to acknowledge an alert", time.Since(began), err))
		}
		number, err := strconv.ParseUint(strings.TrimPrefix(msg.Subject, s.link.inbox), 10, 64)
		if i := number - first; err == nil && i < uint64(len(batch)) { // else of an earlier batch, or of nobody
			answers[i].came, answers[i].err = true, acknowledged(msg)
		}
		for ; n < len(batch) && answers[n].came; n++ {
			if err := answers[n].err; err != nil {
				return n, explain(err)
			}
		}
	}
	return len(batch), explain(published)
}

// wait waits for the next acknowledgement.
func (l *link) wait(ctx context.Context) (*nats.Msg, error) {
	select {
	case msg := <-l.acks:
		return msg, nil
	case err := <-l.refused:
		return nil, err
	case <-l.gone:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil { // which breaks the connection
		return nil, err
	}
	return nil, errors.New("the server broke the connection")
}

// publish sends a message and asks the stream to acknowledge it.
func (s *Sink) publish(m *sink.Message) error {
	msg := nats.NewMsg(s.config.subject)
	msg.Data, msg.Reply = m.Body, s.link.inbox+strconv.FormatUint(s.link.next, 10)
	msg.Header.Set("Lookalike-Group", m.Group)
	msg.Header.Set("Nats-Msg-Id", m.ID)
	if s.config.expect != "" {
		msg.Header.Set("Nats-Expected-Stream", s.config.expect)
	}
	s.link.next++
	return s.link.conn.PublishMsg(msg)
}

// apiError is a stream's answer to a message that it does not store.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%s (error %d)", e.Description, e.ErrCode) }

// tooLarge is the number of the error of a message above the stream's limit.
const tooLarge = 10054

// acknowledged reads an acknowledgement.
func acknowledged(msg *nats.Msg) error {
	if len(msg.Data) == 0 && msg.Header.Get("Status") == "503" {
		return nats.ErrNoResponders
	}
	var ack struct {
		Stream string    `json:"stream"`
		Error  *apiError `json:"error"`
	}
	switch err := json.Unmarshal(msg.Data, &ack); {
	case err != nil:
		return fmt.Errorf("the answer is no acknowledgement of a stream: %w", err)
	case ack.Error != nil:
		return ack.Error
	case ack.Stream == "":
		return errors.New("the answer is no acknowledgement of a stream")
	}
	return nil
}

// explain gives an error its meaning.
func explain(err error) error {
	api := (*apiError)(nil)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload), errors.As(err, &api) && api.ErrCode == tooLarge:
		return &sink.Refused{Err: err}
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked),
		errors.Is(err, nats.ErrPermissionViolation):
		return &sink.Denied{Err: err}
	case errors.Is(err, nats.ErrNoResponders):
		return errors.New("no stream stores the subject (create a stream for the subject)")
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
