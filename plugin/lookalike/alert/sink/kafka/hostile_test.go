package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

// TestHostile holds that nothing that a broker sends ends the process, takes
// memory or holds up a Send.
func TestHostile(t *testing.T) {
	var more []sinktest.Hostile
	for _, length := range []int32{100 << 20, 99 << 20, 1<<31 - 1, -1, -1 << 31} {
		more = append(more, sinktest.Hostile{Name: fmt.Sprintf("an answer of %d octets", length), Talk: func(c net.Conn) {
			head := []byte{byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}
			if _, err := c.Write(head); err == nil {
				_, _ = io.Copy(c, zeros{})
			}
		}})
	}
	sinktest.Survives(t, nil, false, func(t *testing.T, address string) sink.Sink {
		t.Helper()
		opener, err := Parse(sink.Address{Target: "kafka://" + address + "/alerts"}, &sink.Options{})
		return sinktest.Open(t, opener, err)
	}, more...)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func sendHostile(t *testing.T, s sink.Sink) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if n, err := s.Send(ctx, batch(2)); n != 0 || err == nil {
		t.Errorf("Got %d sent and error %v, want none", n, err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Send took %v, want it to end with its context", took)
	}
}

// TestHostileAnswers has a broker that speaks Kafka, and lies.
func TestHostileAnswers(t *testing.T) {
	tests := []struct {
		name   string
		key    kmsg.Key
		answer func(kmsg.Request) kmsg.Response
	}{
		{"metadata with 10,000 brokers", kmsg.Metadata, func(r kmsg.Request) kmsg.Response {
			a := r.ResponseKind().(*kmsg.MetadataResponse)
			for i := range 10_000 {
				b := kmsg.NewMetadataResponseBroker()
				b.NodeID, b.Host, b.Port = int32(i), "127.0.0.1", 1
				a.Brokers = append(a.Brokers, b)
			}
			return a
		}},
		{"a throttle of 24 days", kmsg.Metadata, func(r kmsg.Request) kmsg.Response {
			a := r.ResponseKind().(*kmsg.MetadataResponse)
			a.ThrottleMillis = 1<<31 - 1
			return a
		}},
		{"no answers to what was produced", kmsg.Produce, func(r kmsg.Request) kmsg.Response { return r.ResponseKind() }},
		{"an answer of another kind", kmsg.Produce, func(r kmsg.Request) kmsg.Response {
			a := r.ResponseKind().(*kmsg.ProduceResponse)
			for range 1000 {
				topic := kmsg.NewProduceResponseTopic()
				topic.Topic = "another"
				topic.Partitions = append(topic.Partitions, kmsg.NewProduceResponseTopicPartition())
				a.Topics = append(a.Topics, topic)
			}
			return a
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c := cluster(t)
			c.ControlKey(tc.key.Int16(), func(r kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				return tc.answer(r), nil, true
			})
			s := open(t, c, "alerts")
			sinktest.Allocates(t, 64<<20, func() { sendHostile(t, s) })
		})
	}
}

// TestThrottled holds that a broker that once asked for a pause of days is asked
// again.
func TestThrottled(t *testing.T) {
	c := cluster(t)
	c.ControlKey(kmsg.Metadata.Int16(), func(r kmsg.Request) (kmsg.Response, error, bool) {
		a := r.ResponseKind().(*kmsg.MetadataResponse)
		a.ThrottleMillis = 1<<31 - 1
		return a, nil, true // once
	})
	s := open(t, c, "alerts")
	sendHostile(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if n, err := s.Send(ctx, batch(2)); n != 2 || err != nil {
		t.Errorf("Got %d sent and error %v after the throttle, want 2", n, err)
	}
}

// TestOld holds that an alert's age is nothing to the transport: one whose
// detections are hours old, as those of a backlog are, is delivered like a fresh
// one, and neither is repeated.
func TestOld(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ages  []time.Duration
		topic map[string]string
	}{
		{"just over the time-out", []time.Duration{26 * time.Second}, nil},
		{"a backlog of days", []time.Duration{100 * time.Hour, 50 * time.Hour, time.Hour}, nil},
		{"old ones and fresh ones", []time.Duration{0, 64 * time.Second, 0, time.Hour, 0}, nil},
		{"of a clock that goes ahead", []time.Duration{-time.Hour, 0}, nil},
		{"no time at all", []time.Duration{1 << 62}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := cluster(t)
			all := batch(len(tc.ages))
			for i, age := range tc.ages {
				all[i].Time, all[i].Group = time.Now().Add(-age), "one"
			}
			s := open(t, c, "alerts")
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for todo, tries := all, 0; len(todo) > 0 && tries < 3; tries++ {
				n, err := s.Send(ctx, todo)
				if todo = todo[n:]; err != nil {
					t.Errorf("Got error %v", err)
				}
			}
			if n, err := s.Send(ctx, []sink.Message{{ID: "last", Group: "one"}}); n != 1 || err != nil {
				t.Fatalf("Got error %v of a last one", err)
			}
			got := consume(t, c, len(all)+1)["one"]
			if want := len(all) + 1; len(got) != want || got[want-1] != "last" {
				t.Errorf("Got %q, want each once, in order", got)
			}
		})
	}
}

// TestIdempotent has a principal that may write to the topic and no more: it is
// told which right it lacks, and which option does without.
func TestIdempotent(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "alerts"), kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "root", "root"), kfake.User("PLAIN", "alice", "geheim",
		kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: "alerts", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationWrite, Allow: true},
		kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: "alerts", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationDescribe, Allow: true}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	t.Setenv("KAFKA_PASSWORD", "geheim")
	words := []string{"sasl=plain", "user=alice", "password_env=KAFKA_PASSWORD"}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c.ControlKey(kmsg.InitProducerID.Int16(), func(r kmsg.Request) (kmsg.Response, error, bool) { // as brokers before 2.8 answer
		c.KeepControl()
		a := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		a.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return a, nil, true
	})
	n, err := open(t, c, "alerts", words...).Send(ctx, batch(1))
	if n != 0 || !errors.As(err, new(*sink.Denied)) || !contains(err, "IdempotentWrite", "idempotent=no") {
		t.Errorf("Got %d sent and error %v, want one that names the right and the option", n, err)
	}
	if n, err := open(t, c, "alerts", append(words, "idempotent=no")...).Send(ctx, batch(8)); n != 8 || err != nil {
		t.Errorf("Got %d sent and error %v without idempotence, want 8", n, err)
	}
	n, err = open(t, c, "nowhere", append(words, "idempotent=no")...).Send(ctx, batch(1))
	if n != 0 || !contains(err, "Write", "Describe", "nowhere") {
		t.Errorf("Got %d sent and error %v, want one that names the rights on the topic", n, err)
	}
}
