// Package syslog sends alerts to a syslog server: RFC 5424 messages over UDP
// (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425), or to the daemon of this host.
//
// Syslog has no acknowledgement. Over UDP nobody knows what arrives. Over TCP
// and TLS, messages that the kernel took may still be lost when the server
// dies. So those of the last seconds are kept, and sent again on a new
// connection. The server then has some of them twice, with the same id.
package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 5 * time.Second
	replayLimit  = 8 << 20 // bytes kept for a new connection
	appName      = "lookalike"

	resolveAgain = time.Minute            // over UDP, which does not tell that the server has moved
	doubt        = 250 * time.Millisecond // within it, a server refuses an unwanted connection
)

// Transport is the way to the server.
type Transport uint8

// The transports. Unix is the socket of a syslog daemon on this host, which takes
// messages as syslog(3) writes them.
const (
	UDP Transport = iota
	TCP
	TLS
	Unix
)

// facilities are those of RFC 5424 section 6.2.1 that a daemon may use.
var facilities = map[string]int{
	"user": 1, "daemon": 3, "auth": 4, "authpriv": 10, "local0": 16, "local1": 17, "local2": 18, "local3": 19,
	"local4": 20, "local5": 21, "local6": 22, "local7": 23,
}

// severities are those of RFC 5424: informational, notice, warning, error.
var severities = [...]int{sink.Info: 6, sink.Low: 5, sink.Medium: 4, sink.High: 3}

// Sink is a sink for one server.
type Sink struct {
	transport  Transport
	address    string
	tlsOptions sink.TLS
	facility   int
	lines      bool // frames end with a line feed, else they are counted
	structured bool // bodies begin with structured data
	replay     time.Duration

	conn   *link
	recent []frame // written and perhaps lost, oldest first
	bytes  int     // of recent
}

// frame is a message as it was written.
type frame struct {
	at   time.Time
	data []byte
}

// Parse reads the address, HOST[:PORT] or the path of a socket on this host, and
// the options facility, framing and replay, and those of TLS.
func Parse(a sink.Address, o *sink.Options) (sink.Opener, error) {
	transport := transportOf(a)
	server, err := parseAddress(transport, a.Rest())
	if err != nil {
		return nil, err
	}
	s := Sink{transport: transport, address: server, structured: a.Structured}
	name := o.String("facility", "local4")
	facility, ok := facilities[name]
	if !ok {
		return nil, fmt.Errorf("option facility: %q is unknown", name)
	}
	s.facility = facility
	switch transport {
	case TCP, TLS:
		s.lines = o.OneOf("framing", "octet", "lf") == "lf"
		s.replay = o.Duration("replay", 30*time.Second, 0, time.Hour)
	case Unix:
		s.lines, s.replay = true, 30*time.Second
	}
	if transport == TLS {
		s.tlsOptions = o.TLS()
	}
	return func(sink.Env) (sink.Sink, error) {
		opened := s
		_, err := opened.tlsOptions.Config("")
		return &opened, err
	}, nil
}

// transportOf returns the way that an address names.
func transportOf(a sink.Address) Transport {
	switch scheme := a.Scheme(); {
	case scheme == "syslog+tcp":
		return TCP
	case scheme == "syslog+tls":
		return TLS
	case strings.HasPrefix(a.Rest(), "/"):
		return Unix
	}
	return UDP
}

func parseAddress(transport Transport, address string) (string, error) {
	if transport == Unix {
		if address != filepath.Clean(address) || address == "/" {
			return "", fmt.Errorf("%q is no path of a socket, such as /dev/log", address)
		}
		return address, nil
	}
	port := map[Transport]int{UDP: 514, TCP: 601, TLS: 6514}[transport] // RFC 5426, 6587, 5425
	return sink.HostPort(strings.TrimSuffix(address, "/"), port)
}

// Send writes the batch, on a new connection if there is none.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	if err := s.connect(ctx); err != nil {
		return 0, err
	}
	for i := range batch {
		f := frame{at: time.Now(), data: s.frame(&batch[i])}
		if err := s.conn.write(ctx, f.data); err != nil {
			if errors.Is(err, syscall.EMSGSIZE) {
				return i, &sink.Refused{Err: err}
			}
			s.disconnect()
			return i, err
		}
		s.remember(f)
	}
	return len(batch), nil
}

// connect makes a connection and writes again what the last one may have lost.
func (s *Sink) connect(ctx context.Context) error {
	if s.conn != nil {
		at, ended := s.conn.end()
		if !ended {
			s.resolve(ctx)
			return nil
		}
		s.forget(at)
		s.disconnect()
	}
	began := time.Now()
	conn, err := s.dial(ctx)
	if err != nil {
		return s.explain(sink.Waited(ctx, "a connection to "+s.address, time.Since(began), err))
	}
	s.conn = newLink(conn, conn.LocalAddr().Network() != "udp" && conn.LocalAddr().Network() != "unixgram")
	if err := s.conn.stays(ctx, time.Since(began)); err != nil {
		s.disconnect()
		return s.explain(err)
	}
	for i := range s.recent {
		if err := s.conn.write(ctx, s.recent[i].data); err != nil {
			s.disconnect()
			return err
		}
		s.recent[i].at = time.Now()
	}
	return nil
}

// resolve looks, over UDP, for the server's address now and then. While its
// name does not resolve, the last address is the best there is.
func (s *Sink) resolve(ctx context.Context) {
	if s.transport != UDP || time.Since(s.conn.since) < resolveAgain {
		return
	}
	s.conn.since = time.Now()
	conn, err := s.dial(ctx)
	if err != nil {
		return
	}
	s.disconnect()
	s.conn = newLink(conn, false)
}

func (s *Sink) dial(ctx context.Context) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: 10 * time.Second, Control: control}
	switch s.transport {
	case UDP:
		return d.DialContext(ctx, "udp", s.address)
	case Unix:
		conn, err := d.DialContext(ctx, "unixgram", s.address)
		if errors.Is(err, syscall.EPROTOTYPE) { // it is one for streams
			return d.DialContext(ctx, "unix", s.address)
		}
		return conn, err
	case TLS:
		tlsConfig, err := s.tlsOptions.Config("") // anew, since the authority may have changed
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		return (&tls.Dialer{NetDialer: d, Config: tlsConfig}).DialContext(ctx, "tcp", s.address)
	}
	return d.DialContext(ctx, "tcp", s.address)
}

// datagrams reports whether each write is a message of its own: it needs no
// framing, and the end of the connection goes unnoticed.
func (s *Sink) datagrams() bool {
	return s.transport == UDP || s.transport == Unix && s.conn != nil && s.conn.ended == nil
}

// explain adds the cure to an error.
func (s *Sink) explain(err error) error {
	if s.transport == Unix && (errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)) {
		return fmt.Errorf("%w (no syslog daemon listens at %s: start one, or name its socket)", err, s.address)
	}
	return sink.ExplainTLS(err)
}

// remember keeps a frame that was written.
func (s *Sink) remember(f frame) {
	if s.datagrams() || s.replay == 0 {
		return
	}
	s.recent = append(s.recent, f)
	s.bytes += len(f.data)
	s.forget(f.at)
}

// forget drops the frames that were old enough to have arrived at a time when
// the connection was still good.
func (s *Sink) forget(at time.Time) {
	n := 0
	for n < len(s.recent) && (at.Sub(s.recent[n].at) > s.replay || s.bytes > replayLimit) {
		s.bytes -= len(s.recent[n].data)
		n++
	}
	s.recent = slices.Delete(s.recent, 0, n)
}

// frame makes the message and its framing.
func (s *Sink) frame(m *sink.Message) []byte {
	b := make([]byte, 0, len(m.Body)+128)
	b = append(b, '<')
	b = strconv.AppendInt(b, int64(s.facility*8+severities[m.Severity]), 10)
	b = append(b, '>')
	if s.transport == Unix {
		b = appendLocal(b, m)
	} else {
		b = s.appendHeader(b, m)
	}
	b = append(b, asciiJSON(m.Body)...)
	switch {
	case s.datagrams():
		return b
	case s.lines:
		return append(b, '\n')
	}
	return append(strconv.AppendInt(nil, int64(len(b)), 10), append([]byte{' '}, b...)...)
}

// appendHeader appends what RFC 5424 has before the message.
func (s *Sink) appendHeader(b []byte, m *sink.Message) []byte {
	b = append(b, "1 "...)
	b = m.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, ' ')
	b = append(b, printable(m.Sensor, 255)...)
	b = append(b, " "+appName+" "...)
	b = strconv.AppendInt(b, int64(os.Getpid()), 10)
	b = append(b, ' ')
	b = append(b, printable(m.Event, 32)...)
	b = append(b, ' ')
	if !s.structured {
		b = append(b, "- "...)
	}
	return b
}

// appendLocal appends what syslog(3) of the C library writes before a message,
// which all daemons read from their socket; few read RFC 5424 there.
func appendLocal(b []byte, m *sink.Message) []byte {
	b = m.Time.Local().AppendFormat(b, time.Stamp)
	b = append(b, " "+appName+"["...)
	b = strconv.AppendInt(b, int64(os.Getpid()), 10)
	return append(b, "]: "...)
}

// printable makes a header field: PRINTUSASCII, or a dash when empty.
func printable(s string, most int) string {
	s = strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' {
			return '_'
		}
		return c
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}

// asciiJSON escapes everything but printable ASCII in a JSON body. A UTF-8
// message would have to begin with a byte order mark (RFC 5424 section 6.4),
// which JSON readers reject. Receivers also change control characters, and JSON
// does not escape DEL. Other bodies stay as they are, MSG-ANY.
func asciiJSON(body []byte) []byte {
	if len(body) == 0 || body[0] != '{' {
		return body
	}
	return text.EscapeJSON(body, func(c rune) bool { return c > '~' })
}

func (s *Sink) disconnect() {
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
}

// Close closes the connection.
func (s *Sink) Close() error {
	s.disconnect()
	return nil
}

// link is a connection whose end is noticed at once, so that nothing is
// written to a server that has gone.
type link struct {
	net.Conn
	since time.Time
	ended chan struct{} // closed when the reader ends; nil: there is none
	at    time.Time     // when it ended
	why   error         // and why
}

// newLink starts, for a stream, the goroutine that waits for the server to
// close; closing the connection ends it.
//
// A server that closes only its sending side looks the same as one that is
// about to close all and drops what still comes, which none but the server
// knows. It is taken for the latter: nothing is lost, and one that never opens
// its sending side is told of as down.
func newLink(c net.Conn, stream bool) *link {
	l := &link{Conn: c, since: time.Now()}
	if stream {
		l.ended = make(chan struct{})
		c = sink.Paced(c)
		go func() {
			defer close(l.ended)
			defer guard.Recover("delivery")
			if _, l.why = io.Copy(io.Discard, c); l.why == nil {
				l.why = errors.New("the server closed the connection, or its sending side")
			}
			l.at = time.Now()
			c.Close()
		}()
	}
	return l
}

// end reports whether the connection has ended, and when.
func (l *link) end() (time.Time, bool) {
	select {
	case <-l.ended:
		return l.at, true
	default:
		return time.Time{}, false
	}
}

// stays gives the server time to refuse the connection. Over TLS 1.3 a server
// rejects a client's certificate only after the handshake, and anything written
// before that is lost. took is how long connecting took: an answer takes about
// as long.
func (l *link) stays(ctx context.Context, took time.Duration) error {
	if l.ended == nil {
		return nil
	}
	timer := time.NewTimer(took + doubt)
	defer timer.Stop()
	select {
	case <-l.ended:
		return l.why
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// write writes all of data in time, or fails.
func (l *link) write(ctx context.Context, data []byte) error {
	deadline := time.Now().Add(writeTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := l.SetWriteDeadline(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = l.SetWriteDeadline(time.Now()) })
	defer stop()
	began := time.Now()
	_, err := l.Write(data)
	return sink.Waited(ctx, "the server to read", time.Since(began), err)
}

// close closes and waits for the reader.
func (l *link) close() {
	l.Close()
	if l.ended != nil {
		<-l.ended
	}
}
