package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// HTTPS sends one query from the client address by DNS over HTTPS, in HTTP/2,
// and returns the status and body of the response.
func HTTPS(tb testing.TB, client netip.Addr, server netip.AddrPort, query []byte) (status int, body []byte) {
	tb.Helper()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: client.AsSlice()}}
	transport := &http.Transport{DialContext: from.DialContext, TLSClientConfig: insecure("h2"), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	return post(tb, transport, server, query)
}

// HTTPS3 is [HTTPS] in HTTP/3.
func HTTPS3(tb testing.TB, client netip.Addr, server netip.AddrPort, query []byte) (status int, body []byte) {
	tb.Helper()
	transport := &http3.Transport{
		TLSClientConfig: insecure("h3"),
		Dial: func(context.Context, string, *tls.Config, *quic.Config) (*quic.Conn, error) {
			return dialQUIC(tb, client, server, "h3"), nil
		},
	}
	defer transport.Close()
	return post(tb, transport, server, query)
}

func post(tb testing.TB, transport http.RoundTripper, server netip.AddrPort, query []byte) (status int, body []byte) {
	tb.Helper()
	client := http.Client{Transport: transport, Timeout: Patience}
	response, err := client.Post("https://"+server.String()+"/dns-query", "application/dns-message", bytes.NewReader(query))
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return response.StatusCode, body
}

// QUIC sends one query from the client address by DNS over QUIC, on a connection
// of its own, and returns the reply, nil where none is expected and none comes
// for a while.
func QUIC(tb testing.TB, client netip.Addr, server netip.AddrPort, query []byte, expected bool) []byte {
	tb.Helper()
	conn := dialQUIC(tb, client, server, "doq")
	stream, err := conn.OpenStreamSync(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := stream.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		tb.Fatal(err)
	}
	if err := stream.Close(); err != nil { // ends the query (RFC 9250 section 4.2)
		tb.Fatal(err)
	}
	wait := quiet
	if expected {
		wait = Patience
	}
	reply, err := readFrame(stream, wait)
	if !expected && errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		tb.Fatal(err)
	}
	return reply
}

// dialQUIC connects from the client address. The connection ends with the test.
func dialQUIC(tb testing.TB, client netip.Addr, server netip.AddrPort, protocol string) *quic.Conn {
	tb.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: client.AsSlice()})
	if err != nil {
		tb.Fatal(err)
	}
	transport := &quic.Transport{Conn: socket}
	conn, err := transport.Dial(tb.Context(), net.UDPAddrFromAddrPort(server), insecure(protocol), nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = conn.CloseWithError(0, "") // the test is over
		_ = transport.Close()
		socket.Close()
	})
	return conn
}
