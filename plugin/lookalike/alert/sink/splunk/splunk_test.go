package splunk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
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
	code   int  // of a 400 for everything
	lost   bool // the collector has forgotten its acknowledgements
	posts  int
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
	if c.code != 0 {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"text":"no","code":%d}`, c.code)
		return
	}
	c.posts++
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
	if c.lost {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, `{"acks":{"7":%v}}`, c.asked > c.after)
}

func open(t *testing.T, c *collector, token string) sink.Sink {
	t.Helper()
	t.Setenv("HEC", token)
	opener, err := Parse(sink.Address{Target: c.URL, Format: "ecs"}, sinktest.Options(t, "token_env=HEC", "index=dns"))
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

// TestAcknowledgementTakesLong holds that what waits for its acknowledgement is
// not posted again each time that a Send is out of time, but in the end it is.
func TestAcknowledgementTakesLong(t *testing.T) {
	c := newCollector(t)
	c.ack, c.after = true, 1000
	s := open(t, c, "token").(*Sink)
	send := func(batch []sink.Message) (int, error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		return s.Send(ctx, batch)
	}
	for range 3 {
		if n, err := send(messages); n != 0 || !errors.Is(err, errNoAck) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Got %d sent and error %v, want that there is no acknowledgement", n, err)
		}
	}
	if c.posts != 1 {
		t.Errorf("Got the events posted %d times in 3 attempts, want once", c.posts)
	}
	s.waiting.since = s.waiting.since.Add(-ackWait)
	if n, err := send(messages); n != 0 || err == nil {
		t.Errorf("Got %d sent and error %v, want none", n, err)
	}
	if _, _ = send(messages); c.posts != 2 {
		t.Errorf("Got the events posted %d times after %v, want once more", c.posts, ackWait)
	}
	c.after = 0 // with a batch that has grown: what is new is posted as well
	more := append(append([]sink.Message(nil), messages...), sink.Message{ID: "c", Body: []byte(`{}`)})
	if n, err := send(more); n != 3 || err != nil || c.posts != 3 {
		t.Errorf("Got %d sent, error %v and %d posts, want 3 and 3", n, err, c.posts)
	}

	c.after, c.asked = 1000, 0
	if n, err := send(messages); n != 0 || err == nil || c.posts != 4 {
		t.Errorf("Got %d sent, error %v and %d posts, want none and one more", n, err, c.posts)
	}
	c.lost = true
	if n, err := send(messages); n != 0 || err == nil || s.waiting != nil {
		t.Errorf("Got %d sent, error %v and %v waiting, want nothing of what the collector forgot", n, err, s.waiting)
	}
}

// TestBadRequests tells a bad event, which is put away, from a token or a
// request that is bad for all of them.
func TestBadRequests(t *testing.T) {
	tests := []struct {
		code    int
		what    string
		refused bool
	}{
		{5, "no data", true},
		{6, "invalid data format", true},
		{12, "event field is required", true},
		{15, "error in indexed fields", true},
		{7, "incorrect index", false},
		{10, "data channel is missing", false},
		{11, "invalid data channel", false},
		{14, "acknowledgement is disabled", false},
		{16, "query string authorization is not enabled", false},
	}
	for _, tc := range tests {
		c := newCollector(t)
		c.code = tc.code
		n, err := open(t, c, "token").Send(t.Context(), messages)
		if n != 0 || err == nil || errors.As(err, new(*sink.Refused)) != tc.refused {
			t.Errorf("Got %d sent and error %v of %q, want the event refused: %v", n, err, tc.what, tc.refused)
		}
	}
}

// TestLoadBalancer has two collectors behind a load balancer that knows a client
// by its cookie: the one that has the events is asked whether it has them.
func TestLoadBalancer(t *testing.T) {
	one, other := newCollector(t), newCollector(t)
	one.ack, one.after, other.ack = true, 2, true
	next := 0
	balancer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := next % 2
		if c, err := r.Cookie("backend"); err == nil {
			to, _ = strconv.Atoi(c.Value)
		} else {
			next++
			http.SetCookie(w, &http.Cookie{Name: "backend", Value: strconv.Itoa(to), Path: "/", HttpOnly: true})
		}
		[]*collector{one, other}[to].Config.Handler.ServeHTTP(w, r)
	}))
	defer balancer.Close()
	t.Setenv("HEC", "token")
	opener, err := Parse(sink.Address{Target: balancer.URL, Format: "ecs"}, sinktest.Options(t, "token_env=HEC"))
	n, err := sinktest.Open(t, opener, err).Send(t.Context(), messages)
	if n != 2 || err != nil || one.asked != 3 || other.asked != 0 {
		t.Errorf("Got %d sent, error %v, %d questions to the one that has them and %d to the other, want 2, 3 and 0", n, err, one.asked, other.asked)
	}
}

func TestHostile(t *testing.T) {
	t.Setenv("HEC", "token")
	sinktest.Survives(t, nil, true, func(t *testing.T, address string) sink.Sink {
		t.Helper()
		opener, err := Parse(sink.Address{Target: "http://" + address, Format: "ecs"}, sinktest.Options(t, "token_env=HEC"))
		return sinktest.Open(t, opener, err)
	})
}
