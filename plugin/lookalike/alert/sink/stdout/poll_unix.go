//go:build unix

package stdout

import (
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// writable waits for f to take data, without touching the mode of a
// descriptor that other processes may share.
func writable(f *os.File, d time.Duration) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLOUT}} //nolint:gosec // descriptors are small
	n, err := unix.Poll(fds, int(d.Milliseconds()))
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return n > 0, err // the write reports an error or a hang-up
}

// ignoreSIGPIPE makes a write to a pipe without a reader fail, as any other
// write does. By default, such a write to standard output ends a Go process,
// and DNS with it.
func ignoreSIGPIPE() { signal.Ignore(unix.SIGPIPE) }
