package harness

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// quiet is how long nothing must arrive for a query to count as answered in
// full. It bounds only what a test can notice: a late second reply goes unseen.
const quiet = 150 * time.Millisecond

// Loopback is 127.0.0.1.
var Loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Query makes a query for name with recursion desired, without EDNS.
func Query(name string, qtype uint16) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), qtype)
	return m
}

// QueryEDNS makes a query with an OPT record.
func QueryEDNS(name string, qtype uint16, do bool) *dns.Msg {
	return Query(name, qtype).SetEdns0(1232, do)
}

// Pack gives the message in wire format.
func Pack(tb testing.TB, m *dns.Msg) []byte {
	tb.Helper()
	wire, err := m.Pack()
	if err != nil {
		tb.Fatal(err)
	}
	return wire
}

// Unpack reads a message in wire format.
func Unpack(tb testing.TB, wire []byte) *dns.Msg {
	tb.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		tb.Fatalf("A reply that cannot be read: %v\n% x", err, wire)
	}
	return m
}

// Replies sends one query by UDP from the client address and returns every
// datagram that comes back until it has been quiet for a while. With none
// expected it waits no longer than that; otherwise it waits for the first.
func Replies(tb testing.TB, client netip.Addr, server netip.AddrPort, query []byte, expected bool) [][]byte {
	tb.Helper()
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: client.AsSlice()}, net.UDPAddrFromAddrPort(server))
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(query); err != nil {
		tb.Fatal(err)
	}
	var replies [][]byte
	buf := make([]byte, dns.MaxMsgSize)
	for {
		wait := quiet
		if expected && replies == nil {
			wait = Patience
		}
		_ = conn.SetReadDeadline(time.Now().Add(wait))
		n, err := conn.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return replies
		}
		if err != nil {
			tb.Fatal(err)
		}
		replies = append(replies, append([]byte(nil), buf[:n]...))
	}
}

// Exchange sends a query over "udp", "tcp" or "tcp-tls" and returns the reply,
// or fails the test.
func Exchange(tb testing.TB, network string, server netip.AddrPort, query *dns.Msg) *dns.Msg {
	tb.Helper()
	client := dns.Client{Net: network, Timeout: Patience, TLSConfig: insecure("dot")}
	reply, _, err := client.ExchangeContext(tb.Context(), query, server.String())
	if err != nil {
		tb.Fatalf("%s over %s: %v", query.Question[0].String(), network, err)
	}
	return reply
}

// SetDeadline bounds what follows on the connection by [Patience].
func SetDeadline(tb testing.TB, conn net.Conn) {
	tb.Helper()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		tb.Fatal(err)
	}
}

// insecure accepts the certificate that a test made for itself.
func insecure(protocol string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}}
}

// UDP sends one query from 127.0.0.1 and returns the reply; more or less than
// one fails the test.
func UDP(tb testing.TB, server netip.AddrPort, query []byte) []byte {
	tb.Helper()
	return UDPFrom(tb, Loopback, server, query)
}

// UDPFrom is [UDP] from another address of this machine.
func UDPFrom(tb testing.TB, client netip.Addr, server netip.AddrPort, query []byte) []byte {
	tb.Helper()
	replies := Replies(tb, client, server, query, true)
	if len(replies) != 1 {
		tb.Fatalf("%d replies to one query, want 1", len(replies))
	}
	return replies[0]
}

// TCP sends one query over a connection of its own and returns the reply.
func TCP(tb testing.TB, server netip.AddrPort, query []byte) []byte {
	tb.Helper()
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(server))
	if err != nil {
		tb.Fatal(err)
	}
	return onStream(tb, conn, query)
}

// TLS is [TCP] over TLS.
func TLS(tb testing.TB, server netip.AddrPort, query []byte) []byte {
	tb.Helper()
	conn, err := tls.Dial("tcp", server.String(), insecure("dot"))
	if err != nil {
		tb.Fatal(err)
	}
	return onStream(tb, conn, query)
}

// onStream sends a query and reads replies until the server has been quiet for a
// while; more or less than one fails the test.
func onStream(tb testing.TB, conn net.Conn, query []byte) []byte {
	tb.Helper()
	defer conn.Close()
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	if _, err := conn.Write(framed); err != nil {
		tb.Fatal(err)
	}
	reply, err := readFrame(conn, Patience)
	if err != nil {
		tb.Fatal(err)
	}
	if again, err := readFrame(conn, quiet); err == nil {
		tb.Fatalf("A second reply on the connection: % x", again)
	}
	return reply
}

// Pipeline sends all queries over one connection, "tcp" or "tcp-tls", in one
// write, and returns the replies that come until the server has been quiet for
// a while after the last of those expected.
func Pipeline(tb testing.TB, network string, server netip.AddrPort, queries [][]byte, expected int) [][]byte {
	tb.Helper()
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(server))
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	var stream net.Conn = conn
	if network == "tcp-tls" {
		stream = tls.Client(conn, insecure("dot"))
	}
	var all []byte
	for _, query := range queries {
		all = append(binary.BigEndian.AppendUint16(all, uint16(len(query))), query...)
	}
	if _, err := stream.Write(all); err != nil {
		tb.Fatal(err)
	}
	var replies [][]byte
	for {
		wait := Patience
		if len(replies) >= expected {
			wait = quiet
		}
		reply, err := readFrame(stream, wait)
		if err != nil {
			return replies
		}
		replies = append(replies, reply)
	}
}

// stream is a connection, or a part of one, that messages come over one after
// the other.
type stream interface {
	io.Reader
	SetReadDeadline(t time.Time) error
}

func readFrame(conn stream, wait time.Duration) ([]byte, error) {
	_ = conn.SetReadDeadline(time.Now().Add(wait))
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	reply := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(conn, reply)
	return reply, err
}
