package nats

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
	"github.com/lookalike-dns/lookalike/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	opener, err := Parse(sink.Address{Target: "nats://" + address + "/soc.lookalike"}, &sink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := opener(sink.Env{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n, err := s.Send(t.Context(), []sink.Message{{ID: "a", Body: []byte("{}")}}); n != 0 || err == nil {
		t.Errorf("Got %d sent and error %v, want none", n, err)
	}
}

func TestOpenFails(t *testing.T) {
	for _, word := range []string{"token_file=/nowhere/token", "ca=/nowhere/ca.pem"} {
		words := []string{word}
		if strings.HasPrefix(word, "ca=") {
			words = append(words, "tls=yes")
		}
		o, err := sink.ParseOptions(words)
		if err != nil {
			t.Fatal(err)
		}
		opener, err := Parse(sink.Address{Target: "nats://192.0.2.1/soc.lookalike"}, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opener(sink.Env{}); err == nil || !strings.Contains(err.Error(), "/nowhere/") {
			t.Errorf("Got error %v with %s, want one that names the file", err, word)
		}
	}
}

func TestExplain(t *testing.T) {
	tests := []struct {
		err  error
		kind any // nil: it is tried again
		text string
	}{
		{nats.ErrMaxPayload, new(*sink.Refused), ""},
		{&apiError{Code: 400, ErrCode: 10054, Description: "message size exceeds maximum allowed"}, new(*sink.Refused), ""},
		{&apiError{Code: 503, ErrCode: 10077, Description: "maximum messages exceeded"}, nil, ""},
		{nats.ErrAuthorization, new(*sink.Denied), ""},
		{fmt.Errorf("%w: for Publish to \"soc\"", nats.ErrPermissionViolation), new(*sink.Denied), ""},
		{nats.ErrNoResponders, nil, "create a stream"},
		{nats.ErrTimeout, nil, ""},
	}
	for _, tc := range tests {
		err := explain(tc.err)
		if tc.kind != nil && !errors.As(err, tc.kind) || tc.kind == nil && (errors.As(err, new(*sink.Refused)) || errors.As(err, new(*sink.Denied))) {
			t.Errorf("Got %#v of %v, want %T", err, tc.err, tc.kind)
		}
		if !strings.Contains(err.Error(), tc.text) {
			t.Errorf("Got %v, want one with %q", err, tc.text)
		}
	}
	if explain(nil) != nil {
		t.Error("Got an error of none")
	}
}

// TestNoAnswer has a server that lets us in and then says nothing, as one whose
// stream has no leader: each attempt ends in time, and begins anew.
func TestNoAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			open.Go(func() { mute(c) })
		}
	})
	opener, err := Parse(sink.Address{Target: "nats://" + l.Addr().String() + "/soc"}, &sink.Options{})
	s := sinktest.Open(t, opener, err)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if n, err := s.Send(ctx, []sink.Message{{ID: "a", Body: []byte("{}")}}); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Got %d sent and error %v, want none in time", n, err)
		}
	}
	if n := connections.Load(); n != 3 {
		t.Errorf("Got %d connections in 3 attempts, want 3", n)
	}
	s.Close()
	l.Close()
	wait.Done(t, "the connections to end", open.Wait)
}

// mute speaks enough of the protocol to let a client in.
func mute(c net.Conn) {
	defer c.Close()
	fmt.Fprintf(c, "INFO {\"server_id\":\"x\",\"version\":\"2.9.10\",\"headers\":true,\"max_payload\":1048576}\r\n")
	for lines := bufio.NewScanner(c); lines.Scan(); {
		if lines.Text() == "PING" {
			fmt.Fprint(c, "PONG\r\n")
		}
	}
}
