package deliver

import (
	"slices"
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
// is neither in flight nor urgent, and one that is urgent only where there is no
// other. One record tells of all that was dropped, behind those in flight.
type Queue struct {
	dest   string
	limit  int
	most   int // bytes
	count  Counters
	signal chan struct{}

	mu     sync.Mutex
	flight []*record.Record // taken and not settled
	urgent fifo             // the rest: of each, what is in flight came first
	other  fifo
	pushed uint64         // records, ever
	bytes  int            // of all records
	gap    *record.Record // what was dropped behind the records in flight
}

// fifo has records in their order. Each step takes the same time, however many
// there are.
type fifo []queued

type queued struct {
	*record.Record
	place uint64 // among all that were pushed
}

func (f *fifo) pop() *record.Record {
	r := (*f)[0].Record
	(*f)[0].Record = nil
	if *f = (*f)[1:]; len(*f) == 0 {
		*f = nil
	}
	return r
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
		list := &q.other
		if r.Urgent() {
			list = &q.urgent
		}
		q.pushed++
		*list = append(*list, queued{r, q.pushed})
		q.bytes += r.Size()
		for (q.len() > q.limit || q.bytes > q.most) && len(q.urgent)+len(q.other) > 1 {
			q.drop()
		}
	}
	q.mu.Unlock()
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

// len is the number of records, but for the one that tells of a gap.
func (q *Queue) len() int { return len(q.flight) + len(q.urgent) + len(q.other) }

// drop drops a record that is not in flight.
func (q *Queue) drop() {
	list := &q.other
	if len(q.other) == 0 {
		list = &q.urgent
	}
	r := list.pop()
	q.bytes -= r.Size()
	q.count.Lost(q.dest, QueueFull, 1)
	if q.gap == nil {
		q.count.Meant(q.dest, 1) // the record that tells of it
	}
	q.gap = record.Widen(q.gap, r.Gap(QueueFull), r)
}

// oldest is the list whose first record is the oldest that is not in flight.
func (q *Queue) oldest() *fifo {
	if len(q.other) == 0 || len(q.urgent) > 0 && q.urgent[0].place < q.other[0].place {
		return &q.urgent
	}
	return &q.other
}

// Take implements Source.
func (q *Queue) Take(n int) []*record.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gap != nil && len(q.flight) == 0 {
		q.flight = append(q.flight, q.gap)
		q.bytes += q.gap.Size()
		q.gap = nil
	}
	for q.gap == nil && len(q.flight) < min(n, q.len()) {
		q.flight = append(q.flight, q.oldest().pop())
	}
	return slices.Clone(q.flight)
}

// Settle implements Source.
func (q *Queue) Settle(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.flight[:n] {
		q.bytes -= r.Size()
	}
	clear(q.flight[:n])
	if q.flight = q.flight[n:]; len(q.flight) == 0 {
		q.flight = nil
	}
}

// Ready implements Source.
func (q *Queue) Ready() <-chan struct{} { return q.signal }

// Backlog implements Source.
func (q *Queue) Backlog() (int, time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.len() == 0 {
		return 0, time.Time{}
	}
	n := q.len()
	if q.gap != nil {
		n++
	}
	if len(q.flight) > 0 {
		return n, q.flight[0].Created
	}
	return n, (*q.oldest())[0].Created
}

// Durable implements Source: what is in memory ends with the process.
func (*Queue) Durable() bool { return false }

// Release implements Source.
func (*Queue) Release() {}
