package syslog

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// userTimeout is how long, in milliseconds, written data may stay without an
// acknowledgement of the server's kernel before the connection is given up.
const userTimeout = 10_000

func control(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, userTimeout)
	}); e != nil {
		return e
	}
	return err
}
