//go:build unix

package syslog

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

// local is what syslog(3) writes.
var local = regexp.MustCompile(`^<163>[A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d lookalike\[\d+\]: (.*)$`)

func TestUnixDatagrams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	daemon := func() *net.UnixConn {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	next := func(c *net.UnixConn) string {
		t.Helper()
		b := make([]byte, 64<<10)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if m := local.FindSubmatch(b[:n]); m != nil {
			return string(m[1])
		}
		return "no header: " + string(b[:n])
	}
	c := daemon()
	s := open(t, "syslog", path, false)
	long := batch(7, 8)
	long[0].Body = []byte(`{"a":"` + strings.Repeat("x", 8<<10) + `ä\u009b"}`)
	send(t, s, append(batch(0, 2), long...))
	for _, want := range []string{`{"id":"0"}`, `{"id":"1"}`, `{"a":"` + strings.Repeat("x", 8<<10) + `\u00e4\u009b"}`} {
		if got := next(c); got != want {
			t.Errorf("Got %q, want %q", got, want)
		}
	}
	c.Close() // the daemon restarts
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first may be of the old socket
		if n, err := s.Send(t.Context(), batch(2, 3)); n != 0 || err == nil {
			t.Errorf("Got %d sent and error %v without a daemon, want none", n, err)
		}
	}
	if _, err := s.Send(t.Context(), batch(2, 3)); err == nil || !strings.Contains(err.Error(), "no syslog daemon listens at "+path) {
		t.Errorf("Got error %v, want one that says that there is no daemon", err)
	}
	c = daemon()
	defer c.Close()
	send(t, s, batch(2, 3))
	if got := next(c); got != `{"id":"2"}` {
		t.Errorf("Got %q after the restart", got)
	}
}

func TestUnixStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := serve(t, l, lines)
	s := open(t, "syslog", path, false)
	send(t, s, batch(0, 3))
	for _, want := range []string{`{"id":"0"}`, `{"id":"1"}`, `{"id":"2"}`} {
		if got := local.FindStringSubmatch(srv.next(t)); got == nil || got[1] != want {
			t.Errorf("Got %q, want %q", got, want)
		}
	}
}

// TestUnixHangs has a daemon that does not read: the Send ends, and nothing is
// said to be delivered that is not in its queue.
func TestUnixHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := open(t, "syslog", path, false)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if n, err := s.Send(ctx, batch(0, 1000)); n == 1000 || !errors.As(err, new(*sink.Timeout)) {
		t.Errorf("Got %d sent and error %v, want that the server does not read", n, err)
	}
}

// TestHostile holds that nothing that a server sends takes memory or holds up a
// Send; what a server that speaks is given, it may well have.
func TestHostile(t *testing.T) {
	sinktest.Survives(t, nil, true, func(t *testing.T, address string) sink.Sink {
		t.Helper()
		return open(t, "syslog+tcp", address, false)
	})
	a := sinktest.NewAuthority(t)
	cert, key := a.Issue("server", x509.ExtKeyUsageServerAuth)
	t.Run("before TLS", func(t *testing.T) {
		sinktest.Survives(t, nil, false, func(t *testing.T, address string) sink.Sink {
			t.Helper()
			return open(t, "syslog+tls", address, false, "ca="+a.File())
		})
	})
	t.Run("behind TLS", func(t *testing.T) {
		sinktest.Survives(t, sinktest.TLS(t, cert, key), true, func(t *testing.T, address string) sink.Sink {
			t.Helper()
			return open(t, "syslog+tls", address, false, "ca="+a.File())
		})
	})
}

// TestChatty holds that a server that sends without end costs little.
func TestChatty(t *testing.T) {
	sent := make(chan int, 1)
	address := sinktest.Hostile{Talk: func(c net.Conn) {
		n, b := 0, make([]byte, 64<<10)
		for {
			m, err := c.Write(b)
			if n += m; err != nil {
				sent <- n
				return
			}
		}
	}}.Listen(t, nil)
	s := open(t, "syslog+tcp", address, false)
	send(t, s, batch(0, 1))
	time.Sleep(time.Second)
	s.Close()
	if n := <-sent; n > 16<<20 {
		t.Errorf("Read %d MiB in a second, want little", n>>20)
	}
}

func TestUnixAddress(t *testing.T) {
	for path, good := range map[string]bool{"/dev/log": true, "/run/systemd/journal/dev-log": true, "/": false, "/dev/log/": false, "/dev//log": false, "/dev/../log": false} {
		if _, err := Parse(sink.Address{Target: "syslog://" + path}, sinktest.Options(t)); (err == nil) != good {
			t.Errorf("Got error %v for %s, want it good: %v", err, path, good)
		}
	}
}

// TestTLSErrors holds that errors name the option that helps.
func TestTLSErrors(t *testing.T) {
	a, other := sinktest.NewAuthority(t), sinktest.NewAuthority(t)
	srv := tlsServer(t, a, 0)
	for options, want := range map[string]string{
		"ca=" + other.File():                          "ca=FILE",
		"ca=" + a.File() + " servername=siem.example": "servername=NAME",
		"ca=" + a.File():                              "cert=FILE key=FILE",
	} {
		_, err := open(t, "syslog+tls", srv.Addr().String(), false, strings.Fields(options)...).Send(t.Context(), batch(0, 1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Got error %v with %s, want one with %q", err, options, want)
		}
	}
}
