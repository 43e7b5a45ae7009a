package alert

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// halfClosing is an HTTP receiver that closes one side of its first connections
// and gives no answer there.
type halfClosing struct {
	net.Listener
	bad   func(c *net.TCPConn) // what it does with them
	times int                  // how many they are

	mu     sync.Mutex
	took   []string      // bodies that were answered
	conns  int           // connections so far
	ending chan struct{} // closed: connections that hang end
	done   sync.WaitGroup
}

func newHalfClosing(t *testing.T, times int, bad func(*net.TCPConn)) *halfClosing {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &halfClosing{Listener: l, bad: bad, times: times, ending: make(chan struct{})}
	h.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.done.Go(func() { h.serve(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		close(h.ending)
		h.done.Wait()
	})
	return h
}

// serve takes one request.
func (h *halfClosing) serve(c *net.TCPConn) {
	defer c.Close()
	h.mu.Lock()
	h.conns++
	bad := h.conns <= h.times
	h.mu.Unlock()
	if bad {
		h.bad(c)
		<-h.ending
		return
	}
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	h.mu.Lock()
	h.took = append(h.took, string(body))
	h.mu.Unlock()
	_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
}

func (h *halfClosing) bodies() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.took)
}

// TestHalfClose holds that what a receiver took without an answer, closing one
// side of the connection, is delivered again, and nothing is lost.
func TestHalfClose(t *testing.T) {
	readAll := func(c *net.TCPConn) error {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
		}
		return err
	}
	tests := []struct {
		name string
		bad  func(c *net.TCPConn) error
	}{
		{"reads the request, closes its sending side", func(c *net.TCPConn) error { return errors.Join(readAll(c), c.CloseWrite()) }},
		{"closes its sending side at once", (*net.TCPConn).CloseWrite},
		{"closes its reading side at once", (*net.TCPConn).CloseRead},
		{"reads the request, closes its reading side", func(c *net.TCPConn) error { return errors.Join(readAll(c), c.CloseRead()) }},
		{"begins an answer, closes its sending side", func(c *net.TCPConn) error {
			read := readAll(c)
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Len")
			return errors.Join(read, err, c.CloseWrite())
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			const times = 2
			h := newHalfClosing(t, times, func(c *net.TCPConn) {
				if err := tc.bad(c); err != nil {
					t.Error(err)
				}
			})
			d, err := ParseDestination([]string{"http://" + h.Addr().String()})
			if err != nil {
				t.Fatal(err)
			}
			d.to.Timeout = 300 * time.Millisecond // of a receiver that says nothing more
			p := open(t, d)
			for _, name := range []string{"army.ml", "navy.ml"} {
				p.Observe(now(name))
			}
			wait.Until(t, "two alerts", func() bool { return len(h.bodies()) >= 2 })
			shut(t, p)
			seen := make(map[any]bool)
			for _, body := range h.bodies() {
				seen[decode(t, []byte(body))["event.sequence"]] = true
			}
			if len(seen) != 4 { // two first ones and two final ones
				t.Errorf("Got alerts %v, want four", seen)
			}
			if v := metric(t, "sink_retries_total{sink="+d.String()+"}"); v < times {
				t.Errorf("Got %v retries, want one for each of %d connections", v, times)
			}
			sinkIdentity(t, d.String())
		})
	}
}
