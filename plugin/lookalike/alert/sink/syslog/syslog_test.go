package syslog

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
	"github.com/lookalike-dns/lookalike/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, scheme, address string, structured bool, words ...string) *Sink {
	t.Helper()
	o := sinktest.Options(t, words...)
	opener, err := Parse(sink.Address{Target: scheme + "://" + address, Structured: structured}, o)
	if err == nil {
		err = o.Err()
	}
	return sinktest.Open(t, opener, err).(*Sink)
}

func batch(from, to int) []sink.Message {
	all := make([]sink.Message, 0, to-from)
	for i := from; i < to; i++ {
		all = append(all, sink.Message{
			ID: strconv.Itoa(i), Time: time.UnixMilli(1795423567101), Severity: sink.High, Event: "tld-swap",
			Sensor: "ns1.example.org", Body: fmt.Appendf(nil, `{"id":"%d"}`, i),
		})
	}
	return all
}

// server takes syslog over a stream; each connection's messages go to got.
type server struct {
	net.Listener
	got   chan string
	conns chan net.Conn
	done  chan struct{}
}

func serve(t *testing.T, l net.Listener, read func(*bufio.Reader) (string, error)) *server {
	t.Helper()
	s := &server{Listener: l, got: make(chan string, 1000), conns: make(chan net.Conn, 10), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.conns <- c
			for r := bufio.NewReader(c); ; {
				m, err := read(r)
				if err != nil {
					break
				}
				s.got <- m
			}
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		for {
			select {
			case c := <-s.conns:
				c.Close()
			case <-s.done:
				return
			}
		}
	})
	return s
}

// counted reads a frame of RFC 6587 section 3.4.1.
func counted(r *bufio.Reader) (string, error) {
	length, err := r.ReadString(' ')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
	if err != nil {
		return "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

func lines(r *bufio.Reader) (string, error) {
	s, err := r.ReadString('\n')
	return strings.TrimSuffix(s, "\n"), err
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// parse reads a message with an independent parser.
func parse(t *testing.T, m string) *rfc5424.SyslogMessage {
	t.Helper()
	v, err := rfc5424.NewParser().Parse([]byte(m))
	if err != nil {
		t.Fatalf("%v in %q", err, m)
	}
	return v.(*rfc5424.SyslogMessage)
}

func (s *server) next(t *testing.T) string {
	t.Helper()
	select {
	case m := <-s.got:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("Got no message")
		return ""
	}
}

func send(t *testing.T, s *Sink, messages []sink.Message) {
	t.Helper()
	if n, err := s.Send(t.Context(), messages); n != len(messages) || err != nil {
		t.Fatalf("Got %d sent and error %v, want %d", n, err, len(messages))
	}
}

func TestTCP(t *testing.T) {
	for _, tc := range []struct {
		framing string
		read    func(*bufio.Reader) (string, error)
	}{{"octet", counted}, {"lf", lines}} {
		t.Run(tc.framing, func(t *testing.T) {
			srv := serve(t, listen(t), tc.read)
			s := open(t, "syslog+tcp", srv.Addr().String(), false, "framing="+tc.framing, "facility=local0")
			send(t, s, batch(0, 3))
			for i := range 3 {
				m := parse(t, srv.next(t))
				if *m.Facility != 16 || *m.Severity != 3 || *m.Hostname != "ns1.example.org" || *m.Appname != appName || *m.MsgID != "tld-swap" {
					t.Errorf("Got header of %+v", m)
				}
				if want := fmt.Sprintf(`{"id":"%d"}`, i); *m.Message != want {
					t.Errorf("Got message %q, want %q", *m.Message, want)
				}
			}
		})
	}
}

func TestUDP(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := open(t, "syslog", c.LocalAddr().String(), true)
	messages := batch(0, 1)
	messages[0].Body = []byte(`[lookalike@32473 id="0"] words`)
	send(t, s, messages)
	if err := c.SetReadDeadline(time.Now().Add(wait.Limit)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, _, err := c.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, string(b[:n]))
	if (*m.StructuredData)["lookalike@32473"]["id"] != "0" || *m.Message != "words" {
		t.Errorf("Got %q", b[:n])
	}
	messages[0].Body = []byte("[" + strings.Repeat("x", 70_000))
	if n, err := s.Send(t.Context(), messages); n != 0 || !errors.As(err, new(*sink.Refused)) {
		t.Errorf("Got %d sent and error %v of a datagram that is too long, want it refused", n, err)
	}
}

// TestReplay kills connections: what the kernel took and the server did not
// read comes again on the next one.
func TestReplay(t *testing.T) {
	l := listen(t)
	s := open(t, "syslog+tcp", l.Addr().String(), false)
	accepted := make(chan net.Conn)
	go func() {
		c, err := l.Accept()
		if err == nil {
			accepted <- c
		}
	}()
	send(t, s, batch(0, 5)) // into the kernel's buffer
	c := wait.For(t, "a connection", accepted)
	c.(*net.TCPConn).SetLinger(0)
	c.Close() // unread
	srv := serve(t, l, counted)
	for at := time.Now(); time.Since(at) < 10*time.Second; {
		if _, ended := s.conn.end(); ended {
			break
		}
	}
	send(t, s, batch(5, 6))
	for i := range 6 {
		if got, want := *parse(t, srv.next(t)).Message, fmt.Sprintf(`{"id":"%d"}`, i); got != want {
			t.Errorf("Got message %q, want %q", got, want)
		}
	}
}

// TestForget says what is kept for a new connection.
func TestForget(t *testing.T) {
	now := time.Now()
	s := &Sink{transport: TCP, replay: 30 * time.Second}
	for _, age := range []int{40, 31, 29, 1} {
		s.remember(frame{at: now.Add(-time.Duration(age) * time.Second), data: make([]byte, 10)})
	}
	s.forget(now)
	if len(s.recent) != 2 || s.bytes != 20 {
		t.Errorf("Got %d frames, %d bytes kept, want 2 and 20", len(s.recent), s.bytes)
	}
	for range 10 {
		s.remember(frame{at: now, data: make([]byte, 1<<20)})
	}
	if s.bytes > replayLimit {
		t.Errorf("Got %d bytes kept, want at most %d", s.bytes, replayLimit)
	}
	s.forget(now.Add(time.Hour))
	if len(s.recent) != 0 || s.bytes != 0 {
		t.Errorf("Got %d frames, %d bytes kept, want none", len(s.recent), s.bytes)
	}
}

// TestServerHangs holds that a server that reads nothing does not hold us.
func TestServerHangs(t *testing.T) {
	l := listen(t)
	defer l.Close()
	s := open(t, "syslog+tcp", l.Addr().String(), false)
	big := batch(0, 1)
	big[0].Body = make([]byte, 64<<20) // more than the kernel's buffers
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if n, err := s.Send(ctx, big); n != 0 || err == nil {
		t.Errorf("Got %d sent and error %v, want none", n, err)
	}
}

func TestServerDown(t *testing.T) {
	l := listen(t)
	l.Close()
	s := open(t, "syslog+tcp", l.Addr().String(), false)
	if n, err := s.Send(t.Context(), batch(0, 1)); n != 0 || err == nil {
		t.Errorf("Got %d sent and error %v, want none", n, err)
	}
}

func TestTLS(t *testing.T) {
	a := sinktest.NewAuthority(t)
	srv := tlsServer(t, a, tls.VersionTLS13)
	cert, key := a.Issue("client", x509.ExtKeyUsageClientAuth)
	s := open(t, "syslog+tls", srv.Addr().String(), false, "ca="+a.File(), "cert="+cert, "key="+key)
	send(t, s, batch(0, 1))
	if got := *parse(t, srv.next(t)).Message; got != `{"id":"0"}` {
		t.Errorf("Got message %q", got)
	}
	s.Close() // the server serves one at a time
	if n, err := open(t, "syslog+tls", srv.Addr().String(), false).Send(t.Context(), batch(0, 1)); n != 0 || err == nil {
		t.Errorf("Got %d sent and error %v to a server that nothing vouches for, want none", n, err)
	}
	if n, err := open(t, "syslog+tls", srv.Addr().String(), false, "ca="+a.File(), "servername=other.example.org").Send(t.Context(), batch(0, 1)); n != 0 || err == nil {
		t.Errorf("Got %d sent and error %v to a server of another name, want none", n, err)
	}
}

// tlsServer takes frames over TLS, of clients that the authority vouches for.
func tlsServer(t *testing.T, a *sinktest.Authority, version uint16) *server {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.Issue("server", x509.ExtKeyUsageServerAuth))
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, tls.NewListener(listen(t), &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.Pool(),
		MinVersion: version, MaxVersion: version,
	}), counted)
}

// TestClientNotLetIn holds that nothing counts as sent over a connection that
// the server refuses for the client's certificate: over TLS 1.3 it does so when
// the client could write already. With another certificate in the file it goes on.
func TestClientNotLetIn(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			a, stranger := sinktest.NewAuthority(t), sinktest.NewAuthority(t)
			srv := tlsServer(t, a, version)
			strangerCert, strangerKey := stranger.Issue("client", x509.ExtKeyUsageClientAuth)
			cert, key := a.Issue("client", x509.ExtKeyUsageClientAuth)
			goodCert, goodKey := read(t, cert), read(t, key)
			copyFile(t, strangerCert, cert)
			copyFile(t, strangerKey, key)
			s := open(t, "syslog+tls", srv.Addr().String(), false, "ca="+a.File(), "cert="+cert, "key="+key)
			for range 2 {
				if n, err := s.Send(t.Context(), batch(0, 1)); n != 0 || err == nil || !strings.Contains(err.Error(), "tls: ") {
					t.Errorf("Got %d sent and error %v, want none and why", n, err)
				}
			}
			for path, text := range map[string][]byte{cert: goodCert, key: goodKey} {
				if err := os.WriteFile(path, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			send(t, s, batch(0, 1))
			if got := *parse(t, srv.next(t)).Message; got != `{"id":"0"}` {
				t.Errorf("Got message %q", got)
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if err := os.WriteFile(to, read(t, from), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAuthorityChanges holds that another authority needs no restart.
func TestAuthorityChanges(t *testing.T) {
	a := sinktest.NewAuthority(t)
	srv := tlsServer(t, a, tls.VersionTLS13)
	cert, key := a.Issue("client", x509.ExtKeyUsageClientAuth)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	copyFile(t, sinktest.NewAuthority(t).File(), ca)
	s := open(t, "syslog+tls", srv.Addr().String(), false, "ca="+ca, "cert="+cert, "key="+key)
	if n, err := s.Send(t.Context(), batch(0, 1)); n != 0 || err == nil {
		t.Errorf("Got %d sent and error %v to a server that nothing vouches for, want none", n, err)
	}
	copyFile(t, a.File(), ca)
	send(t, s, batch(0, 1))
	srv.next(t)
}

// TestServerHangsUp has a server, such as a proxy without the one behind it,
// that takes connections and closes them, or its sending side: nothing counts as
// sent, since nobody knows whether it reads any more.
func TestServerHangsUp(t *testing.T) {
	tests := []struct {
		name string
		end  func(*net.TCPConn) error
	}{
		{"closes", (*net.TCPConn).Close},
		{"closes its sending side", (*net.TCPConn).CloseWrite},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := listen(t)
			var served sync.WaitGroup
			served.Go(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					defer c.Close()
					if err := tc.end(c.(*net.TCPConn)); err != nil {
						t.Error(err)
					}
				}
			})
			s := open(t, "syslog+tcp", l.Addr().String(), false)
			for range 2 {
				if n, err := s.Send(t.Context(), batch(0, 1)); n != 0 || err == nil || !strings.Contains(err.Error(), "closed the connection, or its sending side") {
					t.Errorf("Got %d sent and error %v, want none and why", n, err)
				}
			}
			l.Close()
			wait.Done(t, "the server to end", served.Wait)
		})
	}
}

// TestServerDrains has a server that closes its sending side and drops what
// still comes, as a graceful shutdown does: what it dropped comes again.
func TestServerDrains(t *testing.T) {
	l := listen(t)
	s := open(t, "syslog+tcp", l.Addr().String(), false)
	sent, drained := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drained)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		<-sent
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c) // until the sink closes
	}()
	send(t, s, batch(0, 3))
	close(sent)
	wait.For(t, "the server to drain the connection", drained)
	wait.For(t, "the sink to notice", s.conn.ended)
	srv := serve(t, l, counted)
	send(t, s, batch(3, 4))
	for i := range 4 {
		if got, want := *parse(t, srv.next(t)).Message, fmt.Sprintf(`{"id":"%d"}`, i); got != want {
			t.Errorf("Got message %q, want %q", got, want)
		}
	}
}

// TestUDPServerMoves holds that over UDP the server's name is looked up again,
// and that the last address is used while it does not resolve.
func TestUDPServerMoves(t *testing.T) {
	var servers [2]net.PacketConn
	for i := range servers {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		servers[i] = c
	}
	s := open(t, "syslog", servers[0].LocalAddr().String(), true)
	tests := []struct {
		name    string
		address string // that the sink finds now
		later   time.Duration
		server  int // that gets the message
	}{
		{"at first", servers[0].LocalAddr().String(), 0, 0},
		{"soon after it moved", servers[1].LocalAddr().String(), 0, 0},
		{"while its name does not resolve", "nowhere.invalid:514", resolveAgain, 0},
		{"later", servers[1].LocalAddr().String(), resolveAgain, 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s.address = tc.address
			if s.conn != nil {
				s.conn.since = s.conn.since.Add(-tc.later)
			}
			send(t, s, batch(0, 1))
			b := make([]byte, 4096)
			if err := servers[tc.server].SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := servers[tc.server].ReadFrom(b); err != nil {
				t.Errorf("Got no message at server %d: %v", tc.server, err)
			}
		})
	}
}

func TestHeaderFields(t *testing.T) {
	messages := batch(0, 1)
	messages[0].Sensor, messages[0].Event = "a b\x00\xff"+strings.Repeat("x", 300), ""
	s := &Sink{transport: UDP}
	m := parse(t, string(s.frame(&messages[0])))
	if len(*m.Hostname) != 255 || !strings.HasPrefix(*m.Hostname, "a_b__x") || m.MsgID != nil {
		t.Errorf("Got host %q and message id %v", *m.Hostname, m.MsgID)
	}
}

func TestASCII(t *testing.T) {
	tests := []struct{ in, want string }{
		{`{"a":"b"}`, `{"a":"b"}`},
		{`{"a":"а😀"}`, `{"a":"\u0430\ud83d\ude00"}`},
		{"{\"a\":\"\x7f\"}", `{"a":"\u007f"}`},
		{"CEF:0|а", "CEF:0|а"},
		{"", ""},
	}
	for _, tc := range tests {
		if got := string(asciiJSON([]byte(tc.in))); got != tc.want {
			t.Errorf("Got %q, want %q", got, tc.want)
		}
	}
}

func TestFrameOrder(t *testing.T) {
	srv := serve(t, listen(t), counted)
	s := open(t, "syslog+tcp", srv.Addr().String(), false)
	send(t, s, batch(0, 500))
	got := make([]string, 0, 500)
	for range 500 {
		got = append(got, *parse(t, srv.next(t)).Message)
	}
	for i, m := range batch(0, 500) {
		if !slices.Contains(got[i:i+1], string(m.Body)) {
			t.Fatalf("Got %q at %d", got[i], i)
		}
	}
}

// FuzzASCII holds that a JSON body means the same when it is printable ASCII,
// and that a whole message with it is such, whatever its header is made of.
func FuzzASCII(f *testing.F) {
	for _, s := range []string{"army.ml", "а😀", "\u2028", "\ufffd", "\\u0430", "\"", "", "\x7f\x00\n\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		body, err := json.Marshal(map[string]string{"name": s})
		if err != nil {
			t.Fatal(err)
		}
		var want, got map[string]string
		ascii := asciiJSON(body)
		if err := errors.Join(json.Unmarshal(body, &want), json.Unmarshal(ascii, &got)); err != nil || got["name"] != want["name"] {
			t.Errorf("Got %q and error %v, want %q", got, err, want)
		}
		m := sink.Message{Time: time.UnixMilli(1795423567101), Sensor: s, Event: s, Body: body}
		frame := (&Sink{transport: UDP}).frame(&m)
		for _, b := range [][]byte{ascii, frame} {
			if slices.ContainsFunc(b, func(c byte) bool { return c < ' ' || c > '~' }) {
				t.Errorf("Got %q, want printable ASCII", b)
			}
		}
		if got := *parse(t, string(frame)).Message; got != string(ascii) {
			t.Errorf("Got message %q, want %q", got, ascii)
		}
	})
}
