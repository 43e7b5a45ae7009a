//go:build unix

package disk

import (
	"os"
	"syscall"
)

// OnlyRoot reports whether a file is root's, and nobody else may read it.
func OnlyRoot(name string) bool {
	info, err := os.Stat(name)
	if err != nil {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && owner.Uid == 0 && info.Mode().Perm()&0o044 == 0
}
