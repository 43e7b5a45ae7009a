package probe

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"
)

// greet has a host greet every client with the same words, until closed.
func greet(t *testing.T, address, words string) (target string, closed func()) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, words)
			conn.Close()
		}
	}()
	closed = func() {
		ln.Close()
		wait.For(t, "the greeting host to end", done)
	}
	t.Cleanup(closed)
	return ln.Addr().String(), closed
}

var sinkhole = netip.MustParseAddr("192.0.2.25")

func TestDownAndUpAgain(t *testing.T) {
	target, stop := greet(t, "127.0.0.1:0", "220 ready\r\n")
	h := acquire(sinkhole, target, 5*time.Millisecond)
	t.Cleanup(h.Release)
	gauge := sinkholeUp.WithLabelValues(sinkhole.String())
	is := func(up float64) {
		t.Helper()
		wait.Until(t, fmt.Sprintf("up to be %v", up), func() bool {
			return h.Up() == (up == 1) && testutil.ToFloat64(gauge) == up
		})
	}
	is(1)
	stop()
	is(0)
	greet(t, target, "220 ready\r\n")
	is(1)
}

// TestShared has two who watch an address, as during a reload: it stays down for
// the second, and the metric is there until both have gone.
func TestShared(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	target, stop := greet(t, "127.0.0.1:0", "220 ready\r\n")
	stop()
	before := testutil.CollectAndCount(sinkholeUp)
	shown := func() int { return testutil.CollectAndCount(sinkholeUp) - before }

	old := acquire(sinkhole, target, 5*time.Millisecond)
	wait.Until(t, "the host to be down", func() bool { return !old.Up() })
	next := acquire(sinkhole, target, 5*time.Millisecond)
	if next.Up() {
		t.Error("What was known is forgotten")
	}
	old.Release()
	if next.Up() || shown() != 1 {
		t.Errorf("Up: %v, %d addresses shown while one is watched", next.Up(), shown())
	}
	next.Release()
	if shown() != 0 {
		t.Errorf("%d addresses shown while none is watched", shown())
	}
}

func TestGreets(t *testing.T) {
	tests := []struct {
		name, words string
		want        string // part of the error; empty: none
	}{
		{"ready", "220 ready\r\n", ""},
		{"too busy", "421 too busy\r\n", `its greeting is "421 too busy"`},
		{"no mail here", "554 no mail here\r\n", `its greeting is "554 no mail here"`},
		{"no SMTP", "HTTP/1.1 400 Bad Request\r\n", "its greeting is"},
		{"what a terminal obeys", "\x1b[2J\r\n", `"\x1b[2J"`},
		{"closes at once", "", "EOF"},
		{"an endless line", strings.Repeat("220", 1000), "buffer full"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			target, _ := greet(t, "127.0.0.1:0", tc.words)
			err := greets(t.Context(), target)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Got error %v, want %q", err, tc.want)
			}
		})
	}
}
