package deliver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

func newQueue(dest string, limit int) *Queue {
	q := NewQueue(dest)
	q.limit = limit
	return q
}

// TestQueueFull holds that a queue that overflows loses the oldest records,
// counts them and says so.
func TestQueueFull(t *testing.T) {
	before := value(t, sinkLost.WithLabelValues("full", "queue_full"))
	q := newQueue("full", 4)
	queued := func(i int) *record.Record { return &record.Record{Epoch: "e", Sequence: uint64(i), Count: 10} }
	q.Push([]*record.Record{queued(1), queued(2)})
	flight := q.Take(1)
	for i := 3; i <= 8; i++ {
		q.Push([]*record.Record{queued(i)})
	}
	if lost := value(t, sinkLost.WithLabelValues("full", "queue_full")) - before; lost != 4 {
		t.Errorf("Got %v lost, want 4", lost)
	}
	if flight[0].Sequence != 1 || q.Take(1)[0].Sequence != 1 {
		t.Error("Got the record in flight dropped")
	}
	q.Settle(1)
	var got []string
	for _, r := range q.Take(10) {
		if r.Phase == record.Lost {
			got = append(got, fmt.Sprintf("lost %d-%d %d %d", r.Lost.From, r.Lost.To, r.Lost.Records, r.Lost.Detections))
			continue
		}
		got = append(got, fmt.Sprint(r.Sequence))
	}
	if want := []string{"lost 2-5 4 40", "6", "7", "8"}; !slices.Equal(got, want) {
		t.Errorf("Got queue %q, want %q", got, want)
	}
}

// TestQueueUrgent holds that noise in a full queue takes no place of what is blocked
// or high, and that what stays keeps its order.
func TestQueueUrgent(t *testing.T) {
	tests := []struct {
		name   string
		pushed string // in order: b blocked, h high, n neither
		flight int    // taken before
		want   []string
	}{
		{"room for all", "nbnh", 0, []string{"n1", "b2", "n3", "h4"}},
		{"noise goes first", "bnhnb", 0, []string{"lost 2-2 1", "b1", "h3", "n4", "b5"}},
		{"a flood of noise", "bhnnnnnnnnnnbn", 0, []string{"lost 3-12 10", "b1", "h2", "b13", "n14"}},
		{"noise after the urgent", "bhbhnn", 0, []string{"lost 5-6 2", "b1", "h2", "b3", "h4"}},
		{"only urgent ones", "bhbhbh", 0, []string{"lost 1-2 2", "b3", "h4", "b5", "h6"}},
		{"what is in flight stays", "nnbnbb", 2, []string{"n1", "n2", "lost 3-4 2", "b5", "b6"}},
		{"all is in flight", "nnnnn", 4, []string{"n1", "n2", "n3", "n4", "n5"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dest := "urgent " + tc.name
			q := newQueue(dest, 4)
			for i, kind := range tc.pushed {
				r := &record.Record{Epoch: "e", Sequence: uint64(i + 1), Action: record.Monitor, Confidence: detect.Low}
				switch kind {
				case 'b':
					r.Action = record.NXDomain
				case 'h':
					r.Confidence = detect.High
				}
				q.Push([]*record.Record{r})
				if i+1 == tc.flight {
					q.Take(tc.flight)
				}
			}
			var got []string
			lost := 0.0
			for n, _ := q.Backlog(); n > 0; n, _ = q.Backlog() {
				taken := q.Take(3)
				for _, r := range taken {
					if r.Lost != nil {
						got = append(got, fmt.Sprintf("lost %d-%d %d", r.Lost.From, r.Lost.To, r.Lost.Records))
						lost = float64(r.Lost.Records)
						continue
					}
					got = append(got, fmt.Sprint(tc.pushed[r.Sequence-1:r.Sequence], r.Sequence))
				}
				q.Settle(len(taken))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("Got queue %q, want %q", got, tc.want)
			}
			if counted := value(t, sinkLost.WithLabelValues(dest, QueueFull)); counted != lost {
				t.Errorf("Got %v counted as lost, want %v", counted, lost)
			}
			if q.bytes != 0 {
				t.Errorf("Got %d bytes in an empty queue", q.bytes)
			}
		})
	}
}

// BenchmarkQueueFull pushes noise into a queue that is full.
func BenchmarkQueueFull(b *testing.B) {
	q := NewQueue("full benchmark")
	noise := []*record.Record{{Epoch: "e", Action: record.Monitor}}
	for range QueueLimit {
		q.Push(noise)
	}
	q.Take(100)
	b.ResetTimer()
	for range b.N {
		q.Push(noise)
	}
}

// TestGapInOrder holds that a gap stays behind the records that were in flight
// when it began, also when the sink takes only some of them.
func TestGapInOrder(t *testing.T) {
	q := newQueue("gap", 3)
	for i := 1; i <= 3; i++ {
		q.Push([]*record.Record{{Epoch: "e", Sequence: uint64(i)}})
	}
	q.Take(2)
	q.Push([]*record.Record{{Epoch: "e", Sequence: 4}}) // drops the third
	q.Take(10)                                          // the same again: the gap is behind them
	q.Settle(1)
	got := make([]string, 0, 3)
	for range 3 {
		r := q.Take(10)[0]
		got = append(got, fmt.Sprint(r.Phase, " ", r.Sequence))
		q.Settle(1)
	}
	if want := []string{"first 2", "lost 0", "first 4"}; !slices.Equal(got, want) {
		t.Errorf("Got queue %q, want %q", got, want)
	}
}

// TestQueueBytes holds that large records, which an attacker can cause, take no
// more memory than there is for them.
func TestQueueBytes(t *testing.T) {
	q := NewQueue("large")
	before := value(t, sinkLost.WithLabelValues("large", "queue_full"))
	q.most = 1 << 20
	large := func(i int) *record.Record {
		return &record.Record{Epoch: "e", Sequence: uint64(i), Samples: []string{strings.Repeat("x", 64<<10)}}
	}
	for i := 1; i <= 100; i++ {
		q.Push([]*record.Record{large(i)})
		if q.bytes > q.most {
			t.Fatalf("Got %d bytes in the queue, want %d at most", q.bytes, q.most)
		}
	}
	n, _ := q.Backlog()
	if lost := value(t, sinkLost.WithLabelValues("large", "queue_full")) - before; n > 17 || n < 10 || int(lost)+n-1 != 100 {
		t.Errorf("Got %d records and %v lost, want all of them counted", n, lost)
	}
	for n > 0 {
		q.Settle(len(q.Take(3)))
		n, _ = q.Backlog()
	}
	if q.bytes != 0 {
		t.Errorf("Got %d bytes in an empty queue", q.bytes)
	}
}
