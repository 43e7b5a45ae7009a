package logfile

import (
	"bytes"
	"cmp"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/stamp"
)

// source is a file that waits to be read.
type source struct {
	*File
	stream *Stream // nil: to be opened again
	began  time.Time
	year   int    // of its first line, 0 where lines have years
	head   uint64 // hash of its first bytes, 0 for few
	rank   int    // of its rotation: the 2 of mail.log.2.gz
}

// kept is how many files stay open until their turn comes, so that logrotate
// cannot take them away in between.
const kept = 256

// headLines is how many lines can come before the first one with a time.
const headLines = 100

// survey opens all files, and puts them in the order of their first lines.
func survey(paths []Path, stdin io.Reader, o *Options) []*source {
	sources := make([]*source, len(paths))
	for i, path := range paths {
		s := &source{File: &File{Path: path.Name, Found: path.Found}, rank: rotation(path.Name)}
		sources[i] = s
		if path.Name == Stdin { // cannot be read twice
			if s.stream, s.Err = Open(Stdin, stdin); s.Err == nil {
				s.Compression = s.stream.Compression
			}
			s.began = time.Unix(1<<40, 0)
			continue
		}
		if s.Err = s.look(o); s.stream != nil && i >= kept {
			s.stream.Close()
			s.stream = nil
		}
	}
	slices.SortStableFunc(sources, func(a, b *source) int {
		return cmp.Or(a.began.Compare(b.began), cmp.Compare(b.rank, a.rank))
	})
	markCopies(sources)
	return sources
}

// look finds out when a file begins.
func (s *source) look(o *Options) error {
	stream, err := Open(s.Path, nil)
	if err != nil {
		return err
	}
	s.Compression, s.Size, s.began = stream.Compression, stream.Size, stream.Modified
	if !stream.regular() {
		s.stream = stream
		return nil
	}
	if head := stream.Peek(sniffed); len(head) > sniffed/2 {
		h := fnv.New64a()
		h.Write(head)
		s.head = h.Sum64()
	}
	u := newUnwrapper(NewLines(stream), s.Path, o.Options, stream.Modified)
	for l, ok := u.next(); ok && l.Number < headLines; l, ok = u.next() {
		t := l.Time
		if t.IsZero() {
			t = u.own(l.Text)
		}
		if t.IsZero() {
			continue
		}
		s.began = t
		if u.clock.Years.Needed() {
			s.year = firstYear(stream, u.clock.Years.Limit, u.clock.Location)
			s.began = time.Date(cmp.Or(s.year, t.Year()), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, t.Location())
		}
		break
	}
	if err := stream.rewind(); err != nil {
		stream.Close()
		return err
	}
	s.stream = stream
	return nil
}

// own reads the stamp that some programs write themselves.
func (u *unwrapper) own(text []byte) time.Time {
	for _, sep := range []byte{' ', 'T'} {
		if t, _, _, ok := u.clock.ISO(bytes.TrimLeft(text, `["`), sep); ok {
			return t
		}
	}
	return time.Time{}
}

// rotation returns the number that rotation has put behind a name, 0 without
// one. It grows with age.
func rotation(path string) int {
	words := strings.Split(path[strings.LastIndexByte(path, os.PathSeparator)+1:], ".")
	for i := len(words) - 1; i > 0 && i >= len(words)-2; i-- {
		if n, err := strconv.Atoi(words[i]); err == nil && n >= 0 && n < 100000 {
			return n
		}
	}
	return 0
}

// markCopies finds files that begin as others do: one that is compressed beside
// the original, or a backup. They would count twice.
func markCopies(sources []*source) {
	first := make(map[uint64]*source)
	for _, s := range sources {
		switch other := first[s.head]; {
		case s.head == 0 || s.Err != nil:
		case other == nil:
			first[s.head] = s
		default:
			s.CopyOf = other.Path
		}
	}
}

// Samples of a file are taken at so many places, of so many bytes each; small
// files are read whole.
const (
	places     = 512
	sampleSize = 8 << 10
)

// firstYear returns the year in which a file begins whose stamps have none: as
// many years before its last line as there are places where the date falls
// back by months.
func firstYear(s *Stream, limit time.Time, loc *time.Location) int {
	var dates stamp.Dates
	if s.Compression == "" && s.Size > places*sampleSize {
		buf := make([]byte, sampleSize)
		for i := range int64(places) {
			n, _ := s.file.ReadAt(buf, (s.Size-sampleSize)/(places-1)*i)
			dates.Sample(buf[:n], i == 0)
		}
	} else if s.rewind() == nil {
		lines := NewLines(s)
		for lines.Next() {
			dates.Add(lines.Text)
		}
	}
	return dates.First(limit, loc)
}

// regular reports whether the stream is of a file that can be read twice.
func (s *Stream) regular() bool { return s.file != nil && !s.Modified.IsZero() }
