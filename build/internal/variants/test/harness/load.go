package harness

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Load is a number of clients that ask one after the other, each waiting for
// its answer, until they are stopped.
type Load struct {
	Sent     atomic.Int64 // queries written
	Answered atomic.Int64 // replies as expected
	Wrong    atomic.Int64 // replies with another RCODE, or that cannot be read
	Lost     atomic.Int64 // queries without a reply in time, while the server was there

	stop    chan struct{}
	clients sync.WaitGroup
}

// StartLoad starts one client for each name, which asks for its MX by UDP and
// expects the RCODE. The clients end with the test at the latest.
func StartLoad(tb testing.TB, server netip.AddrPort, rcode int, names ...string) *Load {
	tb.Helper()
	l := &Load{stop: make(chan struct{})}
	for _, name := range names {
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
		if err != nil {
			tb.Fatal(err)
		}
		l.clients.Go(func() { l.client(conn, Query(name, dns.TypeMX), rcode) })
	}
	tb.Cleanup(l.Stop)
	return l
}

// Stop ends the clients and waits for them.
func (l *Load) Stop() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.clients.Wait()
}

// patience of a client of the load; a reply that takes longer counts as lost.
const clientPatience = 5 * time.Second

func (l *Load) client(conn net.Conn, q *dns.Msg, rcode int) {
	defer conn.Close()
	buf := make([]byte, dns.MaxMsgSize)
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		q.Id = dns.Id()
		wire, err := q.Pack()
		if err != nil {
			l.Wrong.Add(1)
			return
		}
		if _, err := conn.Write(wire); err != nil {
			return // the server is gone
		}
		l.Sent.Add(1)
		if err := l.await(conn, buf, q.Id, rcode); err != nil {
			return
		}
	}
}

// await reads until the reply with this id comes. It returns an error when none
// can come any more.
func (l *Load) await(conn net.Conn, buf []byte, id uint16, rcode int) error {
	_ = conn.SetReadDeadline(time.Now().Add(clientPatience))
	for {
		n, err := conn.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			l.Lost.Add(1)
			return nil
		}
		if err != nil {
			return err
		}
		var reply dns.Msg
		switch err := reply.Unpack(buf[:n]); {
		case err != nil:
			l.Wrong.Add(1)
			return nil
		case reply.Id != id:
			continue // to a query that was given up
		case reply.Rcode != rcode:
			l.Wrong.Add(1)
			return nil
		}
		l.Answered.Add(1)
		return nil
	}
}
