// Package file appends alerts to a file, one a line.
//
// Rotation is left to logrotate or similar tools. When the path no longer leads
// to the open file (renamed, removed or replaced), the next write reopens the
// path, so neither a signal nor copytruncate is needed.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/internal/disk"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// mode lets the group read, so that a shipper needs no root.
const mode = 0o640

// longestTail is the length of the longest unfinished line that a crash may
// leave.
const longestTail = 1 << 20

// Sink writes to one file.
type Sink struct {
	path string
	file *os.File
	good int64 // length of the file's whole lines
	torn bool  // a part of a line follows good
	buf  []byte
}

var log = clog.NewWithPlugin("lookalike")

// Parse reads the path of a file. There are no options. The opener's sink of a
// disk that is full, read-only or failing opens the file later: DNS starts
// without it.
func Parse(a sink.Address, _ *sink.Options) (sink.Opener, error) {
	return func(env sink.Env) (sink.Sink, error) {
		if env.Guest {
			if err := CreateForOwner(a.Target); err != nil {
				return nil, err
			}
		}
		s, err := Open(a.Target)
		if disk.MayPass(err) {
			log.Errorf("alert %s: alerts wait in memory until it can be written: %v", a.Target, err)
			return &Sink{path: a.Target}, nil
		}
		return s, err
	}, nil
}

// Open opens path, or creates it, and repairs a last line that a crash has cut
// short.
func Open(path string) (*Sink, error) {
	s := &Sink{path: path}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

// Check returns why Open would fail for a path, and changes nothing. Where there
// is no file yet, the error is [fs.ErrNotExist]. That others may not read the
// file says nothing about the server's user.
func Check(path string) error {
	if err := check(path); err != nil {
		return err
	}
	f, err := openFile(path, os.O_RDONLY)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil
	case err != nil:
		return explain(path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return explain(path, &os.PathError{Op: "open", Path: path, Err: syscall.EISDIR})
	}
	return nil
}

// open opens the path, which may lead to a new file.
func (s *Sink) open() error {
	if err := check(s.path); err != nil {
		return err
	}
	f, err := openFile(s.path, os.O_RDWR|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return explain(s.path, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New(kindCure(s.path, info.Mode()))
	}
	good := int64(0)
	if err == nil {
		good, err = mend(f, info.Size())
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", s.path, err)
	}
	s.file, s.good, s.torn = f, good, false
	return nil
}

// check looks at the path first: opening a device or a pipe could hang, and no
// regular file may be created where a device belongs.
func check(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular() && !info.IsDir():
		return fmt.Errorf("%s: %s", path, kindCure(path, info.Mode()))
	case err != nil && strings.HasPrefix(filepath.Clean(path), "/dev/"):
		return fmt.Errorf("%s: files do not belong in /dev: write %s, or a path elsewhere", path, deviceCure(path))
	}
	return nil
}

// kindCure says what the path leads to instead of a file, and what to write.
func kindCure(path string, mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "this is a socket: write syslog://" + path + " if a syslog server reads it"
	case mode&fs.ModeNamedPipe != 0:
		return "this is a pipe: write " + deviceCure(path) + ", or a path where a file can be made"
	case mode&fs.ModeDevice != 0:
		return "this is a device: write " + deviceCure(path) + ", or a path where a file can be made"
	}
	return "not a regular file (name one, or a path where one can be made)"
}

func deviceCure(path string) string {
	if strings.HasPrefix(filepath.Base(path), "log") {
		return "syslog://" + path
	}
	return "stdout"
}

// explain adds the cure to the error of an open.
func explain(path string, err error) error {
	cure := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		cure = fmt.Sprintf(" (the directory %s must exist; create it and let the server's user write there)", filepath.Dir(path))
	case errors.Is(err, syscall.EISDIR):
		cure = " (name a file in it)"
	case errors.Is(err, syscall.ELOOP):
		cure = fmt.Sprintf(" (a link in %s, where other users may write, is not followed: name the file that it leads to)", filepath.Dir(path))
	case errors.Is(err, fs.ErrPermission):
		cure = fmt.Sprintf(" (let the server's user write to the file and to %s)", filepath.Dir(path))
	}
	return fmt.Errorf("%w%s", err, cure)
}

// mend makes the file end in a whole line and returns its length. An unfinished
// record of ours is cut off; any other line, which may be somebody else's, gets
// a line end.
func mend(f *os.File, size int64) (int64, error) {
	if size == 0 {
		return 0, nil
	}
	tail := make([]byte, min(size, longestTail))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if tail[len(tail)-1] == '\n' {
		return size, nil
	}
	end := bytes.LastIndexByte(tail, '\n') + 1
	line, before := tail[end:], []byte(nil)
	if end > 0 {
		before = tail[bytes.LastIndexByte(tail[:end-1], '\n')+1 : end-1]
	}
	if begins(line) && (ours(line) || begins(before) && ours(before)) {
		size -= int64(len(line))
		return size, f.Truncate(size)
	}
	_, err := f.WriteString("\n")
	return size + 1, err
}

// product stands in each record, whatever its format.
const product = "coredns-lookalike"

// ours reports whether a line that begins like a record is one of ours.
func ours(line []byte) bool { return bytes.Contains(line, []byte(product)) }

// begins reports whether a line begins like a record, as far as it is there.
func begins(line []byte) bool {
	return slices.ContainsFunc([]string{"{", "CEF:0|lookalike|", "LEEF:2.0|lookalike|", "[lookalike@"}, func(start string) bool {
		n := min(len(start), len(line))
		return n > 0 && string(line[:n]) == start[:n]
	})
}

// Send appends the batch with one write. Where the disk fills up in the
// middle, the part of a line that was written is cut off again, and the lines
// before it are settled.
func (s *Sink) Send(_ context.Context, batch []sink.Message) (int, error) {
	if err := s.reopen(); err != nil {
		return 0, err
	}
	s.buf = s.buf[:0]
	for i := range batch {
		s.buf = append(append(s.buf, batch[i].Body...), '\n')
	}
	written, err := s.file.Write(s.buf)
	if err == nil {
		s.good += int64(written)
		return len(batch), nil
	}
	n, whole := lines(batch, written)
	s.good += int64(whole)
	s.torn = written > whole
	s.mend()
	return n, err
}

// lines returns how many messages, and how many bytes with them, are whole in
// the first written bytes.
func lines(batch []sink.Message, written int) (n, whole int) {
	for i := range batch {
		next := whole + len(batch[i].Body) + 1
		if next > written {
			break
		}
		n, whole = i+1, next
	}
	return n, whole
}

// mend cuts a torn line off.
func (s *Sink) mend() {
	if s.torn && s.file.Truncate(s.good) == nil {
		s.torn = false
	}
}

// reopen opens the path again if it no longer leads to the open file.
func (s *Sink) reopen() error {
	if s.file != nil {
		s.mend()
		open, err := s.file.Stat()
		if err != nil {
			return err
		}
		named, err := os.Stat(s.path)
		if err == nil && os.SameFile(open, named) {
			s.good = open.Size()
			if s.torn {
				return fmt.Errorf("%s: an unfinished line cannot be cut off", s.path)
			}
			return nil
		}
		s.file.Close()
		s.file = nil
	}
	return s.open()
}

// Look reopens the path where the file has gone from it. So its space becomes
// free, and a reader of the path finds a file, before the next alert.
func (s *Sink) Look() { _ = s.reopen() } // Send says why not

// Close syncs and closes the file.
func (s *Sink) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Sync(), s.file.Close())
}
