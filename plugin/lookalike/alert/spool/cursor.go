package spool

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// Cursor is the position of one sink in a spool. It is the sink's source; the
// store's lock guards it.
type Cursor struct {
	spool    *Spool
	key      string
	name     string // of the destination, for metrics
	attached int    // runners, one at most
	detached time.Time
	signal   chan struct{}
	counted  uint64 // position up to which records are in the sink's counter
	known    bool   // counted says so; false: of a cursor that another process made

	next   uint64           // position of the first record that is not in flight
	flight []*record.Record // taken and not settled
	state  cursorState
	dirty  bool // state is not on disk

	predecessor *Cursor // whose rest this one delivers; its records come first
	successor   *Cursor // which has this one as predecessor
	spent       bool    // the successor has delivered all

	bad     unreadable
	last    atomic.Pointer[backlog] // as it was last asked for
	trimmed int                     // records that the commit at hand drops
	damaged int                     // likewise, and they were damaged
	left    int                     // records that the commit at hand gives up
	leftNew int                     // of them, those that are not in the sink's counter
	gaps    int                     // gaps that are begun and not counted as records
}

// cursorState is what the disk has of a cursor.
type cursorState struct {
	Next uint64         // position of the first record that is not settled
	Gap  *record.Record // what was dropped before it, and the sink was not told of
	Then *record.Record // what was dropped while it was being told of Gap

	First uint64 // position that the cursor began at
	End   uint64 // position that a successor goes on at; 0: none has come
}

// migrateAfter is how long a cursor waits for its own destination. After it,
// another one of the same address and format may take over its records.
const migrateAfter = 10 * time.Second

// withoutOptions is the part of a cursor's key before the options.
func withoutOptions(key string) string {
	name, rest, _ := strings.Cut(key, " ")
	format, _, _ := strings.Cut(rest, " ")
	return name + " " + format
}

// newCursor makes a cursor that nobody has opened. The key begins with the
// destination's name.
func newCursor(s *Spool, key string) *Cursor {
	name, _, _ := strings.Cut(key, " ")
	c := &Cursor{spool: s, key: key, name: name, detached: time.Now(), signal: make(chan struct{}, 1)}
	c.last.Store(new(backlog))
	return c
}

// Attach returns the source of a destination. A new one begins with the next
// record, or where lines of the state were lost, so that it may not be new, with the
// oldest: twice rather than never. One that is known goes on where it was. The key begins with the
// destination's address and format, and a space after each; what follows are
// its options. The name is for messages and metrics. It returns nil where the disk
// does not answer.
func (s *Spool) Attach(key, name string) *Cursor {
	if !s.mu.within(patience) {
		return nil
	}
	defer s.mu.Unlock()
	c, ok := s.cursors[key]
	if !ok {
		c = newCursor(s, key)
		if c.next, c.dirty = s.end(), true; time.Now().Before(s.doubt) {
			c.next = s.stored.from
		}
		c.state.Next, c.state.First = c.next, c.next
		s.cursors[key] = c
	}
	if c.successor != nil { // its own destination is back
		c.successor.predecessor = nil
		c.release()
	}
	c.name, c.attached, c.spent = name, 1, false
	c.records(c.uncounted())
	c.noteCounted()
	c.wake()
	return c
}

// counted is how far the cursors of this process, by epoch and key, are in the
// counters of their sinks: a spool may be closed and opened again.
var counted = struct {
	sync.Mutex
	upTo map[string]uint64
}{upTo: make(map[string]uint64)}

// uncounted is the number of records that wait and are not in the sink's
// counter.
func (c *Cursor) uncounted() int {
	if !c.known {
		counted.Lock()
		c.counted, c.known = counted.upTo[c.spool.numbers.Epoch+c.key]
		counted.Unlock()
	}
	if !c.known {
		return c.waiting()
	}
	from := max(c.counted, c.next)
	return int(max(c.end(), from) - from) //nolint:gosec // a store has not so many
}

// noteCounted notes that all records are in the sink's counter.
func (c *Cursor) noteCounted() {
	c.counted, c.known = c.spool.end(), true
	counted.Lock()
	counted.upTo[c.spool.numbers.Epoch+c.key] = c.counted
	counted.Unlock()
}

// Release keeps the cursor for another run, or for who attaches next.
func (c *Cursor) Release() {
	c.spool.mu.Lock()
	defer c.spool.mu.Unlock()
	if c.predecessor != nil {
		c.predecessor.release()
		c.predecessor = nil
	}
	c.release()
}

// release lets the records in flight go back to the disk. Those that it has no
// longer, since there was no room, are lost.
func (c *Cursor) release() {
	flight, at := c.flight, c.state.Next
	c.attached, c.successor, c.detached = 0, nil, time.Now()
	c.next, c.flight = c.state.Next, nil
	for _, r := range flight {
		if r == c.state.Gap {
			continue
		}
		if at < c.spool.stored.from {
			c.lose(r, "shutdown")
		}
		at++
	}
	c.skip(c.spool.stored.from)
}

// migrate looks for a cursor of the same address and format that nobody has
// opened: the options of the destination have changed, and what waited for it
// is still wanted. From where c begins, c has the records itself.
func (c *Cursor) migrate(now time.Time) {
	for _, other := range c.spool.cursors {
		if c.predecessor != nil || other == c || other.attached > 0 || other.successor != nil || other.spent ||
			withoutOptions(other.key) != withoutOptions(c.key) || now.Sub(other.detached) < migrateAfter {
			continue
		}
		if other.state.End == 0 || other.state.End > c.state.First {
			other.state.End = max(c.state.First, other.state.Next)
		}
		other.successor, other.dirty = c, true
		other.records(other.uncounted())
		other.noteCounted()
		c.predecessor = other
	}
}

// shift moves c by n positions.
func (c *Cursor) shift(n uint64) {
	c.next += n
	c.counted += n
	c.state.Next += n
	c.state.First += n
	if c.state.End != 0 {
		c.state.End += n
	}
	c.dirty = c.dirty || n > 0
}

// before marks the key of a cursor that was read when another of the same
// destination had begun already.
const before = " (before)"

// follow makes c deliver the rest of one of the same destination, of which the
// disk could tell only now.
func (c *Cursor) follow(earlier *Cursor) {
	earlier.name = c.name
	earlier.state.End = c.state.First
	earlier.records(earlier.uncounted()) // which goes by the key
	earlier.key += before
	earlier.noteCounted()
	earlier.dirty = true
	if c.predecessor == nil {
		earlier.successor, c.predecessor = c, earlier
	}
	c.wake()
}

// end is the position behind the last record that c is to have.
func (c *Cursor) end() uint64 {
	if c.state.End != 0 {
		return min(c.state.End, c.spool.end())
	}
	return c.spool.end()
}

// records counts records that are meant for the sink.
func (c *Cursor) records(n int) { c.spool.count.Meant(c.name, n) }

func (c *Cursor) wake() {
	select {
	case c.signal <- struct{}{}:
	default:
	}
}

// Durable reports that what is not settled stays, on disk.
func (*Cursor) Durable() bool { return true }

// Ready gets a value when Take may have more to return.
func (c *Cursor) Ready() <-chan struct{} { return c.signal }

// Take returns the records in flight, or the next n.
func (c *Cursor) Take(n int) []*record.Record {
	c.spool.mu.Lock()
	defer c.spool.mu.Unlock()
	if len(c.flight) > 0 {
		return c.fetch(n)
	}
	c.migrate(time.Now())
	if c.predecessor != nil {
		if records := c.predecessor.fetch(n); len(records) > 0 {
			return records
		}
		if c.predecessor.waiting() == 0 {
			c.predecessor.spent, c.predecessor.successor = true, nil
			c.predecessor = nil
		}
	}
	return c.fetch(n)
}

// fetch is take for one cursor. The lock is held.
func (c *Cursor) fetch(n int) []*record.Record {
	s := c.spool
	if len(c.flight) > 0 {
		return slices.Clone(c.flight[:min(n, len(c.flight))])
	}
	if c.state.Gap != nil {
		c.flight = append(c.flight, c.state.Gap)
		return []*record.Record{c.state.Gap}
	}
	if c.next < min(s.stored.to, c.end()) {
		if !c.read(n) {
			return slices.Clone(c.flight) // c is awake: there may be more
		}
		if len(c.flight) == 0 && c.state.Gap != nil {
			return c.fetch(n)
		}
	}
	if room := n - len(c.flight); room > 0 && c.next >= s.stored.to && len(s.tail) > 0 {
		more := s.tail[min(c.next-s.stored.to, uint64(len(s.tail))):]
		more = more[:min(room, len(more), int(max(c.end(), c.next)-c.next))] //nolint:gosec // a store has not so many
		c.flight = append(c.flight, more...)
		c.next += uint64(len(more))
	}
	return slices.Clone(c.flight)
}

// read takes up to n records from the disk, and reports whether the disk gave all
// that it was asked for. Records that are damaged or missing are lost: the sink is told so
// before it gets what follows them.
func (c *Cursor) read(n int) bool {
	s := c.spool
	defer s.watch()()
	missing, end, err := series{c.next, c.next}, min(s.stored.to, c.end()), error(nil)
	for ; c.next < end && len(c.flight) < n; c.next++ {
		var r *record.Record
		r, err = c.retry()
		if err != nil || r == nil && len(c.flight) > 0 || r != nil && missing.from < missing.to {
			break // what is before it comes first
		}
		if r != nil {
			c.flight = append(c.flight, r)
			continue
		}
		if s.numbers.EpochAt(c.next) != s.numbers.EpochAt(missing.from) {
			break // a record that tells of a gap names the numbers of one epoch
		}
		missing.to++
	}
	c.tell(missing)
	return err == nil
}

// Settle drops the n oldest records in flight.
func (c *Cursor) Settle(n int) {
	c.spool.mu.Lock()
	defer c.spool.mu.Unlock()
	if c.predecessor != nil && len(c.predecessor.flight) > 0 {
		c = c.predecessor
	}
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

// Backlog is the number of records that are not settled, and when the oldest was
// made. While the disk does not answer, it is what it was.
func (c *Cursor) Backlog() (int, time.Time) {
	if !c.spool.mu.within(briefly) {
		b := c.last.Load()
		return b.n, b.oldest
	}
	defer c.spool.mu.Unlock()
	var b backlog
	b.n, b.oldest = c.count()
	if c.predecessor != nil {
		if before, at := c.predecessor.count(); before > 0 {
			b = backlog{b.n + before, at}
		}
	}
	c.last.Store(&b)
	return b.n, b.oldest
}

// backlog is what Backlog returns.
type backlog struct {
	n      int
	oldest time.Time
}

// waiting is the number of records that are not settled.
func (c *Cursor) waiting() int {
	n := int(max(c.end(), c.next)-c.next) + len(c.flight) //nolint:gosec // a store has not so many
	if c.state.Gap != nil && (len(c.flight) == 0 || c.flight[0] != c.state.Gap) {
		n++
	}
	if c.state.Then != nil {
		n++
	}
	return n
}

func (c *Cursor) count() (int, time.Time) {
	s := c.spool
	n := c.waiting()
	if n <= 0 {
		return 0, time.Time{}
	}
	if len(c.flight) > 0 {
		return n, c.flight[0].Created
	}
	if c.next >= s.stored.to && c.next < s.end() {
		return n, s.tail[c.next-s.stored.to].Created
	}
	defer s.watch()()
	if r, err := s.record(c.next); err == nil && r != nil {
		return n, r.Created
	}
	return n, time.Now()
}
