package nats

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	opener, err := Parse(address+"/soc.lookalike", &sink.Options{})
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
		opener, err := Parse("192.0.2.1/soc.lookalike", o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opener(sink.Env{}); err == nil || !strings.Contains(err.Error(), "/nowhere/") {
			t.Errorf("Got error %v with %s, want one that names the file", err, word)
		}
	}
}

func TestExplain(t *testing.T) {
	if err := explain(nats.ErrMaxPayload); !errors.As(err, new(*sink.Refused)) {
		t.Errorf("Got %v of a message that is too large, want it refused", err)
	}
	if err := explain(nats.ErrAuthorization); !errors.As(err, new(*sink.Denied)) {
		t.Errorf("Got %v of a wrong password, want denied", err)
	}
	if err := explain(nats.ErrNoResponders); !strings.Contains(err.Error(), "create a stream") {
		t.Errorf("Got %v without a stream, want the cure", err)
	}
	if explain(nil) != nil {
		t.Error("Got an error of none")
	}
}
