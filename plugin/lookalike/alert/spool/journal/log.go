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
	"io"
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
	minLine   = sumDigits + len(" 1 0\n")
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
	name   string
	number uint64
	seed   uint32
	f      file
	size   int64

	// Of a segment of records: the position of the first one, and where each
	// begins. Those that cannot be read have none.
	first uint64
	lines []int64
}

const (
	suffix = ".jsonl"
	none   = int64(-1)
)

func (l *lineLog) last() *segment {
	if len(l.segments) == 0 {
		return nil
	}
	return l.segments[len(l.segments)-1]
}

// open opens the segments among names, for writing where that can be.
func (l *lineLog) open(names []string) error {
	for _, name := range names {
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
		s := &segment{name: name, number: number, seed: seedOf(name), f: f}
		l.segments = append(l.segments, s)
		if s.size, err = f.Size(); err != nil {
			return err
		}
	}
	slices.SortFunc(l.segments, func(a, b *segment) int { return cmp.Compare(a.number, b.number) })
	if s := l.last(); s != nil {
		l.number = s.number
	}
	return nil
}

func (l *lineLog) name(number uint64) string {
	return fmt.Sprintf("%s-%016d%s", l.kind, number, suffix)
}

// scan reads a segment, and reports each line that is what was written, and the
// number of those that are not. Of a disk that fails in places, these are
// damaged.
func (s *segment) scan(r *bufio.Reader, line func(at int64, key string, value []byte, size int)) (damaged int, err error) {
	disk := &patient{f: s.f, size: s.size}
	r.Reset(disk)
	for at := int64(0); at < s.size; {
		b, err := r.ReadSlice('\n')
		size := len(b)
		for errors.Is(err, bufio.ErrBufferFull) { // no line is as long
			b, err = r.ReadSlice('\n')
			size += len(b)
			b = nil
		}
		key, value, ok := parseLine(bytes.TrimSuffix(b, []byte("\n")), s.seed)
		if ok = ok && err == nil; ok {
			line(at, key, value, size)
		} else {
			damaged++
		}
		at += int64(size)
		if err != nil {
			break
		}
	}
	if disk.bad > s.size/2 {
		return damaged, disk.err
	}
	return damaged, nil
}

// writable returns the segment that the next lines go to, a new one if need be.
// The directory has its name before anything is in it that counts.
func (l *lineLog) writable() (*segment, error) {
	if s := l.last(); s != nil && !l.sealed && s.size < l.most {
		return s, nil
	}
	l.number++
	name := l.name(l.number)
	f, err := l.disk.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	s := &segment{name: name, number: l.number, seed: seedOf(name), f: f}
	if err := l.disk.sync(); err != nil {
		return nil, errors.Join(err, l.discard(s))
	}
	l.segments, l.sealed = append(l.segments, s), false
	return s, nil
}

// write adds lines to the last segment. They count once the file is synced.
func (l *lineLog) write(b []byte) error {
	s := l.last()
	n, err := s.f.WriteAt(b, s.size)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err == nil {
		s.size += int64(len(b))
	}
	return err
}

// fail cuts the last segment to the size before a write or sync that failed.
// Such a segment takes no more: which of its pages the disk has is not known,
// and a second sync would not tell.
func (l *lineLog) fail(size int64) {
	l.cut(size)
	l.sealed = true
	if s := l.last(); size == 0 && l.discard(s) == nil {
		l.segments = l.segments[:len(l.segments)-1]
	}
}

// cut takes lines back from the end of the last segment. Where that cannot be,
// it takes no more.
func (l *lineLog) cut(size int64) {
	s := l.last()
	s.size = size
	for n := len(s.lines); n > 0 && s.lines[n-1] >= size; n = len(s.lines) {
		s.lines = s.lines[:n-1]
	}
	if s.f.Truncate(size) != nil {
		l.sealed = true
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

// put notes where the record at a position begins. It reports false where no
// segment could have that record.
func (s *segment) put(position uint64, at int64) bool {
	most := uint64(s.size) / uint64(minLine) //nolint:gosec // sizes are not negative
	switch {
	case len(s.lines) == 0:
		s.first = position
	case position < s.first && s.first-position <= most:
		s.lines = append(slices.Repeat([]int64{none}, int(s.first-position)), s.lines...) //nolint:gosec // at most most
		s.first = position
	}
	if position < s.first || position-s.first > most {
		return false
	}
	for uint64(len(s.lines)) <= position-s.first {
		s.lines = append(s.lines, none)
	}
	s.lines[position-s.first] = at
	return true
}

// lineAt reads the line of a key that begins at a place and ends before another.
// Its value is nil where that line is damaged.
func (s *segment) lineAt(at, end int64, key string) ([]byte, error) {
	b := make([]byte, min(end-at, maxLine))
	n, err := s.f.ReadAt(b, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	line, _, ended := bytes.Cut(b[:n], []byte("\n"))
	k, value, ok := parseLine(line, s.seed)
	ok = ok && ended
	if !ok || k != key {
		return nil, nil
	}
	return value, nil
}

// close closes the files.
func (l *lineLog) close() (err error) {
	for _, s := range l.segments {
		err = errors.Join(err, s.f.Close())
	}
	l.segments = nil
	return err
}
