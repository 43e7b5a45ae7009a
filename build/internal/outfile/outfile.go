// Package outfile writes files atomically: a file appears complete or not at all.
package outfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Private is the mode of what may name people: nobody else may read it.
const Private = 0o600

// File is a file in progress. It is invisible until Commit.
type File struct {
	*os.File
	path string // empty: written in place
}

// Create begins a file with this mode that Commit moves to path, in place of any
// regular file there. It writes directly to anything else at path, such as a device
// or a pipe. Where no file can be created, the error names the directory.
func Create(path string, mode os.FileMode) (*File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		return &File{File: f}, err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // the link stays
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if failed := new(os.PathError); errors.As(err, &failed) { // its path is of a file that nobody knows
		err = fmt.Errorf("directory %s: %w", dir, failed.Err)
	}
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(mode); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return &File{f, path}, nil
}

// Apart returns an error if path is one of the input files: the output would replace
// that file, which may be the only copy.
func Apart(path string, read []string) error {
	out, err := os.Stat(path)
	if err != nil || !out.Mode().IsRegular() {
		return nil // nothing is replaced
	}
	for _, name := range read {
		if in, err := os.Stat(name); err == nil && os.SameFile(out, in) {
			return fmt.Errorf("-o %s is %s, which is read: write to another file", path, name)
		}
	}
	return nil
}

// Commit syncs the contents to disk, gives the file its name, and syncs that, too.
func (f *File) Commit() error {
	if f.path == "" {
		return f.Close()
	}
	err := f.Sync()
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(f.path))
}

// syncDir has the names in a directory survive a crash. On Windows, a directory
// cannot be synced.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Discard removes the file.
func (f *File) Discard() {
	f.Close()
	if f.path != "" {
		os.Remove(f.Name())
	}
}

// Write calls write with a file for path, and commits the file unless write fails.
func Write(path string, mode os.FileMode, write func(io.Writer) error) error {
	f, err := Create(path, mode)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Discard()
		return err
	}
	return f.Commit()
}
