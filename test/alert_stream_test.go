//go:build e2e

package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	natssink "github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/nats"
)

// TestReadStream reads the stream of a fleet to its end, as report does: first
// there is nothing, then all that was published, in its order.
func TestReadStream(t *testing.T) {
	t.Parallel()
	addr := localAddr(t)
	broker := &program{t: t, path: "/usr/sbin/nats-server", args: []string{"-js", "-sd", t.TempDir(), "-a", "127.0.0.1", "-p", addr[len("127.0.0.1:"):]}}
	broker.start(addr)
	conn, err := nats.Connect("nats://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "LOOKALIKE", Subjects: []string{"lookalike.>"}}); err != nil {
		t.Fatal(err)
	}
	read := func(options ...string) string {
		var got []string
		o, err := sink.ParseOptions(options)
		if err != nil {
			t.Fatal(err)
		}
		if err := natssink.Read(t.Context(), sink.Address{Target: "nats://" + addr + "/lookalike.alerts"}, o, func(body []byte) error {
			got = append(got, string(body))
			return nil
		}); err != nil {
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
