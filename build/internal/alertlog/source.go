package alertlog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// source is one file, or standard input.
type source struct {
	name  string
	lines *text.Lines
	file  *os.File // nil: standard input
	past  *os.File // that the file has taken the place of; open, so that no other gets its inode
	grows bool
	ended bool // it cannot be read further
	told  bool // of the line that is not whole yet, that it is no alert
}

// newSource opens a file. Open comes first, then stat: the file may be replaced
// at any time.
func newSource(name string, stdin io.Reader, follow bool) (*source, error) {
	s := &source{name: name}
	if name == "-" {
		lines, err := s.decode(stdin)
		s.lines = lines
		return s, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory: name the files in it", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	s.file, s.grows = f, follow && info.Mode().IsRegular()
	if s.lines, err = s.decode(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// packed are the compressions, which their first bytes tell.
var packed = []struct {
	magic string
	open  func(io.Reader) (io.Reader, error)
}{
	{"\x1f\x8b", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"\x28\xb5\x2f\xfd", func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) }},
}

// decode returns the lines of r, which may be compressed.
func (s *source) decode(r io.Reader) (*text.Lines, error) {
	if s.grows {
		if magic := peekFile(s.file); !compressed(magic) {
			return s.growing(), nil
		}
		s.grows = false
	}
	b := bufio.NewReader(r)
	head, _ := b.Peek(4)
	for _, p := range packed {
		if bytes.HasPrefix(head, []byte(p.magic)) {
			plain, err := p.open(b)
			if err != nil {
				return nil, err
			}
			return text.NewLines(plain, maxRecord), nil
		}
	}
	return text.NewLines(b, maxRecord), nil
}

// growing returns the lines of a file that is written to: the beginning of one
// that is not whole yet is kept for the next time.
func (s *source) growing() *text.Lines {
	l := text.NewLines(s.file, maxRecord)
	l.Growing = true
	return l
}

func peekFile(f *os.File) []byte {
	head := make([]byte, 4)
	n, _ := f.ReadAt(head, 0)
	return head[:n]
}

func compressed(head []byte) bool {
	for _, p := range packed {
		if bytes.HasPrefix(head, []byte(p.magic)) {
			return true
		}
	}
	return false
}

// successor returns the file that has taken the place of that of s, or that it
// has become by being cut, if so; else nil. A file that is, or was last, under
// another name here is none: it has been rotated from there.
func (r *reader) successor(s *source) *os.File {
	if !s.grows || s.ended {
		return nil
	}
	named, err := os.Stat(s.name)
	if err != nil {
		return nil // between the old one and the new
	}
	open, err := s.file.Stat()
	if err != nil {
		return nil
	}
	at, err := s.file.Seek(0, io.SeekCurrent)
	if err == nil && os.SameFile(open, named) && open.Size() >= at {
		return nil
	}
	for _, other := range r.sources {
		if other != s && (is(other.file, named) || is(other.past, named)) {
			return nil
		}
	}
	next, err := os.Open(s.name)
	if err != nil {
		return nil
	}
	return next
}

// is reports whether an open file is the one that info is about.
func is(f *os.File, info os.FileInfo) bool {
	if f == nil {
		return false
	}
	own, err := f.Stat()
	return err == nil && os.SameFile(own, info)
}

// turn goes on with the file that has taken the place of that of s.
func (s *source) turn(next *os.File) {
	if s.past != nil {
		s.past.Close()
	}
	s.past, s.file = s.file, next
	s.lines = s.growing()
}

func (s *source) close() {
	for _, f := range []*os.File{s.file, s.past} {
		if f != nil {
			f.Close()
		}
	}
}
