//go:build !linux

package harness

import (
	"errors"
	"time"
)

// CPU is known on Linux only.
func CPU(int) (time.Duration, error) { return 0, errors.ErrUnsupported }
