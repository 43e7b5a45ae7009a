//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spool

import (
	"os"
	"syscall"
)

// unlock releases the lock by which bbolt keeps other processes, and other
// handles of this one, from a file. Closing the file would not do: the lock
// lasts as long as its memory map.
func unlock(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) //nolint:gosec // descriptors are small
}
