package sinktest

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// Hostile is a receiver that means no good: what it sends once a client has
// connected.
type Hostile struct {
	Name string
	Talk func(net.Conn)
}

// Hostiles are receivers that no client may die of, whatever its protocol.
func Hostiles() []Hostile {
	return []Hostile{
		{"nothing, for ever", func(net.Conn) {}},
		{"garbage, for ever", endless(garbage(64<<10), 0)},
		{"one line, for ever", endless(bytes.Repeat([]byte("A"), 64<<10), 0)},
		{"empty lines, for ever", endless(bytes.Repeat([]byte("\r\n"), 32<<10), 0)},
		{"zero octets, for ever", endless(make([]byte, 64<<10), 0)},
		{"lengths of 2 GiB", endless(bytes.Repeat([]byte{0x7f, 0xff, 0xff, 0xff}, 16<<10), 0)},
		{"lengths of less than nothing", endless(bytes.Repeat([]byte{0xff}, 64<<10), 0)},
		{"octet by octet", endless([]byte("HTTP/1.1 200 OK\r\nX: y\r\n"), time.Millisecond)},
		{"HTTP: a header line, for ever", endless([]byte(strings.Repeat("A", 64<<10)), 0, "HTTP/1.1 200 OK\r\nX: ")},
		{"HTTP: headers, for ever", endless([]byte(strings.Repeat("X: y\r\n", 8<<10)), 0, "HTTP/1.1 200 OK\r\n")},
		{"HTTP: interim answers, for ever", endless([]byte(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 2<<10)), 0)},
		{"HTTP: a body, for ever", endless([]byte(strings.Repeat(`[{"a":[`, 8<<10)), 0, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")},
		{"HTTP: a chunk of 2^63", endless([]byte("x"), 0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n")},
		{"HTTP: chunks of one octet", endless([]byte(strings.Repeat("1;"+strings.Repeat("e", 200)+"\r\nx\r\n", 200)), 0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")},
		{"HTTP: a length below zero", endless([]byte("x"), 50*time.Millisecond, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")},
		{"HTTP: an error that never ends", endless([]byte("\x1b[2J\r\nforged: line\u009b31m"), 0, "HTTP/1.1 400 No\r\n\r\n")},
		{"TLS: an alert", endless([]byte("\x15\x03\x03\x00\x02\x02\x28"), 50*time.Millisecond)},
		{"TLS: a record of 16 MiB", endless(make([]byte, 64<<10), 0, "\x16\x03\x03\xff\xff")},
	}
}

func garbage(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// endless sends a beginning and then the same again and again.
func endless(again []byte, pause time.Duration, begin ...string) func(net.Conn) {
	return func(c net.Conn) {
		for _, s := range begin {
			if _, err := io.WriteString(c, s); err != nil {
				return
			}
		}
		for {
			if _, err := c.Write(again); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}
}

// Listen starts the receiver and returns its address. greet, if any, speaks
// first, as far as a client has to be let in; it returns the connection to go
// on with. All ends with the test.
func (h Hostile) Listen(tb testing.TB, greet func(net.Conn) (net.Conn, error)) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	open, closed := make(map[net.Conn]bool), false
	serve := func(raw net.Conn) {
		defer raw.Close()
		c := raw
		if greet != nil {
			var err error
			if c, err = greet(raw); err != nil {
				return
			}
		}
		all.Go(func() { h.Talk(c) })
		_, _ = io.Copy(io.Discard, c)
	}
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			if closed {
				c.Close()
			}
			mu.Unlock()
			all.Go(func() { serve(c) })
		}
	})
	tb.Cleanup(func() {
		l.Close()
		mu.Lock()
		closed = true
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

// Allocates runs f and fails the test when f, and what runs beside it, has
// allocated more than most bytes in all: more than that it cannot have held.
func Allocates(tb testing.TB, most uint64, f func()) {
	tb.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		tb.Errorf("Allocated %d KiB, want at most %d KiB", got>>10, most>>10)
	}
}

// Survives gives a sink to every hostile receiver, and to more of them: it has to
// end with the context of its Send, and to take little memory meanwhile. Where a
// receiver can make it believe that an alert is delivered, lies is true.
func Survives(t *testing.T, greet func(net.Conn) (net.Conn, error), lies bool, open func(t *testing.T, address string) sink.Sink, more ...Hostile) {
	t.Helper()
	for _, h := range append(Hostiles(), more...) {
		t.Run(h.Name, func(t *testing.T) {
			s := open(t, h.Listen(t, greet))
			Allocates(t, 48<<20, func() {
				ctx, cancel := context.WithTimeout(t.Context(), 80*time.Millisecond)
				defer cancel()
				began := time.Now()
				n, err := s.Send(ctx, []sink.Message{{ID: "a", Group: "g", Time: began, Body: []byte("{}")}, {ID: "b", Group: "g", Time: began, Body: []byte("{}")}})
				if !lies && (n != 0 || err == nil) {
					t.Errorf("Got %d sent and error %v, want none", n, err)
				}
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("Send took %v, want it to end with its context", took)
				}
			})
		})
	}
}

// Repeat is a receiver that sends the same again and again.
func Repeat(s string) Hostile {
	return Hostile{Name: fmt.Sprintf("%.60q", s), Talk: endless([]byte(s), 0)}
}

// TLS makes receivers speak behind a TLS handshake with a certificate of files
// that Authority has made.
func TLS(tb testing.TB, cert, key string) func(net.Conn) (net.Conn, error) {
	tb.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		tb.Fatal(err)
	}
	return func(raw net.Conn) (net.Conn, error) {
		c := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
		return c, c.Handshake()
	}
}
