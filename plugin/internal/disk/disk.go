// Package disk tells what a disk may get over from what somebody has to mend in
// a configuration.
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
