//go:build e2e

package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	natssink "github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/nats"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestReadStream reads the stream of a fleet to its end, as report does: first
// there is nothing, then all that was published, in its order.
func TestReadStream(t *testing.T) {
	t.Parallel()
	addr := localAddr(t)
	natsServer(t, t.TempDir(), addr).start(addr)
	js := jetStream(t, addr)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "LOOKALIKE", Subjects: []string{"lookalike.>"}}); err != nil {
		t.Fatal(err)
	}
	read := func(options ...string) string {
		var got []string
		o, err := sink.ParseOptions(options)
		if err != nil {
			t.Fatal(err)
		}
		r, err := natssink.NewReader(sink.Address{Target: "nats://" + addr + "/lookalike.alerts"}, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Read(t.Context(), func(body []byte) error {
			got = append(got, string(body))
			return nil
		}, nil); err != nil {
			t.Fatal(err)
		}
		return strings.Join(got, " ")
	}
	if got := read(); got != "" {
		t.Errorf("Got %q of an empty stream", got)
	}
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprint(i))
		if _, err := js.Publish(t.Context(), "lookalike.alerts", []byte(want[i])); err != nil {
			t.Fatal(err)
		}
		if _, err := js.Publish(t.Context(), "lookalike.others", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	for _, options := range [][]string{nil, {"stream=LOOKALIKE"}} {
		if got := read(options...); got != strings.Join(want, " ") {
			t.Errorf("Got %q with options %q", got, options)
		}
	}
}

// TestStreamGoesOn reads what is published while one reads, and after a restart
// of the server what has come since.
func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	addr := localAddr(t)
	broker := natsServer(t, t.TempDir(), addr)
	broker.start(addr)
	publish := func(body string) {
		t.Helper()
		js := jetStream(t, addr)
		_, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "LOOKALIKE", Subjects: []string{"lookalike.>"}})
		if err == nil {
			_, err = js.Publish(t.Context(), "lookalike.alerts", []byte(body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	publish("1")
	o, err := sink.ParseOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := natssink.NewReader(sink.Address{Target: "nats://" + addr + "/lookalike.alerts"}, o)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 10)
	read := func() (current chan struct{}, ended chan error) {
		current, ended = make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- r.Read(t.Context(), func(body []byte) error { got <- string(body); return nil },
				func() error { close(current); return nil })
		}()
		return current, ended
	}
	next := func(want string) {
		t.Helper()
		if body := wait.For(t, "message "+want, got); body != want {
			t.Fatalf("Got %q, want %q", body, want)
		}
	}
	current, ended := read()
	next("1")
	wait.For(t, "the end of the stream", current)
	publish("2")
	next("2")
	broker.kill()
	if err := wait.For(t, "the reader to notice", ended); err == nil {
		t.Error("No error of a server that is gone")
	}
	broker.start(addr)
	publish("3")
	current, _ = read()
	next("3")
	wait.For(t, "the end of the stream", current)
}
