// Package spool keeps alerts on disk for the destinations that have not taken
// them yet, and what groups have counted that no alert has told yet. It knows
// nothing of groups: their states are bytes.
//
// On disk are two logs of lines, each with its own checksum, which cut and jq can
// read: see package journal. A damaged line costs what it has, and nothing else.
package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/internal/disk"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool/journal"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool/sequence"
)

var log = clog.NewWithPlugin("lookalike")

// Config says where a spool is.
type Config struct {
	Dir     string
	Limit   int64  // bytes that its records may take
	Sensor  string // for what sinks are told of the spool itself
	Version string
	Count   Counter
}

// Counter is told how many records a destination is meant to get, and how many
// it never will.
type Counter interface {
	Meant(dest string, n int)
	Lost(dest, reason string, n int)
}

// States are those of groups, by id; nil: the group has ended.
type States map[string]json.RawMessage

// Spool is an open spool: the records that some sink still has to get, how
// far each sink is, and what the groups have counted. It is shared by all
// pipelines that name its directory, and safe for concurrent use.
//
// While the disk takes nothing, records are kept in memory, and numbered in
// an epoch of their own, so that no number is used twice whatever happens.
type Spool struct {
	dir   string
	count Counter

	sensor, version string

	limit atomic.Int64 // bytes

	mu       lock
	disk     store  // nil while the directory cannot be opened
	stored   series // positions of the records on disk that somebody needs
	numbers  sequence.Numbers
	renumber bool             // numbers are not on disk
	tail     []*record.Record // not on disk; their positions follow
	held     States           // that came with the tail, by key
	cursors  map[string]*Cursor
	orphans  States    // groups of the last run, by key
	stale    []string  // their keys, until a commit has put the adopter's in their place
	adopter  string    // owner of the adopted groups
	givenUp  int       // how often states were lost that are to be given again
	doubt    time.Time // until then, destinations that have no cursor begin with the oldest record
	health

	fallback         string // epoch while the disk is bad
	fallbackSequence uint64
}

// store is what a spool needs of a journal.
type store interface {
	Commit(c journal.Commit) error
	Record(position uint64) (json.RawMessage, error)
	Value(key string) ([]byte, error)
	Keys() []string
	First() uint64
	End() uint64
	Oldest(limit int64) uint64
	Size(from uint64) int64
	Segment() int64
	Resize(limit int64)
	Damaged() int
	Check() (damaged bool)
	PutBack() (n int, err error)
	Close() error
}

// series is a run of positions, from up to and without to.
type series struct{ from, to uint64 }

// Keys of the state. The names of destinations may have spaces and more.
const (
	numbersKey  = "numbers"
	groupPrefix = "group/"
	cursorKind  = "cursor/"
)

func groupKey(owner, id string) string { return groupPrefix + owner + "/" + id }
func cursorKey(key string) string      { return cursorKind + url.PathEscape(key) }

// oldFile is the spool of a version before the first release.
const oldFile = "alerts.db"

func newSpool(c Config) *Spool {
	s := &Spool{
		dir: c.Dir, sensor: c.Sensor, version: c.Version, count: c.Count, mu: newLock(),
		cursors: make(map[string]*Cursor), numbers: sequence.Numbers{Epoch: record.NewID()}, stored: series{1, 1},
	}
	s.limit.Store(c.Limit)
	return s
}

// Open opens or makes the spool in a directory. A disk that is full, read-only or
// bad is waited for.
func Open(c Config) (*Spool, error) {
	s := newSpool(c)
	err := s.open()
	switch {
	case err == nil:
	case disk.MayPass(err):
		s.fail(err)
	case errors.Is(err, journal.ErrInUse):
		return nil, fmt.Errorf("spool %s: another process uses it (each server needs a directory of its own)", s.dir)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("spool: %w (let the server's user write to the directory %s)", err, s.dir)
	default:
		return nil, fmt.Errorf("spool %s: %w (the directory must exist, or the server's user must be able to make it)", s.dir, err)
	}
	return s, nil
}

// open opens the directory and takes what is in it.
func (s *Spool) open() error {
	if s.disk != nil {
		return nil
	}
	j, found, err := journal.Open(s.dir, s.limit.Load())
	if err != nil {
		return err
	}
	if j.Empty() {
		if _, err := os.Lstat(filepath.Join(s.dir, oldFile)); err == nil {
			log.Warningf("spool %s: ignoring %s, a test version wrote it", s.dir, oldFile)
		}
	}
	if found.Damaged > 0 {
		log.Errorf("spool %s: %d damaged lines are lost, destinations are told which alerts", s.dir, found.Damaged)
	}
	s.takeOver(j, found.Doubt)
	return nil
}

// takeOver continues from the contents of a journal. If it could not be opened
// at the start, there are cursors and a tail already: the tail moves behind the
// records of the journal.
func (s *Spool) takeOver(j *journal.Journal, doubt bool) {
	for _, c := range s.cursors {
		c.shift(j.End() - s.stored.to)
	}
	s.disk, s.stored = j, series{j.End(), j.End()}
	s.takeNumbers(doubt)
	if doubt {
		s.doubt = time.Now().Add(cursorGrace)
		if s.stored.from = s.numbers.Needed; s.stored.from == 0 || s.stored.from > s.stored.to {
			s.stored.from = j.First()
		}
	}
	for _, key := range j.Keys() {
		value, err := j.Value(key)
		switch escaped, isCursor := strings.CutPrefix(key, cursorKind); {
		case err != nil || value == nil: // damaged since
		case isCursor:
			if name, err := url.PathUnescape(escaped); err == nil {
				s.takeCursor(name, value)
			}
		case strings.HasPrefix(key, groupPrefix):
			if s.orphans == nil {
				s.orphans = make(States)
			}
			s.orphans[key] = value
			s.stale = append(s.stale, key)
		}
	}
}

// takeNumbers continues the numbers of the last run, unless it is unknown which
// of them were used.
func (s *Spool) takeNumbers(doubt bool) {
	var last sequence.Numbers
	value, err := s.disk.Value(numbersKey)
	if err != nil || value == nil || json.Unmarshal(value, &last) != nil {
		return
	}
	if doubt {
		last.Epoch, last.Sequence = s.numbers.Epoch, s.numbers.Sequence
	}
	s.numbers = last
}

func (s *Spool) takeCursor(key string, value []byte) {
	c := newCursor(s, key)
	if err := json.Unmarshal(value, &c.state); err != nil {
		log.Errorf("spool %s: the cursor of %s is unreadable, sending it all alerts again: %v", s.dir, c.name, err)
		return
	}
	c.state.Next = min(max(c.state.Next, 1), s.stored.to)
	c.next = c.state.Next
	s.stored.from = min(s.stored.from, c.next)
	if now := s.cursors[c.key]; now != nil {
		now.follow(c)
	}
	s.cursors[c.key] = c
}

// end is the position behind the last record.
func (s *Spool) end() uint64 { return s.stored.to + uint64(len(s.tail)) }

// Adopt returns the groups that the last run had not ended, once. From then on
// they belong to owner: the commit with owner's groups removes the old ones
// from the disk. The keys only tell the states apart, since two owners of the
// last run may have had the same group. Where the disk does not answer there are
// none yet.
func (s *Spool) Adopt(owner string) States {
	if !s.mu.within(briefly) {
		return nil
	}
	defer s.mu.Unlock()
	orphans := s.orphans
	s.orphans = nil
	if s.adopter == "" || len(orphans) > 0 {
		s.adopter = owner
	}
	return orphans
}

// adopts reports whether owner has adopted the groups of the last run, and they
// still have their old keys.
func (s *Spool) adopts(owner string) bool {
	return owner == s.adopter && len(s.orphans) == 0 && len(s.stale) > 0
}

// Append numbers records, writes them and the groups of owner that have changed
// (as they are when the records are made), and hands the records to the
// cursors. It reports whether the disk took them. If not, all is kept in
// memory, and goes with the next write.
func (s *Spool) Append(owner string, records []*record.Record, groups States) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	written := 0
	if !s.resting() {
		if written = s.commit(owner, records, groups); written == len(records) && s.bad == nil {
			return true
		}
	}
	if s.fallback == "" {
		s.fallback, s.fallbackSequence = record.NewID(), 0
	}
	for _, r := range records[written:] {
		s.fallbackSequence++
		r.Epoch, r.Sequence = s.fallback, s.fallbackSequence
	}
	s.keep(records[written:])
	if s.held == nil {
		s.held = make(States)
	}
	for id, state := range groups {
		s.held[groupKey(owner, id)] = state
	}
	return false
}

// Checkpoint writes groups that have changed, and whatever else waits to be
// written, and reports whether the disk took it.
func (s *Spool) Checkpoint(owner string, groups States) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.resting():
		return false
	case s.bad == nil && len(groups) == 0 && !s.adopts(owner) && !s.cursorsDirty():
		return true
	}
	s.commit(owner, nil, groups)
	return s.bad == nil
}

// commit writes the tail, records, the groups, and what has changed besides,
// and returns how many of the records the disk took. It also heals a bad spool.
// The adopter brings all groups of the last run in its first commit, so their
// old keys go. The lock is held.
//
// As a rule this is one commit of the journal. More than a segment, such as a
// long tail, takes several, so that no more than SIZE is ever on disk. The
// groups come with the last one; after a crash in between, their records may
// repeat what earlier ones have told.
func (s *Spool) commit(owner string, records []*record.Record, groups States) (written int) {
	began := time.Now()
	defer s.watch()()
	if err := s.open(); err != nil {
		s.fail(err)
		s.retry = time.Now().Add(retryAfter(time.Since(began)))
		return 0
	}
	s.disk.Resize(s.limit.Load())
	for done := false; !done; {
		piece, fresh, err := s.encode(records[written:])
		if done = len(piece) == len(s.tail)+len(records)-written; err == nil {
			keys := make(States)
			if done {
				keys = s.changes(owner, groups)
			}
			err = s.write(piece, keys)
		}
		if err != nil {
			s.fail(err)
			s.retry = time.Now().Add(retryAfter(time.Since(began)))
			return written
		}
		s.tail = s.tail[len(piece)-fresh:]
		s.announce(fresh)
		written += fresh
	}
	if s.adopts(owner) {
		s.stale = nil
	}
	s.tail, s.held, s.fallback = nil, nil, ""
	s.commits++
	s.heal()
	return written
}

// line is a record as it goes to the disk.
type line struct {
	*record.Record
	json []byte
}

// encode returns as many records as fit into a segment, one at least: of the tail,
// then fresh ones, which get their numbers.
func (s *Spool) encode(records []*record.Record) (piece []line, fresh int, err error) {
	size, number := int64(0), s.numbers.Sequence
	for i, r := range slices.Concat(s.tail, records) {
		if i >= len(s.tail) {
			number++
			r.Epoch, r.Sequence = s.numbers.Epoch, number
		}
		b, err := json.Marshal(r)
		if err != nil {
			return nil, 0, err
		}
		if size += int64(len(b)); i > 0 && size > s.disk.Segment() {
			break
		}
		piece = append(piece, line{r, b})
		if i >= len(s.tail) {
			fresh++
		}
	}
	return piece, fresh, nil
}

// changes returns the groups that have changed: those of the tail's records,
// and then owner's, which are newer.
func (s *Spool) changes(owner string, groups States) States {
	keys := make(States, len(s.held)+len(groups)+1)
	if s.adopts(owner) {
		for _, key := range s.stale {
			keys[key] = nil
		}
	}
	maps.Copy(keys, s.held)
	for id, state := range groups {
		keys[groupKey(owner, id)] = state
	}
	return keys
}

// write makes one commit, with what has changed of cursors and numbers, and makes
// room. Nothing has changed if it fails.
func (s *Spool) write(piece []line, keys States) error {
	before, now := s.snapshot(), time.Now()
	c := journal.Commit{Keys: keys, Keep: s.trim(now)}
	for _, l := range piece {
		s.numbers.Note(s.stored.to, l.Epoch, l.Sequence)
		s.stored.to++
		c.Records = append(c.Records, l.json)
	}
	if len(piece) > 0 || s.renumber {
		s.numbers.Forget(s.stored.from)
		s.numbers.Needed = s.stored.from
		keys[numbersKey] = mustMarshal(s.numbers)
	}
	s.putCursors(keys, now)
	if err := s.disk.Commit(c); err != nil {
		s.restore(before)
		return err
	}
	s.renumber = false
	s.settleTrim(now)
	if lost := s.disk.Damaged(); lost > 0 {
		log.Errorf("spool %s: %d damaged lines, rewriting the cursors and the groups' states", s.dir, lost)
		s.renew()
	}
	return nil
}

// renew makes the next commits write the whole state again.
func (s *Spool) renew() {
	s.givenUp++
	s.renumber = true
	for _, c := range s.cursors {
		c.dirty = true
	}
}

// mustMarshal is for values that JSON can always write.
func mustMarshal(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// keep holds records in memory, as far as there is room.
func (s *Spool) keep(records []*record.Record) {
	room := max(tailLimit-len(s.tail), 0)
	kept := records[:min(room, len(records))]
	s.tail = append(s.tail, kept...)
	s.announce(len(kept))
	for _, r := range records[len(kept):] {
		for _, c := range s.cursors {
			if c.attached > 0 {
				c.records(1)
				c.lose(r, "spool_unwritable")
			}
		}
	}
}

// announce tells the cursors of n new records.
func (s *Spool) announce(n int) {
	if n == 0 {
		return
	}
	for _, c := range s.cursors {
		if c.attached > 0 {
			c.records(n)
			c.noteCounted()
			c.wake()
		}
	}
}

// GivenUp returns how often states of groups were lost: after each time, all of
// them are to be given again.
func (s *Spool) GivenUp() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.givenUp
}

// Resize changes the size that the spool may grow to, from the next write on.
func (s *Spool) Resize(limit int64) { s.limit.Store(limit) }

// Close writes what is left and closes the files. It waits for the disk.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.putBack(time.Now())
	if len(s.tail) > 0 || s.disk != nil && s.cursorsDirty() {
		s.commit(s.adopter, nil, nil) // all groups have ended
	}
	s.hide()
	var err error
	if len(s.tail) > 0 {
		err = fmt.Errorf("%d alerts could not be written to the spool %s: %w", len(s.tail), s.dir, s.bad)
	}
	if s.moved != nil {
		err = errors.Join(err, fmt.Errorf("files of the spool in %s are gone, and what waited in them: %w", s.dir, s.moved))
	}
	if s.disk == nil {
		return err
	}
	return errors.Join(err, s.disk.Close())
}
