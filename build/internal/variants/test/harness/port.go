package harness

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// Ports are taken from below the range that systems use for outgoing
// connections, of which a test makes many.
const firstPort, lastPort = 10240, 32767

// handedOut are the ports that this process has given away already.
var handedOut sync.Map

// listen opens a port of 127.0.0.1 for UDP and TCP.
func listen() (*net.UDPConn, *net.TCPListener, error) {
	for range 100 {
		port := uint16(firstPort + rand.IntN(lastPort-firstPort+1))
		if _, taken := handedOut.LoadOrStore(port, true); taken {
			continue
		}
		addr := netip.AddrPortFrom(Loopback, port)
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
		if err != nil {
			continue
		}
		p, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		if err != nil {
			l.Close()
			continue
		}
		return p, l, nil
	}
	return nil, nil, errors.New("no free port on 127.0.0.1")
}

// freePort finds a port of 127.0.0.1 that is free for UDP and TCP.
func freePort() (uint16, error) {
	p, l, err := listen()
	if err != nil {
		return 0, err
	}
	p.Close()
	l.Close()
	return p.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

// FreePort is a port of 127.0.0.1 that was free a moment ago.
func FreePort(tb testing.TB) uint16 {
	tb.Helper()
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	return port
}
