package alert

import (
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// queueLimit is the number of records that wait in memory for one sink. All
// groups of a full table may end at the same time.
const queueLimit = 2 * maxGroups

// source is where a runner gets its sink's records from, in order.
type source interface {
	// take returns up to n of the oldest records; they stay in the source
	// until they are settled. The next call begins at the same record.
	take(n int) []*Record
	// settle removes the n oldest records, which were taken.
	settle(n int)
	// ready gets a value when take may have more to return.
	ready() <-chan struct{}
	// backlog is the number of records, and the time of the oldest.
	backlog() (int, time.Time)
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

func (q *queue) take(n int) []*Record {
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

func (q *queue) settle(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.items[:n])
	q.items = q.items[n:]
	q.flight -= n // the rest is before the gap
	if len(q.items) == 0 {
		q.items = nil
	}
}

func (q *queue) ready() <-chan struct{} { return q.signal }

func (q *queue) backlog() (int, time.Time) {
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
