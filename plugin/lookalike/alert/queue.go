package alert

import (
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// queueLimit is the number of records that wait in memory for one sink. All
// groups of a full table, which has half as many, may end at the same time.
const queueLimit = 32768

// source is where a runner gets its sink's records from, in order.
type source interface {
	// Take returns up to n of the oldest records; they stay in the source
	// until they are settled. The next call begins at the same record.
	Take(n int) []*Record
	// Settle removes the n oldest records, which were taken.
	Settle(n int)
	// Ready gets a value when Take may have more to return.
	Ready() <-chan struct{}
	// Backlog is the number of records, and the time of the oldest.
	Backlog() (int, time.Time)
	// Durable reports whether records that are not settled outlast the process.
	Durable() bool
	// Release ends the use of the source. Records that are not settled stay in
	// it, where it is durable.
	Release()
}

// queue is a source in memory. When it is full the oldest record that is not
// in flight is dropped, and a record that tells so takes its place.
type queue struct {
	mu     sync.Mutex
	items  []*Record
	flight int     // of items, from the front, taken and not settled
	gap    *Record // what was dropped behind the records in flight
	limit  int
	signal chan struct{}
	lose   func() // told of each dropped record; called with mu held
	tell   func() // told of each gap that is begun; called with mu held
}

func newQueue(limit int, lose, tell func()) *queue {
	return &queue{limit: limit, lose: lose, tell: tell, signal: make(chan struct{}, 1)}
}

// push adds records and never waits.
func (q *queue) push(records []*Record) {
	q.mu.Lock()
	for _, r := range records {
		if len(q.items) >= q.limit && q.flight < len(q.items) {
			q.drop()
		}
		q.items = append(q.items, r)
	}
	q.mu.Unlock()
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

// drop drops the oldest record that is not in flight.
func (q *queue) drop() {
	r := q.items[q.flight]
	q.items = append(q.items[:q.flight], q.items[q.flight+1:]...)
	q.lose()
	if q.gap == nil {
		q.tell()
	}
	q.gap = record.Widen(q.gap, r.Gap("queue_full"), r)
}

func (q *queue) Take(n int) []*Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gap != nil && q.flight == 0 {
		q.items = append([]*Record{q.gap}, q.items...)
		q.gap = nil
	}
	if q.gap == nil {
		q.flight = min(max(n, q.flight), len(q.items))
	}
	return append([]*Record(nil), q.items[:q.flight]...)
}

func (q *queue) Settle(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.items[:n])
	q.items = q.items[n:]
	q.flight -= n // the rest is before the gap
	if len(q.items) == 0 {
		q.items = nil
	}
}

// Durable reports false.
func (*queue) Durable() bool { return false }

// Release does nothing.
func (*queue) Release() {}

func (q *queue) Ready() <-chan struct{} { return q.signal }

func (q *queue) Backlog() (int, time.Time) {
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
