package spool

import (
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// What a transaction changes in memory is changed at once, under the lock,
// and changed back where the transaction fails.

// snapshot is what changes back.
type snapshot struct {
	stored  series
	bytes   int64
	cursors map[*Cursor]cursorSnapshot
}

type cursorSnapshot struct {
	next  uint64
	state cursorState
}

func (s *Spool) snapshot() snapshot {
	snap := snapshot{stored: s.stored, bytes: s.bytes, cursors: make(map[*Cursor]cursorSnapshot, len(s.cursors))}
	for _, c := range s.cursors {
		snap.cursors[c] = cursorSnapshot{c.next, c.state}
	}
	return snap
}

func (s *Spool) restore(snap snapshot) {
	s.stored, s.bytes = snap.stored, snap.bytes
	for c, was := range snap.cursors {
		c.next, c.state, c.trimmed, c.gaps, c.left, c.leftNew = was.next, was.state, 0, 0, 0, 0
	}
}

// holds reports whether records are kept for a sink.
func (c *Cursor) holds(now time.Time) bool {
	return c.attached > 0 || c.heir != nil || !c.spent && now.Sub(c.detached) < cursorGrace
}

// trim deletes the records that every sink has had, and where there are still
// too many, the oldest.
func (s *Spool) trim(tx *bbolt.Tx) error {
	now := time.Now()
	needed := s.stored.to
	for _, c := range s.cursors {
		if c.holds(now) {
			needed = min(needed, c.state.Next)
		} else {
			c.left, c.leftNew = c.waiting(), c.uncounted()
		}
	}
	limit := int64(float64(s.limit) * fill)
	at := tx.Bucket(recordBucket).Cursor()
	for s.stored.from < s.stored.to && (s.stored.from < needed || s.bytes > limit) {
		k, v := at.First() // a cursor's Next is not to be relied on after a Delete
		if v == nil {
			return errCorrupt
		}
		if s.stored.from >= needed {
			s.lose(k, v, now)
		}
		s.bytes -= int64(len(v))
		s.stored.from++
		if err := at.Delete(); err != nil {
			return err
		}
	}
	for _, c := range s.cursors {
		c.skip(s.stored.from)
	}
	return nil
}

// lose notes the record at the beginning as lost to the sinks that have not
// had it.
func (s *Spool) lose(k, v []byte, now time.Time) {
	r, err := decodeRecord(k, v)
	if err != nil {
		r = &record.Record{}
	}
	for _, c := range s.cursors {
		if c.holds(now) && c.next <= s.stored.from && s.stored.from < c.end() {
			c.widen(r, "spool_full")
			c.trimmed++
		}
	}
}

// skip moves c behind records that are no more.
func (c *Cursor) skip(from uint64) {
	if c.next < from {
		c.next = from
		c.dirty = true
	}
	if len(c.flight) == 0 || c.flight[0] == c.state.Gap && len(c.flight) == 1 {
		c.state.Next = c.next
	}
}

// settleTrim counts what a transaction that succeeded has lost.
func (s *Spool) settleTrim() {
	now := time.Now()
	for key, c := range s.cursors {
		if c.trimmed > 0 {
			s.count.Lost(c.name, "spool_full", c.trimmed)
			c.trimmed = 0
			c.countGaps()
			c.wake()
		}
		c.dirty = false
		if c.left > 0 {
			s.count.Lost(c.name, "unconfigured", c.left)
			c.records(c.leftNew)
			c.left, c.leftNew = 0, 0
		}
		if !c.holds(now) {
			delete(s.cursors, key)
		}
	}
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

// putCursors writes how far the sinks are, and forgets those that nobody has
// opened for long.
func (s *Spool) putCursors(tx *bbolt.Tx) error {
	now := time.Now()
	b := tx.Bucket(cursorBucket)
	for key, c := range s.cursors {
		if !c.holds(now) {
			if c.left > 0 {
				log.Warningf("%d alerts that waited for %s are given up, it is no longer configured", c.left, c.name)
			}
			if err := b.Delete([]byte(key)); err != nil {
				return err
			}
			continue
		}
		if !c.dirty {
			continue
		}
		v, err := json.Marshal(c.state)
		if err != nil {
			return err
		}
		if err := b.Put([]byte(key), seal([]byte(key), v)); err != nil {
			return err
		}
	}
	return nil
}
