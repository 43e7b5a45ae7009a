package spool

import (
	"maps"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool/sequence"
)

// cursorGrace is how long a cursor holds records for a sink that nobody has
// opened: a reload, or the start of another server block, may do so.
const cursorGrace = 10 * time.Minute

// What a commit changes in memory is changed at once, under the lock, and changed
// back where the commit fails.

// snapshot is what changes back.
type snapshot struct {
	stored  series
	numbers sequence.Numbers
	cursors map[*Cursor]cursorSnapshot
}

type cursorSnapshot struct {
	next  uint64
	state cursorState
}

func (s *Spool) snapshot() snapshot {
	snap := snapshot{stored: s.stored, numbers: s.numbers, cursors: make(map[*Cursor]cursorSnapshot, len(s.cursors))}
	for _, c := range s.cursors {
		snap.cursors[c] = cursorSnapshot{c.next, c.state}
	}
	return snap
}

func (s *Spool) restore(snap snapshot) {
	s.stored, s.numbers = snap.stored, snap.numbers
	for c, was := range snap.cursors {
		c.next, c.state, c.trimmed, c.damaged, c.gaps, c.left, c.leftNew = was.next, was.state, 0, 0, 0, 0, 0
	}
}

// holds reports whether records are kept for a sink.
func (c *Cursor) holds(now time.Time) bool {
	return c.attached > 0 || c.successor != nil || !c.spent && now.Sub(c.detached) < cursorGrace
}

// trim gives up the records that every sink has had, and where there are still too
// many, the oldest segments. It returns the position from which on records are
// needed. All parts of a commit get one time: a cursor that nobody holds any longer
// when it has ended was held when it began.
func (s *Spool) trim(now time.Time) uint64 {
	needed := s.stored.to
	for _, c := range s.cursors {
		if c.holds(now) {
			needed = min(needed, c.state.Next)
		} else {
			c.left, c.leftNew = c.waiting(), c.uncounted()
		}
	}
	if now.Before(s.doubt) { // a destination whose cursor was lost may come
		needed = min(needed, s.stored.from)
	}
	oldest := s.disk.Oldest(s.limit.Load())
	if from := max(s.stored.from, needed); from < oldest {
		s.drop(series{from, oldest}, now)
	}
	s.stored.from = max(s.stored.from, needed, oldest)
	for _, c := range s.cursors {
		c.skip(s.stored.from)
	}
	return s.stored.from
}

// drop notes records as lost to the sinks that have not received them. A damaged one
// has been lost before: there may even be room.
func (s *Spool) drop(positions series, now time.Time) {
	for at := positions.from; at < positions.to; at++ {
		r, err := s.record(at)
		for _, c := range s.cursors {
			if !c.holds(now) || at < c.next || at >= c.end() {
				continue
			}
			switch {
			case r != nil:
				c.trimmed++
				c.widen(r, "spool_full")
			case err != nil: // the disk does not give it
				c.trimmed++
				c.miss(series{at, at + 1}, "spool_full")
			default:
				c.damaged++
				c.miss(series{at, at + 1}, "spool_corrupt")
			}
		}
	}
}

// skip moves c behind records that no longer exist.
func (c *Cursor) skip(from uint64) {
	if c.next < from {
		c.next = from
		c.dirty = true
	}
	if len(c.flight) == 0 || c.flight[0] == c.state.Gap && len(c.flight) == 1 {
		c.state.Next = c.next
	}
}

// settleTrim counts what a commit that succeeded has lost.
func (s *Spool) settleTrim(now time.Time) {
	for _, c := range s.cursors {
		if c.trimmed+c.damaged > 0 {
			s.count.Lost(c.name, "spool_full", c.trimmed)
			s.count.Lost(c.name, "spool_corrupt", c.damaged)
			c.trimmed, c.damaged = 0, 0
			c.countGaps()
			c.wake()
		}
		c.dirty = false
		if c.left > 0 {
			log.Warningf("spool %s: dropped %d alerts for %s, which is no longer configured", s.dir, c.left, c.name)
			s.count.Lost(c.name, "unconfigured", c.left)
			c.records(c.leftNew)
			c.left, c.leftNew = 0, 0
		}
	}
	maps.DeleteFunc(s.cursors, func(_ string, c *Cursor) bool { return !c.holds(now) })
}

func (s *Spool) cursorsDirty() bool {
	now := time.Now()
	for _, c := range s.cursors {
		if c.dirty || !c.holds(now) {
			return true
		}
	}
	return false
}

// putCursors adds how far the sinks are to keys. Those that nobody has opened for
// long go.
func (s *Spool) putCursors(keys States, now time.Time) {
	for key, c := range s.cursors {
		if !c.holds(now) {
			keys[cursorKey(key)] = nil
		} else if c.dirty {
			keys[cursorKey(key)] = mustMarshal(c.state)
		}
	}
}
