package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// broken notes that the file could not be read or written. One that is corrupt
// is given up, however far bbolt has come in it; broken reports whether a new
// one may be begun.
func (s *Spool) broken(err error) bool {
	s.fail(err)
	if s.db == nil || !corrupt(err) {
		return false
	}
	if e := s.setAside(err); e != nil {
		s.fail(e)
		return false
	}
	return true
}

// setAside gives the file up: it is renamed, and the next open makes a new
// one. What sinks had still to get from it is lost to them, and they are told.
func (s *Spool) setAside(why error) error {
	path := s.path()
	there := s.file == nil || !astray(s.file, path) // else it is another one
	s.abandon()
	what := "is no longer in its place"
	if there {
		aside := asideName(path, "corrupt")
		if err := os.Rename(path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		what = "is set aside as " + aside
	}
	log.Errorf("The alert spool is corrupt (%v): it %s, alerts in it that were not delivered are lost, and a new one is begun", why, what)
	s.forfeit("spool_corrupt")
	return nil
}

// asideName is what a file is called that has to make room, and why it had to.
func asideName(path, why string) string {
	return fmt.Sprintf("%s.%s-%s", path, why, time.Now().UTC().Format("20060102T150405.000"))
}

// abandon lets go of a file that bbolt has panicked in. It may have done so with
// its locks held, which nobody releases any more: whoever closes it then waits
// for ever, and must not do so with the store's lock.
func (s *Spool) abandon() {
	if s.db != nil {
		go closeAbandoned(s.db, s.file)
	}
	s.db, s.file, s.readOnly, s.astray = nil, nil, false, nil
}

// closeAbandoned is a goroutine that alone has a file, and that nobody waits
// for. Where bbolt's locks are held it stays, and with it the file's descriptor
// and memory map: once for each time that a file was found to be corrupt. The
// file itself is unlocked in any case, since it may be opened again.
func closeAbandoned(db *bbolt.DB, file *os.File) {
	unlock(file)
	_ = guard(db.Close)
}

// forfeit gives up the records that the file had.
func (s *Spool) forfeit(reason string) {
	for _, c := range s.cursors {
		c.forfeit(reason)
	}
	s.stored.from, s.bytes = s.stored.to, 0
	s.files++ // what it had of groups, the pipelines have as well
}

// forfeit counts what c had still to get from the file as lost, and tells the
// sink. Which numbers the records had is known up to those of a disk that was
// bad, what they counted is not.
func (c *Cursor) forfeit(reason string) {
	s := c.store
	if end := min(c.end(), s.stored.to); c.next < end {
		if c.attached == 0 && c.heir == nil { // else they have been counted
			c.records(c.uncounted())
			c.noteCounted()
		}
		n := end - c.next
		s.count.Lost(c.name, reason, int(n)) //nolint:gosec // a spool has not so many
		last := s.sequence - min(s.stored.to-end, s.sequence)
		like := &record.Record{Epoch: s.epoch, Start: time.Now(), End: time.Now(), Sensor: s.sensor, Version: s.version}
		c.widenBy(record.Gap{Epoch: s.epoch, From: last - min(n, last) + 1, To: last, Records: n, Reason: reason}, like)
		c.countGaps()
	}
	c.skip(s.stored.to)
	c.dirty = true
	c.wake()
}
