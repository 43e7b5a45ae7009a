//go:build e2e

package test

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"
	"github.com/pires/go-proxyproto"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// dnsdist hands on the queries of everybody on loopback, with the PROXY protocol.
const dnsdistConf = `
setSecurityPollSuffix("")
setLocal("127.0.0.1:{PORT}")
setACL("127.0.0.0/8")
newServer({address="{UPSTREAM}:{UPSTREAMPORT}", useProxyProtocol=true`

// proxied is a server that believes the proxy at 127.0.0.1 and nobody else, and
// that guards one client.
const proxied = `.:{$DNS} {
	bind 127.0.0.1
	proxyproto {
		allow 127.0.0.1/32
	}
	lookalike {
		clients 127.0.0.5
		alert ./alerts.json every=query
	}
	forward . {$UPSTREAM}
}
`

// TestDnsdist puts Debian's dnsdist in front of the server. The directive goes by
// the client behind it, over UDP and TCP. Over UDP, CoreDNS drops the headers
// that dnsdist's health checks have, so it is told either to reach the server by
// TCP, or not to check it.
func TestDnsdist(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]string{"over TCP": ", tcpOnly=true})", "unchecked": "}):setUp()"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := harness.Start(t, harness.Config{Corefile: proxied, Upstream: harness.NewUpstream(t).Addr})
			dnsdist := harness.Resolver{
				Program: "dnsdist", Args: []string{"--supervised", "--disable-syslog", "-C", "{DIR}/conf"},
				Files: map[string]string{"conf": dnsdistConf + options},
			}
			front := dnsdist.Start(t, server.Addr("DNS"), harness.Answers(answering)).Addr()
			for _, network := range []string{"udp", "tcp"} {
				for _, tt := range []struct {
					client  string
					blocked bool
				}{{"127.0.0.5", true}, {"127.0.0.6", false}, {"127.0.0.1", false}} {
					reply := exchangeFrom(t, network, netip.MustParseAddr(tt.client), front, nil)
					if isBlocked(reply) != tt.blocked {
						t.Errorf("%s by %s through dnsdist: blocked %t, want %t\n%v", tt.client, network, !tt.blocked, tt.blocked, reply)
					}
				}
			}
			checkProxied(t, server, "127.0.0.5 udp", "127.0.0.5 tcp")
		})
	}
}

// TestForgedProxy has clients say that they are proxies. They stay who they are.
func TestForgedProxy(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Config{Corefile: proxied, Upstream: harness.NewUpstream(t).Addr})
	tests := []struct {
		from, claims string
		blocked      bool
	}{
		{"127.0.0.5", "127.0.0.6", true},  // out of scope, so it says
		{"127.0.0.6", "127.0.0.5", false}, // would accuse another
		{"127.0.0.1", "127.0.0.5", true},  // the proxy
		{"127.0.0.1", "127.0.0.6", false},
	}
	for _, network := range []string{"udp", "tcp"} {
		for _, tt := range tests {
			header := proxyHeader(t, network, tt.claims)
			reply := exchangeFrom(t, network, netip.MustParseAddr(tt.from), server.Addr("DNS"), header)
			if isBlocked(reply) != tt.blocked {
				t.Errorf("%s as %s by %s: blocked %t, want %t\n%v", tt.from, tt.claims, network, !tt.blocked, tt.blocked, reply)
			}
		}
	}
	checkProxied(t, server, "127.0.0.5 udp", "127.0.0.5 udp", "127.0.0.5 tcp", "127.0.0.5 tcp")
}

// proxyHeader is a PROXY header, version 2, in which the client is another.
func proxyHeader(t *testing.T, network, client string) []byte {
	t.Helper()
	var from, to net.Addr
	from, to = &net.UDPAddr{IP: net.ParseIP(client), Port: 5353}, &net.UDPAddr{IP: net.ParseIP("127.0.0.1"), Port: 53}
	if network == "tcp" {
		from, to = &net.TCPAddr{IP: net.ParseIP(client), Port: 5353}, &net.TCPAddr{IP: net.ParseIP("127.0.0.1"), Port: 53}
	}
	header, err := proxyproto.HeaderProxyFromAddrs(2, from, to).Format()
	if err != nil {
		t.Fatal(err)
	}
	return header
}

// exchangeFrom asks for army.ml from the client's address, behind what comes
// first on the connection.
func exchangeFrom(t *testing.T, network string, client netip.Addr, server netip.AddrPort, first []byte) *dns.Msg {
	t.Helper()
	query := harness.Pack(t, harness.Query("army.ml", dns.TypeMX))
	if network == "udp" {
		return harness.Unpack(t, harness.UDPFrom(t, client, server, append(first, query...)))
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: client.AsSlice()}, Timeout: harness.Patience}
	conn, err := dialer.DialContext(t.Context(), "tcp", server.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	harness.SetDeadline(t, conn)
	if _, err := conn.Write(first); err != nil {
		t.Fatal(err)
	}
	c := &dns.Conn{Conn: conn}
	if _, err := c.Write(query); err != nil {
		t.Fatal(err)
	}
	reply, err := c.ReadMsg()
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// checkProxied ends the server, and wants it to have told of one query of each
// of these clients and transports, in this order.
func checkProxied(t *testing.T, server *harness.Server, want ...string) {
	t.Helper()
	server.Stop()
	var got []string
	for _, a := range fileAlerts(t, server) {
		got = append(got, a.Source.IP+" "+a.Network.Transport)
	}
	if !slices.Equal(got, want) {
		t.Errorf("The alerts tell of %q, want %q", got, want)
	}
}
