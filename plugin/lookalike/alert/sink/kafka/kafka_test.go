package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

func cluster(t *testing.T, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(3, "alerts")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func open(t *testing.T, c *kfake.Cluster, topic string, words ...string) sink.Sink {
	t.Helper()
	opener, err := Parse(sink.Address{Target: "kafka://" + strings.Join(c.ListenAddrs(), ",") + "/" + topic}, sinktest.Options(t, words...))
	return sinktest.Open(t, opener, err)
}

func batch(n int) []sink.Message {
	all := make([]sink.Message, n)
	for i := range all {
		all[i] = sink.Message{
			ID: fmt.Sprintf("id-%d", i), Group: fmt.Sprintf("group-%d", i%4), Sequence: uint64(i + 1), Time: time.Now(),
			Body: fmt.Appendf(nil, `{"n":%d}`, i),
		}
	}
	return all
}

// consume reads n records and returns, per key, the ids in order.
func consume(t *testing.T, c *kfake.Cluster, n int) map[string][]string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("alerts"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := make(map[string][]string)
	for n > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		for r := range fetches.RecordsAll() {
			got[string(r.Key)] = append(got[string(r.Key)], string(r.Headers[0].Value))
			n--
		}
	}
	return got
}

func TestSend(t *testing.T) {
	c := cluster(t)
	if n, err := open(t, c, "alerts").Send(t.Context(), batch(8)); n != 8 || err != nil {
		t.Fatalf("Got %d sent and error %v, want 8", n, err)
	}
	got := consume(t, c, 8)
	for g := range 4 {
		key, want := fmt.Sprintf("group-%d", g), []string{fmt.Sprintf("id-%d", g), fmt.Sprintf("id-%d", g+4)}
		if !slices.Equal(got[key], want) {
			t.Errorf("Got %q in %s, want %q", got[key], key, want)
		}
	}
}

// TestFaults breaks connections and lets the broker fail: each alert is there
// once.
func TestFaults(t *testing.T) {
	c := cluster(t)
	faults := 0
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if faults++; faults <= 3 {
			return nil, errors.New("connection broken"), true
		}
		return nil, nil, false
	})
	s := open(t, c, "alerts")
	todo := batch(100)
	for len(todo) > 0 {
		n, err := s.Send(t.Context(), todo)
		if err != nil {
			t.Logf("After %d: %v", n, err)
		}
		if t.Context().Err() != nil {
			t.Fatal("Got no time left")
		}
		todo = todo[n:]
	}
	if faults < 4 {
		t.Errorf("Got %d requests, want the faults as well", faults)
	}
	total := 0
	for _, ids := range consume(t, c, 100) {
		total += len(ids)
	}
	if total != 100 {
		t.Errorf("Got %d alerts, want 100", total)
	}
}

// noise is text that no compression makes smaller.
func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(33 + rand.IntN(94))
	}
	return b
}

// TestTooLarge holds that brokers with a low limit get all that fits, however
// much there is at once, and that one alert that does not fit is refused alone.
func TestTooLarge(t *testing.T) {
	c := cluster(t, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "20000"}))
	s := open(t, c, "alerts")
	all := batch(60)
	for i := range all {
		all[i].Body = noise(3000)
	}
	all[40].Body = noise(30_000)
	var refused []string
	for todo, tries := all, 0; len(todo) > 0; tries++ {
		if tries > 5 {
			t.Fatalf("Got %d left after %d attempts", len(todo), tries)
		}
		n, err := s.Send(t.Context(), todo)
		todo = todo[n:]
		if errors.As(err, new(*sink.Refused)) {
			refused, todo = append(refused, todo[0].ID), todo[1:]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(refused, []string{"id-40"}) {
		t.Errorf("Got %q refused, want the large one", refused)
	}
	ids := make(map[string]bool)
	for _, group := range consume(t, c, 59) {
		for _, id := range group {
			ids[id] = true
		}
	}
	if ids["id-40"] || !ids["id-0"] {
		t.Errorf("Got alerts %v", ids)
	}
}

func TestNoTopic(t *testing.T) {
	c := cluster(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	n, err := open(t, c, "nowhere").Send(ctx, batch(1))
	if n != 0 || !errors.Is(err, kerr.UnknownTopicOrPartition) || !strings.Contains(err.Error(), "create the topic") {
		t.Errorf("Got %d sent and error %v, want that there is no topic", n, err)
	}
}

// TestSASL changes the password that a file has under the sink.
func TestSASL(t *testing.T) {
	c := cluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", "geheim"))
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if auth, ok := request.(*kmsg.SASLAuthenticateRequest); !ok || !strings.HasSuffix(string(auth.SASLAuthBytes), "falsch") {
			return nil, nil, false
		}
		answer := request.ResponseKind().(*kmsg.SASLAuthenticateResponse) // as real brokers answer
		answer.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return answer, nil, true
	})
	path := filepath.Join(t.TempDir(), "password")
	write := func(password string) {
		if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("falsch")
	s := open(t, c, "alerts", "sasl=plain", "user=alice", "password_file="+path)
	send := func(what string, good bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		n, err := s.Send(ctx, batch(1))
		if (n == 1) != good || (err == nil) != good || errors.As(err, new(*sink.Denied)) == good || err != nil && strings.Contains(err.Error(), "falsch") {
			t.Errorf("Got %d sent and error %v with %s, want success: %v", n, err, what, good)
		}
	}
	send("a wrong password", false)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	send("no password", false)
	write("geheim")
	send("the right one", true)
}

// TestNotAllowed has the brokers refuse the producer, and then not any more.
func TestNotAllowed(t *testing.T) {
	c := cluster(t)
	c.ControlKey(int16(kmsg.InitProducerID), func(request kmsg.Request) (kmsg.Response, error, bool) {
		answer := request.ResponseKind().(*kmsg.InitProducerIDResponse)
		answer.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return answer, nil, true // once
	})
	s := open(t, c, "alerts")
	if n, err := s.Send(t.Context(), batch(1)); n != 0 || !errors.As(err, new(*sink.Denied)) {
		t.Errorf("Got %d sent and error %v, want denied", n, err)
	}
	if n, err := s.Send(t.Context(), batch(1)); n != 1 || err != nil {
		t.Errorf("Got %d sent and error %v when it is allowed, want 1", n, err)
	}
}

func TestExplain(t *testing.T) {
	if err := new(config).explain(kerr.MessageTooLarge); !errors.As(err, new(*sink.Refused)) {
		t.Errorf("Got %v of a record that is too large, want it refused", err)
	}
	if err := new(config).explain(kerr.InvalidTimestamp); errors.As(err, new(*sink.Refused)) || !contains(err, "clock") {
		t.Errorf("Got %v of a clock that is wrong, want it tried again", err)
	}
	if err := new(config).explain(kerr.SaslAuthenticationFailed); !errors.As(err, new(*sink.Denied)) {
		t.Errorf("Got %v of a wrong password, want denied", err)
	}
	if err := new(config).explain(kerr.NotLeaderForPartition); errors.As(err, new(*sink.Refused)) || errors.As(err, new(*sink.Denied)) {
		t.Errorf("Got %v of a leader that moved, want it tried again", err)
	}
}

func contains(err error, parts ...string) bool {
	return err != nil && !slices.ContainsFunc(parts, func(s string) bool { return !strings.Contains(err.Error(), s) })
}
