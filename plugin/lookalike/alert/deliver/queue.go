package deliver

import (
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// The limits of one sink's queue in memory. All groups may end at the same
// time, so it has room for twice as many records as there are groups.
const (
	QueueLimit = 32768
	QueueBytes = 64 << 20
)

// Queue is a source in memory. When it is full, it drops the oldest record that
// is not in flight, and puts a record of the loss in its place.
type Queue struct {
	dest   string
	limit  int
	most   int // bytes
	count  Counters
	signal chan struct{}

	mu     sync.Mutex
	items  []*record.Record
	bytes  int            // of items
	flight int            // of items, from the front, taken and not settled
	gap    *record.Record // what was dropped behind the records in flight
}

// NewQueue returns an empty queue. Its records are counted under the
// destination's name.
func NewQueue(dest string) *Queue {
	return &Queue{dest: dest, limit: QueueLimit, most: QueueBytes, signal: make(chan struct{}, 1)}
}

// Push adds records and never waits.
func (q *Queue) Push(records []*record.Record) {
	q.count.Meant(q.dest, len(records))
	q.mu.Lock()
	for _, r := range records {
		size := r.Size()
		for (len(q.items) >= q.limit || q.bytes+size > q.most) && q.flight < len(q.items) {
			q.drop()
		}
		q.items = append(q.items, r)
		q.bytes += size
	}
	q.mu.Unlock()
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

// drop drops the oldest record that is not in flight.
func (q *Queue) drop() {
	r := q.items[q.flight]
	q.bytes -= r.Size()
	q.items = append(q.items[:q.flight], q.items[q.flight+1:]...)
	q.count.Lost(q.dest, QueueFull, 1)
	if q.gap == nil {
		q.count.Meant(q.dest, 1) // the record that tells of it
	}
	q.gap = record.Widen(q.gap, r.Gap(QueueFull), r)
}

// Take implements Source.
func (q *Queue) Take(n int) []*record.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gap != nil && q.flight == 0 {
		q.items = append([]*record.Record{q.gap}, q.items...)
		q.bytes += q.gap.Size()
		q.gap = nil
	}
	if q.gap == nil {
		q.flight = min(max(n, q.flight), len(q.items))
	}
	return append([]*record.Record(nil), q.items[:q.flight]...)
}

// Settle implements Source.
func (q *Queue) Settle(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.items[:n] {
		q.bytes -= r.Size()
	}
	clear(q.items[:n])
	q.items = q.items[n:]
	q.flight -= n // the rest is before the gap
	if len(q.items) == 0 {
		q.items = nil
	}
}

// Ready implements Source.
func (q *Queue) Ready() <-chan struct{} { return q.signal }

// Backlog implements Source.
func (q *Queue) Backlog() (int, time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return 0, time.Time{}
	}
	n := len(q.items)
	if q.gap != nil {
		n++
	}
	return n, q.items[0].Created
}

// Durable implements Source: what is in memory ends with the process.
func (*Queue) Durable() bool { return false }

// Release implements Source.
func (*Queue) Release() {}
