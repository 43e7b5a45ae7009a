// Package logfile reads logs in the forms found on servers: rotated, compressed,
// damaged, and wrapped by syslog, the journal or a container's runtime.
package logfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"
)

// Stdin is the path of standard input.
const Stdin = "-"

// Stream is the text of a log, without its compression, as UTF-8.
type Stream struct {
	Path        string
	Compression string    // "gzip", "zstd", "xz", "bzip2" or empty
	Size        int64     // of the file as it lies there; 0 where it is not known
	Modified    time.Time // zero where it is not known

	file  *os.File // nil: standard input
	stdin io.Reader
	plain *Unpacked
	text  *bufio.Reader // plain as UTF-8
}

// Open opens a log, or uses stdin for "-". The caller must close the stream.
func Open(path string, stdin io.Reader) (*Stream, error) {
	s := &Stream{Path: path, stdin: stdin}
	if path != Stdin {
		if err := s.open(); err != nil {
			return nil, err
		}
	}
	if err := s.start(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// open opens the file first and looks at it then: logrotate can replace a file
// in between.
func (s *Stream) open() error {
	f, err := os.Open(s.Path)
	if err != nil {
		return err
	}
	s.file = f
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	if info.IsDir() {
		f.Close()
		return fmt.Errorf("%s is a directory", s.Path)
	}
	if info.Mode().IsRegular() {
		s.Size, s.Modified = info.Size(), info.ModTime()
	}
	return nil
}

// start looks at the first bytes and chooses how to read the others.
func (s *Stream) start() error {
	raw := s.stdin
	if s.file != nil {
		raw = s.file
	}
	if raw == nil {
		return fmt.Errorf("%s: no standard input", s.Path)
	}
	plain, err := Unpack(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	s.plain, s.Compression = plain, plain.Compression
	s.text = decoded(plain)
	return nil
}

// rewind starts again at the beginning. Only regular files can.
func (s *Stream) rewind() error {
	s.release()
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return s.start()
}

// Peek returns up to n of the next bytes, fewer at the end or before damage.
func (s *Stream) Peek(n int) []byte {
	head, _ := s.text.Peek(n)
	return head
}

// Read reads the text. An error other than io.EOF means damage: what was read
// before it is good.
func (s *Stream) Read(p []byte) (int, error) { return s.text.Read(p) }

// Packed returns the number of bytes of the file read so far. It is safe for
// concurrent use.
func (s *Stream) Packed() int64 { return s.plain.Packed() }

// Close closes the file. Standard input stays open.
func (s *Stream) Close() error {
	s.release()
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

func (s *Stream) release() {
	if s.plain != nil {
		s.plain.Close()
	}
}
