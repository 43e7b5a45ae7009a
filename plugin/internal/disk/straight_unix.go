//go:build unix

package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// maxLinks is how many links of a path the system follows, and more.
const maxLinks = 255

// Straight returns an error if a directory of the path is a symbolic link that
// others could have made: they could have any file of the process written
// elsewhere. It follows links of our own, and looks at their targets likewise. It
// returns nil for a path that does not exist.
func Straight(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	at, rest, links := "/", strings.Split(dir, "/"), 0
	for len(rest) > 0 && links <= maxLinks {
		next := filepath.Join(at, rest[0]) // no link is in at, so that ".." is its parent
		rest = rest[1:]
		info, err := os.Lstat(next)
		if err != nil {
			return nil //nolint:nilerr // whoever opens it says so
		}
		if info.Mode()&os.ModeSymlink == 0 {
			at = next
			continue
		}
		parent, err := os.Stat(at)
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
		if OfOthers(parent) {
			return fmt.Errorf("%s is a symbolic link in a directory that others may write to: name a path through directories of your own", next)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = slices.Concat(strings.Split(target, "/"), rest)
		links++
	}
	return nil
}

// OfOthers reports whether somebody besides root and the process's user may write
// to a directory.
func OfOthers(dir os.FileInfo) bool {
	uid := dir.Sys().(*syscall.Stat_t).Uid
	return dir.Mode().Perm()&0o002 != 0 || uid != 0 && int(uid) != os.Geteuid()
}
