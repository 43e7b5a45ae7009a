package spool

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// A destination waits for a record that the disk fails to give, but not for ever:
// where the disk works and only that record cannot be read, it is lost like a
// damaged line.
const (
	readTries = 5
	readPause = 4 * time.Second // between two of them, at least
)

// unreadable is a record that the disk fails to give.
type unreadable struct {
	at      uint64 // its position; 0: there is none
	tries   int
	again   time.Time // when to try next
	commits uint64    // of the spool, when this began
}

var errPause = errors.New("it is too early to read the record again")

// retry reads the next record; nil: it is lost. An error means to wait.
func (c *Cursor) retry() (*record.Record, error) {
	s, now := c.spool, time.Now()
	if c.bad.at == c.next && now.Before(c.bad.again) {
		return nil, errPause
	}
	r, err := s.record(c.next)
	if err == nil {
		return r, nil
	}
	switch neighbour := c.bad.at > 0 && c.bad.at == c.next-1; {
	case s.bad != nil: // the disk takes nothing either: tries begin when it does
		c.bad = unreadable{at: c.next, commits: s.commits}
	case c.bad.at == c.next:
	case neighbour: // on one bad spot: the first was tried enough
		c.bad = unreadable{at: c.next, tries: readTries - 1, commits: s.commits}
	default:
		log.Errorf("spool %s: reading an alert for %s failed, trying again: %v", s.dir, c.name, err)
		c.bad = unreadable{at: c.next, commits: s.commits}
	}
	c.bad.tries++
	c.bad.again = now.Add(readPause)
	c.dirty = true // has the next checkpoint find out whether the disk works
	if c.bad.tries < readTries || c.bad.commits == s.commits {
		return nil, err
	}
	return nil, nil
}

// record reads the record at a position; nil: it is damaged or missing.
func (s *Spool) record(position uint64) (*record.Record, error) {
	if s.disk == nil {
		return nil, nil
	}
	line, err := s.disk.Record(position)
	if err != nil || line == nil {
		return nil, err
	}
	r := new(record.Record)
	if err := json.Unmarshal(line, r); err != nil {
		log.Errorf("spool %s: an alert is unreadable: %v", s.dir, err)
		return nil, nil
	}
	return r, nil
}

// tell has the sink told of records that are damaged or missing.
func (c *Cursor) tell(missing series) {
	lost := int(missing.to - missing.from) //nolint:gosec // a spool has not so many
	if lost == 0 {
		return
	}
	s := c.spool
	log.Errorf("spool %s: %d alerts are damaged or missing, telling %s which", s.dir, lost, c.name)
	s.count.Lost(c.name, "spool_corrupt", lost)
	c.miss(missing, "spool_corrupt")
	c.countGaps()
	c.state.Next = c.next
}

// lose notes a record that the sink will not get.
func (c *Cursor) lose(r *record.Record, reason string) {
	c.spool.count.Lost(c.name, reason, 1)
	c.widen(r, reason)
	c.countGaps()
	c.wake()
}

// countGaps counts the records that tell of gaps.
func (c *Cursor) countGaps() {
	c.records(c.gaps)
	c.gaps = 0
}

// widen adds a record to the gap that the sink is to be told of.
func (c *Cursor) widen(r *record.Record, reason string) { c.widenBy(r.Gap(reason), r) }

// miss adds unreadable records to the gap that the sink must be told of. Their
// numbers are known, what they counted is not.
func (c *Cursor) miss(positions series, reason string) {
	s, now := c.spool, time.Now()
	s.numbers.Each(positions.from, positions.to, func(epoch string, from, to uint64) {
		like := &record.Record{Epoch: epoch, Start: now, End: now, Sensor: s.sensor, Version: s.version}
		c.widenBy(record.Gap{Epoch: epoch, From: from, To: to, Records: to - from + 1, Reason: reason}, like)
	})
}

// widenBy adds a run of records to the gap that the sink is to be told of. A gap
// that is in flight, or in a snapshot, is not changed.
func (c *Cursor) widenBy(more record.Gap, like *record.Record) {
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
	*gap = record.Widen(*gap, more, like)
	c.dirty = true
}
