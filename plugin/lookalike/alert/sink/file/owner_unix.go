//go:build unix

package file

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// CreateForOwner creates the file, where there is none and the process is
// root's, for the owner of the directory: a server that runs as another user
// could not open one of root's.
//
// Whoever owns the directory could lay a link there to have any file of the
// system made and given to them. So the file is made in the directory that was
// asked for its owner, and only where nothing has the name, not even a link.
// What is wrong with the path Open says.
func CreateForOwner(path string) error {
	if os.Geteuid() != 0 {
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
