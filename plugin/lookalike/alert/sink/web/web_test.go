package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
	"github.com/lookalike-dns/lookalike/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, address string, private bool, words ...string) *Client {
	t.Helper()
	config, err := Parse(sink.Address{Target: address}, true, sinktest.Options(t, words...))
	if err != nil {
		t.Fatal(err)
	}
	config.Private = private
	c, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// post posts and returns what became of it.
func post(ctx context.Context, c *Client) error {
	reply, err := c.Post(ctx, "", http.Header{}, []byte("{}"))
	if err != nil {
		return err
	}
	return reply.Err()
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 40, 0, 0, time.UTC)
	tests := []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"7", 7 * time.Second},
		{"0", 0},
		{"-7", 0},
		{"soon", 0},
		{"1.5", 0},
		{"Mon, 23 Nov 2026 08:41:30 GMT", 90 * time.Second},
		{"Monday, 23-Nov-26 08:41:30 GMT", 90 * time.Second},
		{"Mon, 23 Nov 2026 08:39:00 GMT", 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", mostWait},
		{"86401", mostWait},
		{"9223372037", mostWait},           // seconds that are no time.Duration
		{"18446744074", mostWait},          // nor this, modulo 2^64
		{"99999999999999999999", mostWait}, // no int64
		{"-99999999999999999999", 0},
	}
	for _, tc := range tests {
		if got := parseRetryAfter(tc.value, now); got != tc.want {
			t.Errorf("Got %v for %q, want %v", got, tc.value, tc.want)
		}
	}
}

// TestSecretsStayOut has receivers show the request on their pages about errors.
func TestSecretsStayOut(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "Cannot POST %s for %s with %s\n%s", r.URL, password, r.Header.Get("Authorization"), strings.Repeat(" "+password, 200))
	}))
	defer echo.Close()
	t.Setenv("PASSWORD", "geheim-geheim")
	tests := []struct {
		name, path string
		private    bool
		hidden     []string
		shown      string
	}{
		{"webhook", "/services/T0GEHEIM/abcdefghijklmnopqrst", true, []string{"T0GEHEIM", "abcdefghijklmnopqrst"}, "404: Cannot POST *** for ***"},
		{"webhook with odd bytes", "/a%20b/gehe%C3%AFm", true, []string{"gehe", "a%20b"}, "404: Cannot POST ***"},
		{"a query", "/hook?sig=GEHEIM-abc%2Fdef-ghijkl&api=1", false, []string{"GEHEIM-abc"}, "404: Cannot POST /hook?*** for ***"},
		{"database", "/search", false, nil, "404: Cannot POST /search for ***"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			err := post(t.Context(), open(t, echo.URL+tc.path, tc.private, "user=alice", "password_env=PASSWORD"))
			if err == nil || !strings.Contains(err.Error(), tc.shown) || len(err.Error()) > 400 {
				t.Fatalf("Got error %v, want one with %q", err, tc.shown)
			}
			for _, secret := range append(tc.hidden, "geheim-geheim", "YWxpY2U6Z2VoZWltLWdlaGVpbQ==") {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("Got secret %q in error %v", secret, err)
				}
			}
		})
	}
}

// TestErrorsWithoutAddress holds that an address, which may be a secret, is in
// no error of the network.
func TestErrorsWithoutAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, host := range []string{l.Addr().String(), "nowhere.invalid"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := post(ctx, open(t, "http://"+host+"/geheim", true)); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("Got error %v, want one without the path", err)
		}
	}
}

// TestRedirect holds that a receiver cannot send us, and what we carry, elsewhere.
func TestRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("Got a request with %q elsewhere", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		here := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		t.Setenv("PASSWORD", "geheim")
		err := post(t.Context(), open(t, here.URL, false, "user=alice", "password_env=PASSWORD"))
		if err == nil || errors.As(err, new(*sink.Refused)) || errors.As(err, new(*sink.Denied)) {
			t.Errorf("Got error %v for status %d, want one that is tried again", err, status)
		}
		here.Close()
	}
}

// TestAnswers plays answers that are not as they should be.
func TestAnswers(t *testing.T) {
	tests := []struct {
		name, answer string
		more         bool // it never ends
		want         any  // kind of the error
	}{
		{"good", "200 OK\r\nContent-Length: 2\r\n\r\nok", false, nil},
		{"good and endless", "200 OK\r\n\r\nok", true, nil},
		{"good and huge", "200 OK\r\n\r\n" + strings.Repeat("x", maxReply+1), false, nil},
		{"good and broken off", "200 OK\r\nContent-Length: 99\r\n\r\nok", false, new(error)},
		{"not let in and endless", "401 Unauthorized\r\n\r\nno", true, new(*sink.Denied)},
		{"not let in and broken off", "401 Unauthorized\r\nContent-Length: 99\r\n\r\nno", false, new(*sink.Denied)},
		{"later and broken off", "503 Busy\r\nRetry-After: 9\r\nContent-Length: 99\r\n\r\nno", false, new(*sink.Later)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var served sync.WaitGroup
			served.Go(func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				_, _ = c.Read(make([]byte, 4096))
				_, err = io.WriteString(c, "HTTP/1.1 "+tc.answer)
				for tc.more && err == nil {
					time.Sleep(20 * time.Millisecond)
					_, err = io.WriteString(c, "x")
				}
			})
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			err = post(ctx, open(t, "http://"+l.Addr().String(), false))
			if tc.want == nil && err != nil || tc.want != nil && !errors.As(err, tc.want) {
				t.Errorf("Got error %v, want %T", err, tc.want)
			}
			l.Close()
			wait.Done(t, "the server to end", served.Wait)
		})
	}
}

// relay passes connections on, and can fall silent.
type relay struct {
	net.Listener
	to     string
	mu     sync.Mutex
	silent bool
	conns  []net.Conn
	done   sync.WaitGroup
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l, to: to}
	r.done.Go(r.serve)
	t.Cleanup(func() {
		l.Close()
		r.mu.Lock()
		for _, c := range r.conns {
			c.Close()
		}
		r.mu.Unlock()
		wait.Done(t, "the relay to end", r.done.Wait)
	})
	return r
}

func (r *relay) serve() {
	for {
		client, err := r.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.to)
		if err != nil {
			client.Close()
			return
		}
		r.mu.Lock()
		r.silent = false // the one that falls silent is the one before
		n := len(r.conns)
		r.conns = append(r.conns, client, server)
		r.mu.Unlock()
		r.done.Go(func() { r.copy(client, server, n) })
		r.done.Go(func() { r.copy(server, client, n) })
	}
}

// copy passes on what comes, but nothing while the connection is silent.
func (r *relay) copy(to, from net.Conn, n int) {
	b := make([]byte, 4096)
	for {
		m, err := from.Read(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		silent := r.silent && n == len(r.conns)-2
		r.mu.Unlock()
		if !silent {
			_, _ = to.Write(b[:m])
		}
	}
}

// TestSilentConnection lets a connection die as a firewall does it, without a
// word: the request after the one that was lost takes another connection.
func TestSilentConnection(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("http2 ", http2), func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			relay := newRelay(t, server.Listener.Addr().String())
			ca := filepath.Join(t.TempDir(), "ca.pem")
			writeCA(t, ca, server)
			c := open(t, "https://"+relay.Addr().String(), false, "ca="+ca, "servername=example.com")
			if err := post(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			relay.mu.Lock()
			relay.silent = true
			relay.mu.Unlock()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := post(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Got error %v over a silent connection, want that the time is over", err)
			}
			ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := post(ctx, c); err != nil {
				t.Errorf("Got error %v after it, want none", err)
			}
		})
	}
}

func writeCA(t *testing.T, path string, server *httptest.Server) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAuthorityChanges holds that another authority needs no restart.
func TestAuthorityChanges(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	ca := sinktest.NewAuthority(t).File()
	c := open(t, server.URL, false, "ca="+ca, "servername=example.com")
	if err := post(t.Context(), c); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("Got error %v, want that nothing vouches for the server", err)
	}
	writeCA(t, ca, server)
	_ = post(t.Context(), c) // notices
	if err := post(t.Context(), c); err != nil {
		t.Errorf("Got error %v with the right authority, want none", err)
	}
}

// TestDeliver says which message is found to be refused, and with how many
// requests.
func TestDeliver(t *testing.T) {
	tests := []struct {
		name     string
		limit    int    // messages that a request may have
		bad      string // what is refused
		n        int    // settled before it
		refused  bool
		requests int
	}{
		{"all good", 99, "", 8, false, 1},
		{"too many at once", 2, "", 8, false, 7},
		{"the first", 99, "0", 0, true, 4},
		{"the last", 99, "7", 7, true, 7},
		{"one, and too many at once", 3, "4", 4, true, 7},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			batch := make([]sink.Message, 8)
			for i := range batch {
				batch[i].ID = fmt.Sprint(i)
			}
			requests := 0
			n, err := Deliver(t.Context(), batch, func(_ context.Context, part []sink.Message) error {
				requests++
				for _, m := range part {
					if m.ID == tc.bad || len(part) > tc.limit {
						return StatusErr(413, "", errors.New("too large"))
					}
				}
				return nil
			})
			if n != tc.n || errors.As(err, new(*sink.Refused)) != tc.refused || requests != tc.requests {
				t.Errorf("Got %d settled in %d requests and error %v, want %d in %d", n, requests, err, tc.n, tc.requests)
			}
		})
	}
}

// TestHostile holds that nothing that a receiver sends takes memory or holds up a
// request.
func TestHostile(t *testing.T) {
	for _, h := range sinktest.Hostiles() {
		t.Run(h.Name, func(t *testing.T) {
			c := open(t, "http://"+h.Listen(t, nil), false)
			sinktest.Allocates(t, 8<<20, func() {
				ctx, cancel := context.WithTimeout(t.Context(), 80*time.Millisecond)
				defer cancel()
				began := time.Now()
				_ = post(ctx, c)
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("Got an end after %v, want it with the context", took)
				}
			})
		})
	}
}

// TestCookies holds that a load balancer's cookie comes back, and that the
// cookies of a receiver that sets ever more of them take no memory.
func TestCookies(t *testing.T) {
	n := 0
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = strings.Split(r.Header.Get("Cookie"), "; ")
		w.Header().Add("Set-Cookie", "backend=a; Path=/elsewhere; Domain=example.com; Secure")
		for range 100 {
			n++
			w.Header().Add("Set-Cookie", fmt.Sprintf("c%d=%s", n, strings.Repeat("x", 100)))
		}
		w.Header().Add("Set-Cookie", "long="+strings.Repeat("x", maxCookie))
		w.Header().Add("Set-Cookie", "gone=; Max-Age=-1")
		w.Header().Add("Set-Cookie", "backend=b")
	}))
	defer server.Close()
	c := open(t, server.URL, false)
	for range 3 {
		if err := post(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) > maxCookies || got[len(got)-1] != "backend=b" || strings.Contains(strings.Join(got, " "), "long=") {
		t.Errorf("Got %d cookies, the last %q, want at most %d and backend=b", len(got), got[len(got)-1], maxCookies)
	}
}

// TestErrorsTell holds that errors of the network say what was waited for and how
// long, or name the option that helps.
func TestErrorsTell(t *testing.T) {
	trusted, other := sinktest.NewAuthority(t), sinktest.NewAuthority(t)
	cert, key := trusted.IssueFor("server", []string{"soc.example.org"}, x509.ExtKeyUsageServerAuth)
	silent := sinktest.Hostile{Talk: func(net.Conn) {}}
	tests := []struct {
		name, scheme string
		greet        func(net.Conn) (net.Conn, error)
		options      []string
		want         []string
	}{
		{"no answer", "http", nil, nil, []string{"waited", "ms for the answer"}},
		{"no handshake", "https", nil, nil, []string{"waited", "ms for the TLS handshake"}},
		{"no answer behind the handshake", "https", sinktest.TLS(t, cert, key), []string{"ca=" + trusted.File(), "servername=soc.example.org"}, []string{"waited", "ms for the answer"}},
		{"an unknown authority", "https", sinktest.TLS(t, cert, key), nil, []string{"ca=FILE"}},
		{"another authority", "https", sinktest.TLS(t, cert, key), []string{"ca=" + other.File(), "servername=soc.example.org"}, []string{"ca=FILE"}},
		{"another name", "https", sinktest.TLS(t, cert, key), []string{"ca=" + trusted.File(), "servername=www.example.org"}, []string{"soc.example.org", "servername=NAME"}},
		{"no TLS", "https", func(c net.Conn) (net.Conn, error) { _, err := io.WriteString(c, "220 mail ESMTP\r\n"); return c, err }, nil, []string{"speaks no TLS"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c := open(t, tc.scheme+"://"+silent.Listen(t, tc.greet), false, tc.options...)
			limit := 30 * time.Second
			waits := strings.Contains(tc.want[0], "waited")
			if waits {
				limit = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err := post(ctx, c)
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Got error %v, want one with %q", err, want)
				}
			}
			if waits && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Got error %#v, want one of the context", err)
			}
		})
	}
}

// FuzzReply holds that an answer of any kind is read without harm, and that what
// is told of it is short.
func FuzzReply(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	f.Add("HTTP/1.1 400 No\r\nRetry-After: 99999999999999999999\r\n\r\nwhy")
	f.Add("HTTP/1.1 429 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 301 Gone\r\nLocation: /\r\nSet-Cookie: a=b\r\n\r\n")
	f.Fuzz(func(t *testing.T, answer string) {
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), &http.Request{Method: http.MethodPost})
		if err != nil {
			return
		}
		reply := &Reply{Status: resp.StatusCode, Header: resp.Header}
		reply.read(t.Context(), resp.Body, 100)
		if len(reply.body) > 100 {
			t.Errorf("Got a body of %d octets", len(reply.body))
		}
		err = reply.Err()
		if later := (*sink.Later)(nil); errors.As(err, &later) && (later.After <= 0 || later.After > mostWait) {
			t.Errorf("Got %v to wait", later.After)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("Got error %v", err)
		}
		new(jar).SetCookies(nil, resp.Cookies())
		_ = reply.JSON("it", new(any))
	})
}
