// Package disk looks at what may be wrong with files that a server writes to: errors of
// a disk that may pass, and paths that others could lead elsewhere.
package disk

import (
	"errors"
	"slices"
	"syscall"
)

var passing = []error{syscall.ENOSPC, syscall.EROFS, syscall.EIO, syscall.EDQUOT}

// MayPass reports whether err is of a disk that is full, read-only or failing,
// and so may pass without a change of the configuration.
func MayPass(err error) bool {
	return slices.ContainsFunc(passing, func(known error) bool { return errors.Is(err, known) })
}
