// Package journal keeps records and a state on disk, in lines that a person can
// read, each with a checksum: a damaged line costs what it has, and nothing else.
package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
)

// Journal keeps records and a state, in two logs:
//
//	records-N.jsonl   position record
//	state-N.jsonl     all null      the whole state follows
//	                  key value     null: the key is gone
//	                  end [1042,2]  a commit of 2 lines ends: records below 1042 count
//	last              last 1042     the same, on its own
//
// A commit writes its records and syncs, then its keys and the end, and syncs:
// that end is the commit. What stands behind it was never committed, the next
// records take those positions, and of two lines with one position the later
// counts. The file last is written after it without a sync. It may be behind,
// but where the end of the state is cut off it tells how far that was.
//
// A Journal is not safe for concurrent use.
type Journal struct {
	disk    disk
	records *lineLog
	state   *lineLog
	mark    file // last; nil while it could not be opened
	end     uint64
	keys    map[string]place // the state
	commit  place            // the end of the last commit of this run
	damaged int              // lines of the state that could not be copied
	buf     *bufio.Reader    // of lines that are read again
}

// Commit is what a commit adds.
type Commit struct {
	Records []json.RawMessage
	Keys    map[string]json.RawMessage // nil: it is gone; no key is "all" or "end"
	Keep    uint64                     // of the records below nobody needs any
}

// Found is what Open has found besides what it could read.
type Found struct {
	Damaged int  // lines that are not what was written
	Doubt   bool // so that the end of the records is a guess, or parts of the state may be old or gone
}

const (
	markFile  = "last"
	allKey    = "all"
	endKey    = "end"
	leastFull = 1 << 20 // size from which on a segment of the state may be full

	// maxPosition is more than there will ever be records.
	maxPosition = 1 << 62
)

// Open opens the journal in a directory, which it makes if need be, or begins one.
// The directory is taken for this process. Records may take up to limit bytes.
func Open(dir string, limit int64) (*Journal, Found, error) {
	d, err := openDirectory(dir)
	if err != nil {
		return nil, Found{}, err
	}
	return open(d, limit)
}

// open reads a journal, or begins one. Nothing is written before the first
// commit, so a disk may be full or read-only.
func open(d disk, limit int64) (*Journal, Found, error) {
	j := &Journal{
		disk: d, keys: make(map[string]place), end: 1, buf: bufio.NewReader(nil),
		records: &lineLog{disk: d, kind: "records"},
		state:   &lineLog{disk: d, kind: "state", most: leastFull},
	}
	j.Resize(limit)
	fd, err := j.load()
	if err != nil {
		return nil, fd, errors.Join(err, j.Close())
	}
	return j, fd, nil
}

// setMark writes the mark, as far as the disk lets it.
func (j *Journal) setMark() {
	if j.mark == nil {
		j.mark, _ = j.disk.open(markFile, os.O_RDWR|os.O_CREATE)
	}
	if j.mark != nil {
		_, _ = j.mark.WriteAt(appendLine(nil, seedOf(markFile), markFile, strconv.AppendUint(nil, j.end, 10)), 0)
	}
}

// First is the position of the oldest record that is there.
func (j *Journal) First() uint64 {
	if len(j.records.segments) == 0 {
		return j.end
	}
	return j.records.segments[0].first
}

// Resize sets how large the records may get. A segment takes a sixteenth.
func (j *Journal) Resize(limit int64) { j.records.most = limit / segmentsOf }

const segmentsOf = 16

// Commit writes what c has, all of it or nothing that counts.
func (j *Journal) Commit(c Commit) error {
	if j.mark == nil { // before there is a new segment, whose sync keeps this name, too
		j.setMark()
	}
	end := j.end + uint64(len(c.Records))
	if len(c.Records) == 0 {
		if err := j.putState(c.Keys, end); err != nil {
			return err
		}
	} else if err := j.putRecords(c, end); err != nil {
		return err
	}
	j.end = end
	j.setMark()
	j.records.drop(j.before(c.Keep))
	return nil
}

// putRecords writes the records of a commit, and the rest of it.
func (j *Journal) putRecords(c Commit, end uint64) error {
	w, err := j.records.begin(j.end)
	if err != nil {
		return err
	}
	places := make([]place, len(c.Records))
	for i, r := range c.Records {
		places[i] = w.add(strconv.FormatUint(j.end+uint64(i), 10), r)
	}
	if err = w.sync(); err == nil {
		err = j.putState(c.Keys, end)
	}
	if err != nil {
		j.records.fail()
		return err
	}
	for i, p := range places {
		w.put(j.end+uint64(i), p.at)
	}
	w.size = w.at
	return nil
}

// putState writes keys and the end of a commit, after the rest of the state where
// a segment begins.
func (j *Journal) putState(keys map[string]json.RawMessage, end uint64) error {
	w, err := j.state.begin(j.end)
	if err != nil {
		return err
	}
	names, places, all := slices.Collect(maps.Keys(keys)), make(map[string]place, len(keys)), w.size == 0
	if all {
		w.add(allKey, nil)
		names = slices.AppendSeq(names, maps.Keys(j.keys))
	}
	slices.Sort(names) // so that a test can repeat it
	for _, key := range slices.Compact(names) {
		value, changed := keys[key]
		if !changed {
			if value, err = j.Value(key); err != nil || value == nil {
				j.damaged++
				continue
			}
		}
		if places[key] = w.add(key, value); value == nil {
			places[key] = place{}
		}
	}
	commit := w.add(endKey, fmt.Appendf(nil, "[%d,%d]", end, w.count))
	if err := w.sync(); err != nil {
		j.state.fail()
		return err
	}
	w.size, j.commit = w.at, commit
	(&stateReader{keys: j.keys, staged: places, all: all}).apply(0)
	if all {
		j.state.most = max(leastFull, 2*w.size)
		j.state.drop(len(j.state.segments) - 1)
	}
	return nil
}

// Value reads a key of the state. It returns nil for one that is not there or
// damaged.
func (j *Journal) Value(key string) ([]byte, error) {
	p, ok := j.keys[key]
	if !ok {
		return nil, nil
	}
	return j.line(p, key)
}

// Record returns the record at a position, nil where it is damaged or gone.
func (j *Journal) Record(position uint64) (json.RawMessage, error) {
	for _, g := range j.records.segments {
		if i, ok := g.find(position); ok {
			return j.line(place{g, g.lines[i].at}, strconv.FormatUint(position, 10))
		}
	}
	return nil, nil
}

// line reads the line of a key. Its value is nil where that line is damaged.
func (j *Journal) line(p place, key string) ([]byte, error) {
	j.buf.Reset(io.NewSectionReader(p.segment.f, p.at, maxLine))
	b, err := j.buf.ReadBytes('\n')
	if errors.Is(err, io.EOF) { // cut off
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k, value, ok := parseLine(b[:len(b)-1], seedOf(p.segment.name))
	if !ok || k != key {
		return nil, nil
	}
	return value, nil
}

// before is the number of segments that have no records from a position on.
func (j *Journal) before(position uint64) (n int) {
	for g := j.records.segments; n+1 < len(g) && g[n+1].first <= position; n++ {
	}
	return n
}

// Oldest is the position from which on records may stay, so that there is room
// for a segment more in limit.
func (j *Journal) Oldest(limit int64) uint64 {
	g, size := j.records.segments, j.Size(0)
	for len(g) > 1 && size > limit-limit/segmentsOf {
		size -= g[0].size
		g = g[1:]
	}
	if len(g) == 0 {
		return 0
	}
	return g[0].first
}

// Close closes the files, and the directory.
func (j *Journal) Close() error {
	err := errors.Join(j.records.close(), j.state.close())
	if j.mark != nil {
		err = errors.Join(err, j.mark.Close())
	}
	return errors.Join(err, j.disk.close())
}

// Segment is the size from which on a segment of records is full: how much of them
// goes at once.
func (j *Journal) Segment() int64 { return j.records.most }

// End is the position of the next record.
func (j *Journal) End() uint64 { return j.end }

// Size is the size of the segments that have records from a position on, in bytes.
func (j *Journal) Size(from uint64) (n int64) {
	if from >= j.end {
		return 0
	}
	for _, g := range j.records.segments[j.before(from):] {
		n += g.size
	}
	return n
}

// Empty reports whether nothing was ever written.
func (j *Journal) Empty() bool { return len(j.records.segments)+len(j.state.segments) == 0 }

// Keys are those of the state.
func (j *Journal) Keys() []string { return slices.Sorted(maps.Keys(j.keys)) }

// Damaged returns how many lines of the state could not be copied to a new segment
// since it was last asked. What they had is to be given again.
func (j *Journal) Damaged() int {
	n := j.damaged
	j.damaged = 0
	return n
}
