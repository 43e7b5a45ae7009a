package splunk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector is an HTTP Event Collector, as far as its protocol is documented.
type collector struct {
	*httptest.Server
	ack    bool
	after  int // questions before an acknowledgement is true
	busy   bool
	asked  int
	events []map[string]any
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/collector/event", c.event)
	mux.HandleFunc("POST /services/collector/ack", c.acks)
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) event(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Authorization") != "Splunk token":
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"text":"Invalid token","code":4}`)
		return
	case c.busy:
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"text":"Server is busy","code":9}`)
		return
	case c.ack && r.Header.Get("X-Splunk-Request-Channel") == "":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"text":"Data channel is missing","code":10}`)
		return
	}
	for d := json.NewDecoder(r.Body); ; {
		var e map[string]any
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.events = append(c.events, e)
	}
	if c.ack {
		fmt.Fprint(w, `{"text":"Success","code":0,"ackId":7}`)
		return
	}
	fmt.Fprint(w, `{"text":"Success","code":0}`)
}

func (c *collector) acks(w http.ResponseWriter, r *http.Request) {
	var q struct{ Acks []int }
	if json.NewDecoder(r.Body).Decode(&q) != nil || len(q.Acks) != 1 || q.Acks[0] != 7 || r.URL.Query().Get("channel") == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.asked++
	fmt.Fprintf(w, `{"acks":{"7":%v}}`, c.asked > c.after)
}

func open(t *testing.T, c *collector, token string) sink.Sink {
	t.Helper()
	t.Setenv("HEC", token)
	opener, err := Parse(c.URL, "ecs", sinktest.Options(t, "token_env=HEC", "index=dns"))
	return sinktest.Open(t, opener, err)
}

var messages = []sink.Message{
	{ID: "a", Time: time.UnixMilli(1795423567101), Sensor: "ns1.example.org", Body: []byte(`{"event":{"id":"a"}}`)},
	{ID: "b", Time: time.UnixMilli(1795423567102), Sensor: "ns1.example.org", Body: []byte(`CEF:0|"b"`)},
}

func TestSend(t *testing.T) {
	c := newCollector(t)
	if n, err := open(t, c, "token").Send(t.Context(), messages); n != 2 || err != nil {
		t.Fatalf("Got %d sent and error %v, want 2", n, err)
	}
	want := []string{
		"map[event:map[event:map[id:a]] host:ns1.example.org index:dns source:lookalike sourcetype:lookalike:alert:ecs time:1.795423567101e+09]",
		`map[event:CEF:0|"b" host:ns1.example.org index:dns source:lookalike sourcetype:lookalike:alert:ecs time:1.795423567102e+09]`,
	}
	for i, w := range want {
		if got := fmt.Sprint(c.events[i]); got != w {
			t.Errorf("Got event %s, want %s", got, w)
		}
	}
}

func TestAcknowledgement(t *testing.T) {
	c := newCollector(t)
	c.ack, c.after = true, 1
	if n, err := open(t, c, "token").Send(t.Context(), messages); n != 2 || err != nil || c.asked != 2 {
		t.Errorf("Got %d sent, error %v and %d questions, want 2 and 2", n, err, c.asked)
	}
	c.after = 1000
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if n, err := open(t, c, "token").Send(ctx, messages); n != 0 || err == nil {
		t.Errorf("Got %d sent and error %v without an acknowledgement, want none", n, err)
	}
}

func TestErrors(t *testing.T) {
	c := newCollector(t)
	if n, err := open(t, c, "wrong").Send(t.Context(), messages); n != 0 || !errors.As(err, new(*sink.Denied)) {
		t.Errorf("Got %d sent and error %v with a wrong token, want denied", n, err)
	}
	c.busy = true
	if n, err := open(t, c, "token").Send(t.Context(), messages); n != 0 || err == nil || errors.As(err, new(*sink.Refused)) {
		t.Errorf("Got %d sent and error %v of a busy server, want one that is tried again", n, err)
	}
}
