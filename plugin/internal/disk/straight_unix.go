//go:build unix

package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Straight returns an error if a directory of the path is a symbolic link that
// others could have made: they could have any file of the process written
// elsewhere. It is nil for a path that does not exist.
func Straight(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	at := "/"
	for part := range strings.SplitSeq(strings.TrimPrefix(dir, "/"), "/") {
		parent, err := os.Stat(at)
		if err != nil {
			return nil //nolint:nilerr // whoever opens it says so
		}
		next := filepath.Join(at, part)
		info, err := os.Lstat(next)
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
		if info.Mode()&os.ModeSymlink != 0 {
			if OfOthers(parent) {
				return fmt.Errorf("%s is a symbolic link in a directory that others may write to: name a path through directories of your own", next)
			}
			if next, err = filepath.EvalSymlinks(next); err != nil {
				return nil //nolint:nilerr // likewise
			}
		}
		at = next
	}
	return nil
}

// OfOthers reports whether somebody besides root and the process's user may write
// to a directory.
func OfOthers(dir os.FileInfo) bool {
	uid := dir.Sys().(*syscall.Stat_t).Uid
	return dir.Mode().Perm()&0o002 != 0 || uid != 0 && int(uid) != os.Geteuid()
}
