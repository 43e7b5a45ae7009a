//go:build unix

package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lookalike-dns/lookalike/plugin/internal/disk"
)

// openFile opens a file with these flags of package os. In a directory that others may
// write to, it follows no symbolic link and takes no file with a second hard
// link. Otherwise somebody could use either to change a file of ours, or of
// root's.
func openFile(path string, flags int) (*os.File, error) {
	if err := disk.Straight(filepath.Dir(path)); err != nil {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: errors.Unwrap(err)}
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return nil, err
	}
	foreign := disk.OfOthers(info)
	flags |= unix.O_CLOEXEC | unix.O_NONBLOCK
	if foreign {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Openat(int(dir.Fd()), filepath.Base(path), flags, mode)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	if info, err = f.Stat(); err == nil && foreign && info.Mode().IsRegular() && info.Sys().(*syscall.Stat_t).Nlink > 1 {
		err = fmt.Errorf("%s: the file has another name elsewhere, and others may write to its directory: name a file in a directory of your own", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// CreateForOwner creates a missing file for the owner of its directory, where
// the process is root's. A server that runs as another user could not open a
// file of root's.
//
// The owner of the directory could put a link there, to have any file of the
// system created and given to them. So the file is created in the very
// directory whose owner was looked up, and only where nothing has the name, not
// even a link. Open reports what is wrong with the path.
func CreateForOwner(path string) error {
	if os.Geteuid() != 0 || disk.Straight(filepath.Dir(path)) != nil {
		return nil
	}
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil //nolint:nilerr // Open says it
	}
	defer dir.Close()
	info, err := dir.Stat(".")
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Dir(path), err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if owner.Uid == 0 {
		return nil
	}
	f, err := dir.OpenFile(filepath.Base(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil //nolint:nilerr // there is one, or Open says it
	}
	defer f.Close()
	if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("%s was created and stays root's: %w", path, err)
	}
	return nil
}
