//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package journal

import "os"

// lock does nothing: a directory cannot be locked here.
func lock(*os.File) error { return nil }

// syncDirectory does nothing: names are on the disk without it, or nothing can
// be done about it.
func syncDirectory(*os.File) error { return nil }
