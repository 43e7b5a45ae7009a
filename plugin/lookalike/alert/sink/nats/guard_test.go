package nats

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

// greet lets a client in.
func greet(c net.Conn) (net.Conn, error) {
	fmt.Fprintf(c, "INFO {\"server_id\":\"x\",\"version\":\"2.9.10\",\"headers\":true,\"max_payload\":1048576}\r\n")
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(line, "PING") {
			_, err := io.WriteString(c, "PONG\r\n")
			return c, err
		}
	}
}

// TestHostile holds that nothing that a server sends, before it lets us in or
// after, ends the process, takes memory or holds up a Send.
func TestHostile(t *testing.T) {
	var more []sinktest.Hostile
	for _, s := range []string{
		"MSG a 1 9223372036854775807\r\n", "MSG a 1 99999999999\r\n", "MSG a 1 -1\r\n", "MSG a 1 1048576\r\n",
		"MSG a 1 18446744073709551617\r\n", "MSG a 99999999999999999999 1\r\nx\r\n", "MSG a 1\r\n", "MSG  \r\n",
		"HMSG a 1 9223372036854775807 9223372036854775807\r\n", "HMSG a 1 12 10\r\nNATS/1.0\r\n\r\n", "HMSG a 1 b 12 12\r\nNATS/1.0\r\n\r\n\r\n",
		"HMSG a 1 10 5000000000\r\n", "msg a 1 9223372036854775807\r\n", "MSG\ta\t1\t9223372036854775807\n", "MSG a 1 2\r\nabc\r\n",
		"MSG " + strings.Repeat("a", 100_000) + " 1 1\r\nx\r\n", "PING\r\n", "PONG\r\n", "+OK\r\n", "-ERR 'x'\r\n", "-ERR\r\n", "INFO {}\r\n", "INFO {\"max_payload\":-1}\r\n",
		"INFO " + strings.Repeat("[", 5000) + "\r\n", "INFO {\"connect_urls\":[" + strings.Repeat("\"a:1\",", 1000) + "\"b:1\"]}\r\n",
	} {
		more = append(more, sinktest.Repeat(s))
	}
	open := func(t *testing.T, address string) sink.Sink {
		t.Helper()
		opener, err := Parse(sink.Address{Target: "nats://" + address + "/soc"}, &sink.Options{})
		return sinktest.Open(t, opener, err)
	}
	t.Run("before", func(t *testing.T) { sinktest.Survives(t, nil, false, open, more...) })
	t.Run("after", func(t *testing.T) { sinktest.Survives(t, greet, false, open, more...) })
}

// TestAcknowledgements has a stream that answers in another order than it was
// asked, and to questions that nobody put.
func TestAcknowledgements(t *testing.T) {
	const stored = `{"stream":"SOC","seq":1}`
	tests := []struct {
		name    string
		answers []string // message, then what is said of it
		want    int
		kind    any // of the error
	}{
		{"in order", []string{"0", stored, "1", stored, "2", stored}, 3, nil},
		{"backwards", []string{"2", stored, "1", stored, "0", stored}, 3, nil},
		{"again and again", []string{"0", stored, "0", stored, "77", stored, "x", stored, "", stored, "1", stored, "2", stored}, 3, nil},
		{"the last refused, first", []string{"2", `{"error":{"code":400,"err_code":10054,"description":"too large"}}`, "0", stored, "1", stored}, 2, new(*sink.Refused)},
		{"the middle one no acknowledgement", []string{"1", `{}`, "0", stored, "2", stored}, 1, new(error)},
		{"no JSON", []string{"0", "<html>"}, 0, new(error)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			address := sinktest.Hostile{Talk: func(net.Conn) {}}.Listen(t, func(c net.Conn) (net.Conn, error) {
				if _, err := greet(c); err != nil {
					return nil, err
				}
				var replies []string
				for lines := bufio.NewScanner(c); len(replies) < 3 && lines.Scan(); {
					if words := strings.Fields(lines.Text()); len(words) == 5 && words[0] == "HPUB" {
						replies = append(replies, strings.TrimSuffix(words[2], "0"))
					}
				}
				for i := 0; i < len(tc.answers); i += 2 {
					fmt.Fprintf(c, "MSG %s%s 1 %d\r\n%s\r\n", replies[0], tc.answers[i], len(tc.answers[i+1]), tc.answers[i+1])
				}
				return c, nil
			})
			opener, err := Parse(sink.Address{Target: "nats://" + address + "/soc"}, &sink.Options{})
			s := sinktest.Open(t, opener, err)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			n, err := s.Send(ctx, []sink.Message{{ID: "a"}, {ID: "b"}, {ID: "c"}})
			if n != tc.want || (err == nil) != (tc.kind == nil) || tc.kind != nil && !errors.As(err, tc.kind) {
				t.Errorf("Got %d sent and error %v, want %d and %T", n, err, tc.want, tc.kind)
			}
		})
	}
}

// TestSmallPayload has a server that takes nothing: the alert is not refused,
// since it is not to blame.
func TestSmallPayload(t *testing.T) {
	address := sinktest.Hostile{Talk: func(net.Conn) {}}.Listen(t, func(c net.Conn) (net.Conn, error) {
		fmt.Fprintf(c, "INFO {\"headers\":true,\"max_payload\":1}\r\n")
		for lines := bufio.NewScanner(c); lines.Scan(); {
			if lines.Text() == "PING" {
				_, err := io.WriteString(c, "PONG\r\n")
				return c, err
			}
		}
		return nil, io.EOF
	})
	opener, err := Parse(sink.Address{Target: "nats://" + address + "/soc"}, &sink.Options{})
	s := sinktest.Open(t, opener, err)
	n, err := s.Send(t.Context(), []sink.Message{{ID: "a", Body: []byte("{}")}})
	if n != 0 || errors.As(err, new(*sink.Refused)) || err == nil || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("Got %d sent and error %v, want one that names max_payload", n, err)
	}
}

// TestCloses has a server that lets us in and closes at once, again and again:
// TestMain sees that nothing of it stays.
func TestCloses(t *testing.T) {
	address := sinktest.Hostile{Talk: func(c net.Conn) { c.Close() }}.Listen(t, greet)
	opener, err := Parse(sink.Address{Target: "nats://" + address + "/soc"}, &sink.Options{})
	s := sinktest.Open(t, opener, err)
	for range 100 {
		if n, err := s.Send(t.Context(), []sink.Message{{ID: "a", Body: []byte("{}")}}); n != 0 || err == nil {
			t.Errorf("Got %d sent and error %v, want none", n, err)
		}
	}
}

// FuzzServer holds that the library survives whatever a server sends through the
// guard, and that what passes is whole operations.
func FuzzServer(f *testing.F) {
	for _, s := range []string{
		"MSG a 1 9223372036854775807\r\n", "MSG a 1 3\r\nabc\r\nPING\r\n", "HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nab\r\n",
		"HMSG a 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", "-ERR 'Authorization Violation'\r\n", "INFO {\"connect_urls\":[\"a\"]}\r\n", "+OK\r\nPONG\r\n", "\r\n", "MSG",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		ours, theirs := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			defer theirs.Close()
			_ = theirs.SetDeadline(time.Now().Add(5 * time.Second))
			for lines := bufio.NewScanner(theirs); lines.Scan(); {
				if lines.Text() == "PING" {
					break
				}
			}
			go io.Copy(io.Discard, theirs) //nolint:errcheck // ends with the pipe
			_, _ = theirs.Write(append([]byte("PONG\r\n"), sent...))
		}()
		gone := make(chan struct{})
		conn, err := nats.Connect("nats://192.0.2.1", nats.SetCustomDialer(pipe{newGuard(ours, []byte("INFO {\"headers\":true,\"max_payload\":100000}\r\n"))}),
			nats.NoReconnect(), nats.SkipHostLookup(), nats.ClosedHandler(func(*nats.Conn) { close(gone) }), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.ChanSubscribe("a", make(chan *nats.Msg, mostAcks)) // number 1
		<-served
		<-gone
	})
}

// pipe is a dialer that has its connection.
type pipe struct{ net.Conn }

func (p pipe) Dial(string, string) (net.Conn, error) { return p.Conn, nil }

func (p pipe) SkipTLSHandshake() bool { return true }

func FuzzCheckLine(f *testing.F) {
	for _, s := range []string{"MSG a 1 9223372036854775807\r\n", "MSG a 1 3\r\n", "HMSG a 1 r 12 14\r\n", "PING\r\n", "msg\ta 1  3 \r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		size, err := checkLine(line)
		if err != nil {
			return
		}
		words := bytes.Fields(line)
		if last := string(words[len(words)-1]); size >= 0 && strings.TrimLeft(last, "0") != strings.TrimLeft(strconv.Itoa(size), "0") || size > maxMessage {
			t.Errorf("Got size %d of %q", size, line)
		}
	})
}
