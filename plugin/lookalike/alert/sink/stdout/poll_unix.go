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
	return n > 0, err // an error or a hang-up is told by the write
}

// survivePipe has a write to a pipe that nobody reads any more fail, as writes
// to any other destination do. As Go programs come, it would end the process for
// standard output, and DNS with it.
func survivePipe() { signal.Ignore(unix.SIGPIPE) }
