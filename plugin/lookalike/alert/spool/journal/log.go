package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A line of a log is
//
//	checksum key value
//
// where the checksum is the CRC-32C (RFC 3720 section 12.1), in eight hexadecimal
// digits, of the file's name and of what follows it in the line: a line that was
// moved to another file is as good as damaged. A key has no spaces, a value is
// JSON without line breaks.
const (
	sumDigits = 8
	maxLine   = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seedOf is the checksum of a file's name, with which those of its lines begin.
func seedOf(name string) uint32 { return crc32.Checksum([]byte(name), castagnoli) }

// appendLine appends a line to b.
func appendLine(b []byte, seed uint32, key string, value []byte) []byte {
	start := len(b)
	b = append(b, "00000000 "...)
	b = append(append(append(b, key...), ' '), value...)
	var sum [sumDigits / 2]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Update(seed, castagnoli, b[start+sumDigits+1:]))
	hex.Encode(b[start:], sum[:])
	return append(b, '\n')
}

// parseLine reads a line without its line break. The value is a part of b.
func parseLine(b []byte, seed uint32) (key string, value []byte, ok bool) {
	if len(b) <= sumDigits || b[sumDigits] != ' ' {
		return "", nil, false
	}
	sum, err := strconv.ParseUint(string(b[:sumDigits]), 16, 32)
	rest := b[sumDigits+1:]
	if err != nil || uint32(sum) != crc32.Update(seed, castagnoli, rest) {
		return "", nil, false
	}
	k, value, ok := bytes.Cut(rest, []byte(" "))
	return string(k), value, ok
}

// lineLog is a log in segments: files of lines that only grow, numbered in the
// order in which they were begun. It is not safe for concurrent use.
type lineLog struct {
	disk     disk
	kind     string // what the files' names begin with
	most     int64  // size from which on a segment is full
	segments []*segment
	number   uint64 // the highest that a segment has had
	sealed   bool   // the last segment takes no more
}

// segment is one file of a log.
type segment struct {
	name string
	f    file
	size int64 // of what counts

	// Of a segment of records: the position of the first one, and where those
	// begin that can be read, in the order of positions.
	first uint64
	lines []recordLine
}

// recordLine is where the record at a position begins.
type recordLine struct {
	position uint64
	at       int64
}

// place is where a line begins.
type place struct {
	segment *segment
	at      int64
}

const suffix = ".jsonl"

func (l *lineLog) last() *segment {
	if len(l.segments) == 0 {
		return nil
	}
	return l.segments[len(l.segments)-1]
}

// open opens the segments among names, for writing where that can be.
func (l *lineLog) open(names []string) error {
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	for _, name := range names { // those of a log in the order of numbers
		digits, ok := strings.CutPrefix(strings.TrimSuffix(name, suffix), l.kind+"-")
		number, err := strconv.ParseUint(digits, 10, 64)
		if !ok || err != nil || name != l.name(number) {
			continue
		}
		f, err := l.disk.open(name, os.O_RDWR)
		l.sealed = l.sealed || err != nil
		if err != nil { // the disk is read-only
			f, err = l.disk.open(name, os.O_RDONLY)
		}
		if err != nil {
			return err
		}
		s := &segment{name: name, f: f}
		l.segments, l.number = append(l.segments, s), number
		if s.size, err = f.Size(); err != nil {
			return err
		}
	}
	return nil
}

func (l *lineLog) name(number uint64) string {
	return fmt.Sprintf("%s-%016d%s", l.kind, number, suffix)
}

// scan reads a segment, and reports each line that is what was written, and the
// number of those that are not. Of a disk that fails in places, these are
// damaged.
func (s *segment) scan(r *bufio.Reader, line func(p place, key string, value []byte)) (damaged int, err error) {
	disk, seed := &patient{f: s.f, size: s.size}, seedOf(s.name)
	r.Reset(disk)
	for at := int64(0); at < s.size; {
		b, err := r.ReadSlice('\n')
		key, value, ok := parseLine(bytes.TrimSuffix(b, []byte("\n")), seed)
		if ok && err == nil {
			line(place{s, at}, key, value)
		} else {
			damaged++
		}
		if at += int64(len(b)); err != nil && !errors.Is(err, bufio.ErrBufferFull) { // no line is as long as that
			break
		}
	}
	if disk.bad > s.size/2 {
		return damaged, disk.err
	}
	return damaged, nil
}

// batch is lines on their way to the end of a segment. They count when the
// segment's size says so.
type batch struct {
	*segment
	at    int64  // where b goes
	b     []byte // lines that are not written
	count int    // lines so far
	err   error  // the first one
}

// begin begins a batch, in a new segment if need be, whose first record is at a
// position. The directory has its name before anything is in it that counts.
func (l *lineLog) begin(first uint64) (*batch, error) {
	if s := l.last(); s != nil && !l.sealed && s.size < l.most {
		return &batch{segment: s, at: s.size}, nil
	}
	l.number++
	s := &segment{name: l.name(l.number), first: first}
	var err error
	if s.f, err = l.disk.open(s.name, os.O_RDWR|os.O_CREATE|os.O_EXCL); err != nil {
		return nil, err
	}
	if err := l.disk.sync(); err != nil {
		return nil, errors.Join(err, l.discard(s))
	}
	l.segments, l.sealed = append(l.segments, s), false
	return &batch{segment: s}, nil
}

// add adds a line, and returns where it begins. No value is null.
func (w *batch) add(key string, value []byte) place {
	if value == nil {
		value = []byte("null")
	}
	p := place{w.segment, w.at + int64(len(w.b))}
	w.b = appendLine(w.b, seedOf(w.name), key, value)
	if w.count++; len(w.b) >= maxLine {
		w.flush()
	}
	return p
}

func (w *batch) flush() {
	if w.err == nil {
		_, w.err = w.f.WriteAt(w.b, w.at)
	}
	w.at, w.b = w.at+int64(len(w.b)), w.b[:0]
}

// sync has all lines on the disk, or returns why not.
func (w *batch) sync() error {
	if w.flush(); w.err == nil {
		w.err = w.f.Sync()
	}
	return w.err
}

// fail cuts what does not count from the last segment, as far as the disk lets it.
// Such a segment takes no more: which of its pages the disk has is not known,
// and a second sync would not tell.
func (l *lineLog) fail() {
	s := l.last()
	_ = s.f.Truncate(s.size)
	l.sealed = true
	if s.size == 0 && l.discard(s) == nil {
		l.segments = l.segments[:len(l.segments)-1]
	}
}

// discard removes a segment's file, and closes it where that has worked.
func (l *lineLog) discard(s *segment) error {
	if err := l.disk.remove(s.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = s.f.Close() // nobody reads it any more
	return nil
}

// drop removes the n oldest segments, as far as the disk lets it.
func (l *lineLog) drop(n int) {
	for ; n > 0 && l.discard(l.segments[0]) == nil; n-- {
		l.segments = l.segments[1:]
	}
}

// find returns where among the lines that of a position is, or would be.
func (s *segment) find(position uint64) (i int, ok bool) {
	return slices.BinarySearchFunc(s.lines, position, func(r recordLine, p uint64) int { return cmp.Compare(r.position, p) })
}

// put notes where the record at a position begins. Of two the later counts.
func (s *segment) put(position uint64, at int64) {
	i, again := s.find(position)
	if !again {
		s.lines = slices.Insert(s.lines, i, recordLine{position: position})
	}
	s.lines[i].at = at
	s.first = s.lines[0].position
}

// close closes the files.
func (l *lineLog) close() (err error) {
	for _, s := range l.segments {
		err = errors.Join(err, s.f.Close())
	}
	l.segments = nil
	return err
}
