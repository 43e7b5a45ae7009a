package webhook

import (
	"net"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// TestErrorHasNoURL holds that a path, which may be a secret, is in no error:
// those go to the log.
func TestErrorHasNoURL(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close() // nobody is there
	o, err := sink.ParseOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	open, err := Parse(sink.Address{Target: "http://" + address + "/geheim"}, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(sink.Env{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Send(t.Context(), []sink.Message{{ID: "1", Body: []byte("{}")}})
	if err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("Got error %v, want one that says why and not where", err)
	}
}
