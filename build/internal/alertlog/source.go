package alertlog

import (
	"fmt"
	"io"
	"os"

	"github.com/lookalike-dns/lookalike/build/internal/logfile"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// source is one file, or standard input.
type source struct {
	name  string
	lines *text.Lines
	plain *logfile.Unpacked // that lines reads; nil: file itself
	file  *os.File          // nil: standard input
	past  *os.File          // that the file has taken the place of; open, so that no other gets its inode
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

// decode returns the lines of r, which may be compressed.
func (s *source) decode(r io.Reader) (*text.Lines, error) {
	if s.grows {
		if !logfile.Compressed(peekFile(s.file)) {
			return s.growing(), nil
		}
		s.grows = false
	}
	plain, err := logfile.Unpack(r)
	if err != nil {
		return nil, err
	}
	s.plain = plain
	return text.NewLines(plain, maxRecord), nil
}

// growing returns the lines of a file that is written to: the beginning of one
// that is not whole yet is kept for the next time.
func (s *source) growing() *text.Lines {
	l := text.NewLines(s.file, maxRecord)
	l.Growing = true
	return l
}

func peekFile(f *os.File) []byte {
	head := make([]byte, 16)
	n, _ := f.ReadAt(head, 0)
	return head[:n]
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
	if s.plain != nil {
		s.plain.Close()
	}
	for _, f := range []*os.File{s.file, s.past} {
		if f != nil {
			f.Close()
		}
	}
}
