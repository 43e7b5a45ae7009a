//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package spool

import (
	"os"
)

// unlock does nothing: bbolt locks files in another way here.
func unlock(*os.File) {}
