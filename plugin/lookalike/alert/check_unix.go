//go:build unix

package alert

import (
	"os"
	"syscall"
)

// onlyRoot reports whether a file is root's, and nobody else may read it.
func onlyRoot(file string) bool {
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && owner.Uid == 0 && info.Mode().Perm()&0o044 == 0
}
