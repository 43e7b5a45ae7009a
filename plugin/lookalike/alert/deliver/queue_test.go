package deliver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
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
