package alert

import (
	"time"

	"go.etcd.io/bbolt"
)

// cursor is how far one sink is in a store. It is the sink's source; the
// store's lock guards it.
type cursor struct {
	store    *store
	key      string
	name     string // of the destination, for metrics
	attached int    // runners, one at most
	detached time.Time
	signal   chan struct{}

	next   uint64    // position of the first record that is not in flight
	flight []*Record // taken and not settled
	state  cursorState
	dirty  bool // state is not in the file

	trimmed int // records that the transaction at hand drops
	gaps    int // gaps that are begun and not counted as records
}

// cursorState is what the file has of a cursor.
type cursorState struct {
	Next uint64  // position of the first record that is not settled
	Gap  *Record // what was dropped before it, and the sink was not told of
	Then *Record // what was dropped while it was being told of Gap
}

// attach returns the source of a destination. A new one begins with the next
// record; one that is known goes on where it was.
func (s *store) attach(dest Destination) *cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.cursors[dest.key]
	if !ok {
		c = &cursor{store: s, key: dest.key, next: s.end(), signal: make(chan struct{}, 1), dirty: true}
		c.state.Next = c.next
		s.cursors[dest.key] = c
	}
	c.name, c.attached = dest.name, 1
	n, _ := c.count()
	c.records(n)
	c.wake()
	return c
}

// detach keeps the cursor for another run.
func (c *cursor) detach() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.attached, c.detached = 0, time.Now()
	c.next, c.flight = c.state.Next, nil
	c.skip(c.store.stored.from)
}

// records counts records that are meant for the sink.
func (c *cursor) records(n int) { sinkRecords.WithLabelValues(c.name).Add(float64(n)) }

func (c *cursor) wake() {
	select {
	case c.signal <- struct{}{}:
	default:
	}
}

func (c *cursor) ready() <-chan struct{} { return c.signal }

// take returns the records in flight, or the next n.
func (c *cursor) take(n int) []*Record {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(c.flight) > 0 {
		return append([]*Record(nil), c.flight[:min(n, len(c.flight))]...)
	}
	if c.state.Gap != nil {
		c.flight = append(c.flight, c.state.Gap)
		return []*Record{c.state.Gap}
	}
	if c.next < s.stored.to {
		if err := guard(func() error { return s.db.View(func(tx *bbolt.Tx) error { return c.read(tx, n) }) }); err != nil {
			s.fail(err)
			return nil
		}
	}
	if room := n - len(c.flight); room > 0 && c.next >= s.stored.to && len(s.tail) > 0 {
		more := s.tail[min(c.next-s.stored.to, uint64(len(s.tail))):]
		more = more[:min(room, len(more))]
		c.flight = append(c.flight, more...)
		c.next += uint64(len(more))
	}
	return append([]*Record(nil), c.flight...)
}

// read takes up to n records from the file.
func (c *cursor) read(tx *bbolt.Tx, n int) error {
	at := tx.Bucket(recordBucket).Cursor()
	for k, v := at.Seek(position(c.next)); k != nil && len(c.flight) < n; k, v = at.Next() {
		r, err := decodeRecord(v)
		if err != nil {
			log.Errorf("An alert in the spool cannot be read: %v", err)
			r = &Record{Phase: Lost, ID: newID(), Created: time.Now(), Lost: &Gap{Records: 1, Reason: "unreadable"}}
		}
		c.flight = append(c.flight, r)
		c.next++
	}
	return nil
}

// settle drops the n oldest records in flight.
func (c *cursor) settle(n int) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	n = min(n, len(c.flight)) // none, if detached while the sink was stuck
	for _, r := range c.flight[:n] {
		if r == c.state.Gap {
			c.state.Gap, c.state.Then = c.state.Then, nil
		} else {
			c.state.Next++
		}
	}
	if c.flight = c.flight[n:]; len(c.flight) == 0 {
		c.flight, c.state.Next = nil, c.next // records may be gone behind those in flight
	}
	c.dirty = true
}

// backlog is the number of records that are not settled.
func (c *cursor) backlog() (int, time.Time) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	n, oldest := c.count()
	return n, oldest
}

func (c *cursor) count() (int, time.Time) {
	s := c.store
	n := int(s.end()-c.next) + len(c.flight) //nolint:gosec // a store has not so many
	if c.state.Gap != nil && (len(c.flight) == 0 || c.flight[0] != c.state.Gap) {
		n++
	}
	if c.state.Then != nil {
		n++
	}
	if n <= 0 {
		return 0, time.Time{}
	}
	if len(c.flight) > 0 {
		return n, c.flight[0].Created
	}
	if c.next >= s.stored.to && c.next < s.end() {
		return n, s.tail[c.next-s.stored.to].Created
	}
	var oldest time.Time
	if s.db != nil {
		_ = guard(func() error {
			return s.db.View(func(tx *bbolt.Tx) error {
				r, err := decodeRecord(tx.Bucket(recordBucket).Get(position(c.next)))
				if err == nil {
					oldest = r.Created
				}
				return err
			})
		})
	}
	return n, oldest
}

// lose notes a record that the sink will not get.
func (c *cursor) lose(r *Record, reason string) {
	sinkLost.WithLabelValues(c.name, reason).Inc()
	c.widen(r, reason)
	c.countGaps()
	c.wake()
}

// countGaps counts the records that tell of gaps.
func (c *cursor) countGaps() {
	c.records(c.gaps)
	c.gaps = 0
}

// widen adds a record to the gap that the sink is to be told of. A gap that is
// in flight, or in a snapshot, is not changed.
func (c *cursor) widen(r *Record, reason string) {
	gap := &c.state.Gap
	if len(c.flight) > 0 && c.flight[0] == c.state.Gap {
		gap = &c.state.Then
	}
	if *gap == nil {
		c.gaps++
	} else {
		told, numbers := **gap, *(*gap).Lost
		told.Lost = &numbers
		*gap = &told
	}
	*gap = widen(*gap, r.Epoch, r.Sequence, r.Sequence, 1, r.Count, r)
	(*gap).Lost.Reason = reason
	c.dirty = true
}
