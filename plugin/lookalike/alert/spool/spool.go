// Package spool keeps alerts on disk for the destinations that have not taken
// them yet, and what groups have counted that no alert has told yet. It knows
// nothing of groups: their states are bytes.
package spool

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

const (
	spoolFile = "alerts.db"

	// tailLimit is the number of records that are kept in memory while the
	// disk takes none.
	tailLimit = 32768
	// Between two attempts to write to a bad disk is the time that the last
	// one took, which grows with what waits, so many times: few queries meet
	// one.
	retryShare = 499
	minRetry   = 5 * time.Second
	maxRetry   = time.Minute
	// lockTimeout is how long another process may have the file.
	lockTimeout = time.Second
	// patience is how long the disk may take for one transaction before it is said.
	patience = 5 * time.Second
	// cursorGrace is how long a cursor holds records for a sink that nobody
	// has opened: a reload, or the start of another server block, may do so.
	cursorGrace = 10 * time.Minute
	// fill is the part of the limit that records may take: the file has
	// pages that are half full, and never shrinks. Groups do not count: many
	// of them would leave no room for records in a small spool.
	fill = 0.7
	// maxPosition is more than there will ever be records.
	maxPosition = 1 << 62
)

var log = clog.NewWithPlugin("lookalike")

// The buckets of the file, and the keys of meta.
var (
	metaBucket   = []byte("meta")
	recordBucket = []byte("records") // position, 8 bytes big endian: record
	cursorBucket = []byte("cursors") // destination: cursorState
	groupBucket  = []byte("groups")  // pipeline and group: groupState

	buckets = [][]byte{metaBucket, recordBucket, cursorBucket, groupBucket}

	epochKey    = []byte("epoch")
	sequenceKey = []byte("sequence")
)

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
	limit int64
	count Counter

	sensor, version string

	mu       sync.Mutex
	db       *bbolt.DB // nil while the file cannot be opened
	file     *os.File  // db's
	files    int       // that were given up, with what they had of groups
	loaded   bool      // what the file had is in memory
	readOnly bool      // db is
	epoch    string
	sequence uint64 // the last one used
	stored   series // positions that are in the file
	bytes    int64  // of the records in the file
	tail     []*record.Record
	held     States // that came with the tail, by their keys in the file
	cursors  map[string]*Cursor
	orphans  States    // groups of the last run, by their keys in the file
	stale    [][]byte  // their keys, until a transaction has put the adopter's in their place
	adopter  string    // owner of the adopted groups
	bad      error     // why the last write failed
	astray   error     // why the file is not in its place; nil: it is, for all that is known
	relook   time.Time // when to see next whether it is
	retry    time.Time // when the next one is due
	told     time.Time // when the log last heard of it

	fallback         string // epoch while bad
	fallbackSequence uint64
}

// series is a run of positions, from up to and without to.
type series struct{ from, to uint64 }

// path is where the file should be.
func (s *Spool) path() string { return filepath.Join(s.dir, spoolFile) }

func newSpool(c Config) *Spool {
	return &Spool{
		dir: c.Dir, limit: c.Limit, sensor: c.Sensor, version: c.Version, count: c.Count,
		cursors: make(map[string]*Cursor), epoch: record.NewID(),
	}
}

// Open opens or makes the spool in a directory. A file that is corrupt is set
// aside; a disk that is full or read-only is waited for.
func Open(c Config) (*Spool, error) {
	s := newSpool(c)
	if err := os.MkdirAll(s.dir, 0o750); err != nil && !transient(err) {
		return nil, fmt.Errorf("spool: %w (the directory must exist, or the server's user must be able to make it)", err)
	}
	err := s.open()
	switch {
	case err == nil && s.readOnly:
		s.fail(syscall.EROFS)
	case err == nil:
	case transient(err):
		s.fail(err)
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("spool %s: another process uses it (each server needs a directory of its own)", s.dir)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("spool: %w (let the server's user write to the directory %s)", err, s.dir)
	default:
		return nil, fmt.Errorf("spool %s: %w", s.dir, err)
	}
	return s, nil
}

// transient reports errors that a disk may get over.
func transient(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EDQUOT)
}

// open opens the file and reads what is in it.
func (s *Spool) open() error {
	path := s.path()
	err := guard(func() error { return s.load(path) })
	if err == nil || !corrupt(err) {
		return err
	}
	if e := s.setAside(err); e != nil {
		return errors.Join(err, e)
	}
	return guard(func() error { return s.load(path) })
}

// errCorrupt is of a file that contradicts itself.
var errCorrupt = errors.New("the spool's file cannot be read")

// corrupt reports errors that are the file's fault. Every other one may be
// over when the disk is.
func corrupt(err error) bool {
	for _, known := range []error{errCorrupt, berrors.ErrInvalid, berrors.ErrChecksum, berrors.ErrVersionMismatch, berrors.ErrIncompatibleValue} {
		if errors.Is(err, known) {
			return true
		}
	}
	return strings.Contains(err.Error(), "file size too small") // has no name in bbolt
}

// guard turns a panic, which a failing disk under a memory map may cause, or a
// file that has become corrupt since it was examined, into an error.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errCorrupt, p)
		}
	}()
	return f()
}

// load opens the file if it is intact, on a disk that is read-only for reading.
func (s *Spool) load(path string) error {
	if err := examine(path); err != nil {
		return err
	}
	var file *os.File
	options := bbolt.Options{
		Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode fs.FileMode) (f *os.File, err error) {
			file, err = os.OpenFile(name, flag, mode)
			return file, err
		},
	}
	db, err := bbolt.Open(path, 0o640, &options)
	if errors.Is(err, syscall.EROFS) {
		options.ReadOnly = true
		if db, err = bbolt.Open(path, 0o640, &options); errors.Is(err, fs.ErrNotExist) {
			return syscall.EROFS
		}
	}
	if err != nil {
		return err
	}
	if err := guard(func() error { return s.loadFrom(db) }); err != nil {
		if corrupt(err) {
			go closeAbandoned(db, file)
			return err
		}
		return errors.Join(err, db.Close())
	}
	s.db, s.file, s.readOnly, s.loaded = db, file, options.ReadOnly, true
	return nil
}

func (s *Spool) loadFrom(db *bbolt.DB) error {
	missing := 0
	if err := db.View(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if tx.Bucket(name) == nil {
				missing++
			}
		}
		return nil
	}); err != nil {
		return err
	}
	switch missing {
	case 0:
	case len(buckets): // a full disk may refuse this, but not what is there already
		if s.stored.from < s.stored.to { // the file that had them was removed while it was not open
			s.forfeit("spool_removed")
		}
		if err := db.Update(s.prepare); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%w: %d of its buckets are missing", errCorrupt, missing)
	}
	if s.loaded {
		return db.View(s.recognise)
	}
	return db.View(s.read)
}

// recognise returns an error if the file is not the one that was open before.
func (s *Spool) recognise(tx *bbolt.Tx) error {
	epoch, err := getMeta(tx, epochKey)
	if err == nil && string(epoch) != s.epoch {
		err = damaged("it is not the one that was open before")
	}
	return err
}

// prepare makes what a new file needs.
func (s *Spool) prepare(tx *bbolt.Tx) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	if err := tx.Bucket(recordBucket).SetSequence(s.stored.to); err != nil {
		return err
	}
	if err := putMeta(tx, sequenceKey, position(s.sequence)); err != nil {
		return err
	}
	return putMeta(tx, epochKey, []byte(s.epoch))
}

func putMeta(tx *bbolt.Tx, k, v []byte) error { return tx.Bucket(metaBucket).Put(k, seal(k, v)) }

// getMeta returns a value that every file has.
func getMeta(tx *bbolt.Tx, k []byte) ([]byte, error) { return unseal(k, tx.Bucket(metaBucket).Get(k)) }

// contents is what a file has besides its records.
type contents struct {
	epoch    string
	sequence uint64
	stored   series
	bytes    int64
	cursors  []*Cursor
	orphans  States
	stale    [][]byte
}

// read reads all of the file but the values of records, and so finds what is
// corrupt in it now rather than later. Only of a file that is good does the store
// take anything.
func (s *Spool) read(tx *bbolt.Tx) error {
	var in contents
	for _, read := range []func(*bbolt.Tx) error{in.readMeta, in.readRecords} {
		if err := read(tx); err != nil {
			return err
		}
	}
	if err := tx.Bucket(cursorBucket).ForEach(func(k, v []byte) error {
		v, err := unseal(k, v)
		if err != nil {
			return err
		}
		c := newCursor(s, string(k))
		if err := json.Unmarshal(v, &c.state); err != nil {
			return fmt.Errorf("%w: a cursor: %w", errCorrupt, err)
		}
		if c.next = c.state.Next; c.next > in.stored.to {
			return fmt.Errorf("%w: a cursor is at %d, the last record at %d", errCorrupt, c.next, in.stored.to)
		}
		in.cursors = append(in.cursors, c)
		return nil
	}); err != nil {
		return err
	}
	if err := tx.Bucket(groupBucket).ForEach(in.readGroup); err != nil {
		return err
	}
	s.takeOver(&in)
	return nil
}

func (in *contents) readMeta(tx *bbolt.Tx) error {
	epoch, err := getMeta(tx, epochKey)
	if err != nil {
		return err
	}
	sequence, err := getMeta(tx, sequenceKey)
	if err != nil {
		return err
	}
	in.epoch, in.sequence = string(epoch), binary.BigEndian.Uint64(sequence)
	return nil
}

// readRecords finds the positions of the records, which have no gaps. What the
// bucket has as its sequence, where it goes on, has no checksum.
func (in *contents) readRecords(tx *bbolt.Tx) error {
	b := tx.Bucket(recordBucket)
	in.stored = series{from: b.Sequence(), to: b.Sequence()}
	next, first := in.stored.to, true
	if err := b.ForEach(func(k, v []byte) error {
		if len(k) != 8 {
			return fmt.Errorf("%w: a record has no position", errCorrupt)
		}
		at := binary.BigEndian.Uint64(k)
		if first {
			in.stored.from, next, first = at, at, false
		}
		if at != next {
			return fmt.Errorf("%w: a record is at %d, and should be at %d", errCorrupt, at, next)
		}
		next++
		in.bytes += int64(len(v))
		return nil
	}); err != nil {
		return err
	}
	if next != in.stored.to || next > maxPosition {
		return fmt.Errorf("%w: records end at %d, and should end at %d", errCorrupt, next, in.stored.to)
	}
	return nil
}

// readGroup reads a group. One that cannot be read is no reason to give up what
// others have.
func (in *contents) readGroup(k, v []byte) error {
	in.stale = append(in.stale, bytes.Clone(k))
	state, err := unseal(k, v)
	if err != nil {
		log.Errorf("What a group in the spool has counted since its last alert cannot be read, and is lost: %v", err)
		return nil
	}
	if in.orphans == nil {
		in.orphans = make(States)
	}
	in.orphans[string(k)] = bytes.Clone(state)
	return nil
}

// takeOver goes on with what a file has. Where it could not be opened at the
// start, there are cursors and a tail already: the tail moves behind the
// records of the file.
func (s *Spool) takeOver(in *contents) {
	for _, c := range s.cursors {
		c.shift(in.stored.to - s.stored.to)
	}
	s.epoch, s.sequence, s.stored, s.bytes = in.epoch, in.sequence, in.stored, in.bytes
	s.orphans, s.stale = in.orphans, in.stale
	for _, c := range in.cursors {
		c.skip(s.stored.from) // records may have been dropped that were in flight
		if now := s.cursors[c.key]; now != nil {
			now.succeed(c)
		}
		s.cursors[c.key] = c
	}
}

// end is the position behind the last record.
func (s *Spool) end() uint64 { return s.stored.to + uint64(len(s.tail)) }

// Adopt returns the groups that the last run had not ended, once. From then on
// they are owner's: what the file has of the last run goes in the transaction
// that brings owner's groups. The keys only tell the states apart: two owners
// of the last run may have had one group.
func (s *Spool) Adopt(owner string) States {
	s.mu.Lock()
	defer s.mu.Unlock()
	orphans := s.orphans
	s.orphans = nil
	if s.adopter == "" || len(orphans) > 0 {
		s.adopter = owner
	}
	return orphans
}

// adopted reports whether owner has adopted the groups of the last run.
func (s *Spool) adopted(owner string) bool { return owner == s.adopter && len(s.orphans) == 0 }

// dropStale deletes what the file has of the last run.
func (s *Spool) dropStale(b *bbolt.Bucket) error {
	for _, k := range s.stale {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// Append numbers records, writes them and the groups of owner that have changed
// (as they are when the records are made), and hands the records to the cursors.
// It reports whether the disk took them; if not, all is kept in memory, and goes
// with what is written next.
func (s *Spool) Append(owner string, records []*record.Record, groups States) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.resting() {
		if s.commit(owner, records, groups) {
			return true
		}
	}
	if s.fallback == "" {
		s.fallback, s.fallbackSequence = record.NewID(), 0
	}
	for _, r := range records {
		s.fallbackSequence++
		r.Epoch, r.Sequence = s.fallback, s.fallbackSequence
	}
	s.keep(records)
	if s.held == nil {
		s.held = make(States)
	}
	for id, state := range groups {
		s.held[owner+id] = state
	}
	return false
}

// Checkpoint writes groups that have changed, and whatever else waits to be
// written, and reports whether the disk took it.
func (s *Spool) Checkpoint(owner string, groups States) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	adopts := s.adopted(owner) && len(s.stale) > 0
	switch {
	case s.resting():
		return false
	case s.bad == nil && len(groups) == 0 && !adopts && !s.cursorsDirty():
		return true
	}
	return s.commit(owner, nil, groups)
}

// commit numbers records and writes the tail, them, the groups, and what has
// changed besides. It is what heals a store that was bad; numbers are given
// inside, since the file may only now have been read. The adopter brings all
// groups of the last run in its first one, so their old keys go.
func (s *Spool) commit(owner string, records []*record.Record, groups States) bool {
	var sequence uint64
	var adopts bool
	err := s.update(func(tx *bbolt.Tx) error {
		sequence, adopts = s.sequence, s.adopted(owner)
		for _, r := range records {
			sequence++
			r.Epoch, r.Sequence = s.epoch, sequence
		}
		all := records
		if len(s.tail) > 0 {
			all = append(append([]*record.Record(nil), s.tail...), records...)
		}
		if err := s.put(tx, all); err != nil {
			return err
		}
		if adopts {
			if err := s.dropStale(tx.Bucket(groupBucket)); err != nil {
				return err
			}
		}
		if err := s.putGroups(tx, owner, groups); err != nil {
			return err
		}
		return putMeta(tx, sequenceKey, position(sequence))
	})
	if err != nil {
		return false
	}
	if adopts {
		s.stale = nil
	}
	s.sequence, s.tail, s.held, s.fallback = sequence, nil, nil, ""
	if len(records) > 0 {
		s.announce(len(records))
	}
	return true
}

// update runs a transaction that also brings cursors up to date and makes
// room. Where it finds the file corrupt, it runs in a new one. The lock is held.
func (s *Spool) update(f func(*bbolt.Tx) error) error {
	began := time.Now()
	defer s.watch()()
	err := s.try(f)
	if err != nil && s.broken(err) {
		if err = s.try(f); err != nil {
			s.broken(err)
		}
	}
	if err != nil {
		s.retry = time.Now().Add(retryAfter(time.Since(began)))
		return err
	}
	if s.bad != nil {
		log.Infof("The alert spool in %s can be written again", s.dir)
		s.bad = nil
	}
	s.showHealth()
	s.settleTrim()
	return nil
}

// try is update for one file.
func (s *Spool) try(f func(*bbolt.Tx) error) error {
	if err := guard(s.reopen); err != nil {
		return err
	}
	before := s.snapshot()
	err := guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			if err := s.trim(tx); err != nil {
				return err
			}
			return s.putCursors(tx)
		})
	})
	if err != nil {
		s.restore(before)
	}
	return err
}

// view reads from the file, if it is open. The lock is held.
func (s *Spool) view(f func(*bbolt.Tx) error) error {
	if s.db == nil {
		return s.bad
	}
	defer s.watch()()
	err := guard(func() error { return s.db.View(f) })
	if err != nil {
		s.broken(err)
	}
	return err
}

// reopen opens the file for writing, if it is not.
func (s *Spool) reopen() error {
	if s.readOnly {
		err := s.db.Close()
		s.db, s.file, s.readOnly = nil, nil, false
		if err != nil {
			return err
		}
	}
	if s.db == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	if s.readOnly {
		return syscall.EROFS
	}
	return nil
}

// fail notes that the disk took nothing; the log hears of it once a minute.
func (s *Spool) fail(err error) {
	now := time.Now()
	s.bad, s.retry = err, now.Add(minRetry)
	spoolHealthy.WithLabelValues(s.dir).Set(0)
	if now.Sub(s.told) >= time.Minute {
		s.told = now
		log.Errorf("The alert spool in %s cannot be written, alerts wait in memory: %v", s.dir, err)
	}
}

// showHealth sets the gauge.
func (s *Spool) showHealth() {
	healthy := 0.0
	if s.bad == nil && s.astray == nil {
		healthy = 1
	}
	spoolHealthy.WithLabelValues(s.dir).Set(healthy)
}

// watch has somebody say it when the disk does not answer, which nobody who waits
// for it can. What it returns is called with the lock, when the disk has answered.
func (s *Spool) watch() (over func()) {
	began, noticed, answered := time.Now(), make(chan struct{}), make(chan struct{})
	timer := time.AfterFunc(patience, func() { // a goroutine, without the lock, for as long as it takes
		spoolHealthy.WithLabelValues(s.dir).Set(0)
		close(noticed)
		log.Errorf("The disk of the alert spool in %s has not answered for %v: alerts wait in memory, those for files too", s.dir, patience)
		<-answered
		log.Infof("The disk of the alert spool in %s has answered, after %v", s.dir, time.Since(began).Round(time.Second))
	})
	return func() {
		if !timer.Stop() {
			<-noticed // else the gauge might be set after this
			s.showHealth()
		}
		close(answered)
	}
}

// resting reports whether the disk is bad, and the next attempt not due yet.
func (s *Spool) resting() bool { return s.bad != nil && time.Now().Before(s.retry) }

// retryAfter is the time from an attempt that failed, and took so long, to the
// next.
func retryAfter(took time.Duration) time.Duration {
	return min(max(retryShare*took, minRetry), maxRetry)
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
	for _, c := range s.cursors {
		if c.attached > 0 {
			c.records(n)
			c.noteCounted()
			c.wake()
		}
	}
}

// put writes records at the end.
func (s *Spool) put(tx *bbolt.Tx, records []*record.Record) error {
	if len(records) == 0 {
		return nil
	}
	b := tx.Bucket(recordBucket)
	b.FillPercent = 0.9 // keys only grow
	for _, r := range records {
		v, err := json.Marshal(r)
		if err != nil {
			return err
		}
		k := position(s.stored.to)
		v = seal(k, v)
		if err := b.Put(k, v); err != nil {
			return err
		}
		s.stored.to++
		s.bytes += int64(len(v))
	}
	return b.SetSequence(s.stored.to)
}

// putGroups writes what has become of groups with the records of the tail, and
// then owner's groups that have changed, which are newer.
func (s *Spool) putGroups(tx *bbolt.Tx, owner string, groups States) error {
	b := tx.Bucket(groupBucket)
	for k, state := range s.held {
		if err := putGroup(b, []byte(k), state); err != nil {
			return err
		}
	}
	for id, state := range groups {
		if err := putGroup(b, []byte(owner+id), state); err != nil {
			return err
		}
	}
	return nil
}

// putGroup writes a group; nil is one that is no more.
func putGroup(b *bbolt.Bucket, k []byte, state json.RawMessage) error {
	if state == nil {
		return b.Delete(k)
	}
	return b.Put(k, seal(k, state))
}

// decodeRecord reads the record that the file has as the value of k.
func decodeRecord(k, v []byte) (*record.Record, error) {
	v, err := unseal(k, v)
	if err != nil {
		return nil, err
	}
	r := new(record.Record)
	if err := json.Unmarshal(v, r); err != nil {
		return nil, err
	}
	return r, nil
}

func position(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// GivenUp returns how many files were given up: with each, what it had of groups
// is gone, and all of them are to be given again.
func (s *Spool) GivenUp() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files
}

// Resize changes the size that the spool may grow to.
func (s *Spool) Resize(limit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = limit
}

// measure sets the gauges.
func (s *Spool) measure() {
	s.mu.Lock()
	defer s.mu.Unlock()
	spoolRecords.WithLabelValues(s.dir).Set(float64(s.stored.to - s.stored.from + uint64(len(s.tail))))
	spoolBytes.WithLabelValues(s.dir).Set(float64(s.bytes))
	spoolLimit.WithLabelValues(s.dir).Set(float64(s.limit))
}

// Close writes what is left and closes the file.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil && astray(s.file, s.path()) {
		s.replace(time.Now())
	}
	if len(s.tail) > 0 {
		s.commit(s.adopter, nil, nil) // all groups have ended
	} else if s.cursorsDirty() {
		_ = s.update(func(*bbolt.Tx) error { return nil })
	}
	for _, v := range []interface{ DeleteLabelValues(...string) bool }{spoolHealthy, spoolRecords, spoolBytes, spoolLimit} {
		v.DeleteLabelValues(s.dir)
	}
	var err error
	if len(s.tail) > 0 {
		err = fmt.Errorf("%d alerts could not be written to the spool %s: %w", len(s.tail), s.dir, s.bad)
	}
	if s.astray != nil {
		err = errors.Join(err, fmt.Errorf("the spool's file in %s is gone, and what waited in it: %w", s.dir, s.astray))
	}
	if s.db == nil {
		return err
	}
	return errors.Join(err, guard(s.db.Close))
}
