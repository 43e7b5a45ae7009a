package spool

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	berrors "go.etcd.io/bbolt/errors"
)

// A file that was removed under a running server, or has had another one put in
// its place, can be written as before, but no other run will find what is in it,
// and its lock keeps no other server from the directory.

// Look sets the gauges, finds out whether the file is still in its place, and
// puts a copy there if not. It asks the disk without the lock.
func (s *Spool) Look(now time.Time) {
	defer s.measure()
	s.mu.Lock()
	file, due := s.file, !now.Before(s.relook)
	s.mu.Unlock()
	if file == nil || !due {
		return
	}
	over := s.watch()
	lost := astray(file, s.path())
	s.mu.Lock()
	defer s.mu.Unlock()
	over()
	switch {
	case s.file != file:
	case lost:
		s.replace(now)
	case s.astray != nil: // somebody has put it back
		s.astray = nil
		s.showHealth()
	}
}

// astray reports whether a file is not the one at path. A disk that cannot tell
// may get over it.
func astray(file *os.File, path string) bool {
	there, err := os.Stat(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	info, err := file.Stat()
	return err == nil && !os.SameFile(there, info)
}

// replace goes on in a copy of the file, at its place. Where that cannot be, the
// file that is astray is still the best one there is. The lock is held.
func (s *Spool) replace(now time.Time) {
	defer s.watch()()
	if s.astray = putBack(s.file, s.path()); s.astray != nil {
		s.relook = now.Add(time.Minute)
		s.showHealth()
		log.Errorf("The file of the alert spool in %s was removed or replaced, and a copy cannot be put in its place: alerts that wait are lost when the server stops: %v", s.dir, s.astray)
		return
	}
	log.Errorf("The file of the alert spool in %s was removed or replaced under the running server: a copy with all that was in it is put in its place", s.dir)
	s.abandon()
	if err := guard(s.reopen); err != nil {
		s.fail(err)
		return
	}
	s.showHealth()
}

// putBack writes a file, which no transaction changes meanwhile, to path. What
// is there already is put aside, unless another process uses it.
func putBack(file *os.File, path string) error {
	_, err := os.Lstat(path)
	taken := err == nil
	if taken {
		if err := guard(func() error { return examine(path) }); errors.Is(err, berrors.ErrTimeout) {
			return errors.New("another process uses the directory (each server needs one of its own)")
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	fresh := path + ".new"
	defer os.Remove(fresh)
	if err := writeCopy(file, fresh); err != nil {
		return err
	}
	if taken {
		if err := os.Rename(path, asideName(path, "other")); err != nil {
			return err
		}
	}
	return os.Rename(fresh, path)
}

func writeCopy(from *os.File, path string) error {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.NewSectionReader(from, 0, info.Size()))
	return errors.Join(err, to.Sync(), to.Close())
}
