package test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// perQuery are the transports that have a stream or a request for each query.
var perQuery = []struct {
	name    string
	network string // that an alert tells of
	ask     func(tb testing.TB, client netip.Addr, server *harness.Server, query []byte) []byte
}{
	{"https", "tcp", overHTTP("HTTPS", harness.HTTPS)},
	{"https3", "udp", overHTTP("HTTPS3", harness.HTTPS3)},
	{"quic", "udp", func(tb testing.TB, client netip.Addr, server *harness.Server, query []byte) []byte {
		tb.Helper()
		return harness.QUIC(tb, client, server.Addr("QUIC"), query, true)
	}},
}

// overHTTP asks by post and wants a DNS message in the response.
func overHTTP(
	port string, post func(testing.TB, netip.Addr, netip.AddrPort, []byte) (int, []byte),
) func(testing.TB, netip.Addr, *harness.Server, []byte) []byte {
	return func(tb testing.TB, client netip.Addr, server *harness.Server, query []byte) []byte {
		tb.Helper()
		status, body := post(tb, client, server.Addr(port), query)
		if status != http.StatusOK {
			tb.Fatalf("HTTP status %d: %s", status, body)
		}
		return body
	}
}

// overAll has a server block with this directive for each transport.
func overAll(t *testing.T, directive string) string {
	t.Helper()
	return corefile(directive) + overTLS(t, directive) + encrypted(t, "https", directive) +
		encrypted(t, "https3", directive) + encrypted(t, "quic", directive)
}

// TestEncryptedTransports asks over HTTPS and QUIC, from an address for each,
// which Linux lets loopback have. What is blocked and what passes is the same as
// over UDP, for the clients in scope, and the alert names the client.
func TestEncryptedTransports(t *testing.T) {
	t.Parallel()
	const directive = "lookalike {\n clients 127.1.0.0/16\n }"
	upstream := harness.NewUpstream(t)
	server := harness.Start(t, harness.Config{Corefile: overAll(t, directive), Upstream: upstream.Addr})
	tests := []struct {
		name    string
		client  string // the last number is the transport's
		query   *dns.Msg
		blocked bool
	}{
		{"lookalike", "127.1.%d.%d", harness.Query("army.ml", dns.TypeMX), true},
		{"lookalike with EDNS", "127.1.%d.%d", harness.QueryEDNS("mx.army.ml", dns.TypeA, true), true},
		{"another name", "127.1.%d.%d", harness.Query("example.org", dns.TypeMX), false},
		{"protected name", "127.1.%d.%d", harness.QueryEDNS("army.mil", dns.TypeMX, true), false},
		{"lookalike for a client out of scope", "127.2.%d.%d", harness.Query("army.ml", dns.TypeMX), false},
	}
	for i, transport := range perQuery {
		for _, tt := range tests {
			client := netip.MustParseAddr(fmt.Sprintf(tt.client, 0, i+1))
			clientOfUDP := netip.MustParseAddr(fmt.Sprintf(tt.client, 1, i+1))
			tt.query.Id = 0 // as DNS over QUIC demands (RFC 9250 section 4.2.1)
			query := harness.Pack(t, tt.query)
			got := transport.ask(t, client, server, query)
			want := harness.UDPFrom(t, clientOfUDP, server.Addr("DNS"), query)
			if r := harness.Unpack(t, got); isBlocked(r) != tt.blocked || !bytes.Equal(got, want) {
				t.Errorf("%s over %s: blocked %t, want %t; the answer is\n%v\nand over UDP\n%v",
					tt.name, transport.name, isBlocked(r), tt.blocked, r, harness.Unpack(t, want))
			}
		}
		client := fmt.Sprintf("127.1.0.%d", i+1)
		server.WaitAlert(t, "for "+client+" over "+transport.name, func(a harness.Alert) bool {
			return a.Source.IP == client && slices.Contains(a.Lookalike.Protocol, transport.name) && a.Network.Transport == transport.network
		})
	}
	server.Stop()
	alerts := server.Alerts(t)
	if got, want := harness.Sum(alerts), 2*2*len(perQuery); got != want {
		t.Errorf("The alerts tell of %d queries, want %d", got, want)
	}
	for _, a := range alerts {
		if !strings.HasPrefix(a.Source.IP, "127.1.") {
			t.Errorf("An alert for another client: %s", a.Raw)
		}
	}
}

// TestDropIsSilence shows what a client gets of a query that is dropped, and
// that another one is answered after it. HTTP has no silence.
func TestDropIsSilence(t *testing.T) {
	t.Parallel()
	const directive = "lookalike {\n action drop\n }"
	upstream := harness.NewUpstream(t)
	server := harness.Start(t, harness.Config{Corefile: overAll(t, directive), Upstream: upstream.Addr})
	dropped, answered := harness.Query("army.ml", dns.TypeMX), harness.Query("example.org", dns.TypeMX)
	dropped.Id, answered.Id = 0, 0
	queries := [][]byte{harness.Pack(t, dropped), harness.Pack(t, answered)}

	if replies := harness.Replies(t, harness.Loopback, server.Addr("DNS"), queries[0], false); len(replies) != 0 {
		t.Errorf("%d replies over UDP, want none", len(replies))
	}
	for network, port := range map[string]string{"tcp": "DNS", "tcp-tls": "TLS"} {
		replies := harness.Pipeline(t, network, server.Addr(port), queries, 1)
		if len(replies) != 1 || harness.Unpack(t, replies[0]).Question[0].Name != "example.org." {
			t.Errorf("%d replies over %s, want the one for example.org", len(replies), network)
		}
	}
	if reply := harness.QUIC(t, harness.Loopback, server.Addr("QUIC"), queries[0], false); reply != nil {
		t.Errorf("A reply over QUIC: %v", harness.Unpack(t, reply))
	}
	for port, post := range map[string]func(testing.TB, netip.Addr, netip.AddrPort, []byte) (int, []byte){
		"HTTPS": harness.HTTPS, "HTTPS3": harness.HTTPS3,
	} {
		status, body := post(t, harness.Loopback, server.Addr(port), queries[0])
		if status != http.StatusInternalServerError || string(body) != "No response\n" {
			t.Errorf("%s: status %d: %q, want 500: No response", port, status, body)
		}
	}
	for _, transport := range perQuery {
		if r := harness.Unpack(t, transport.ask(t, harness.Loopback, server, queries[1])); len(r.Answer) != 1 {
			t.Errorf("%s: want the answer for example.org, got\n%v", transport.name, r)
		}
	}
	if n := upstream.Below("ml."); n != 0 {
		t.Errorf("%d queries below ml. reached the upstream", n)
	}
	server.Stop()
	if n := harness.Sum(server.Alerts(t)); n != 6 {
		t.Errorf("The alerts tell of %d queries, want 6", n)
	}
}
