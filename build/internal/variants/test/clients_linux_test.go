package test

import (
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// TestClients asks from many addresses, which Linux lets loopback have.
func TestClients(t *testing.T) {
	t.Parallel()
	tests := []struct {
		clients string
		from    string
		blocked bool
	}{
		{"127.0.0.2", "127.0.0.2", true},
		{"127.0.0.2", "127.0.0.1", false},
		{"127.0.0.2", "127.0.0.3", false},
		{"127.1.0.0/16", "127.1.255.255", true},
		{"127.1.0.0/16", "127.2.0.0", false},
		{"127.0.0.2 127.1.0.0/16 2001:db8::/32", "127.0.0.2", true},
		{"127.0.0.2 127.1.0.0/16 2001:db8::/32", "127.1.2.3", true},
		{"127.0.0.2 127.1.0.0/16 2001:db8::/32", "127.2.2.3", false},
		{"::ffff:127.0.0.2", "127.0.0.2", true},
		{"::ffff:127.1.0.0/112", "127.1.9.9", true},
		{"::ffff:127.1.0.0/112", "127.2.0.1", false},
		{"0.0.0.0/0", "127.0.0.1", true},
		{"::/0", "127.0.0.1", false},
		{"::/0", "::1", true},
		{"::1", "::1", true},
		{"::1", "127.0.0.1", false},
		{"0.0.0.0/0", "::1", false},
	}
	upstream := harness.NewUpstream(t)
	servers := make(map[string]*harness.Server)
	for _, tt := range tests {
		if servers[tt.clients] == nil {
			servers[tt.clients] = harness.Start(t, harness.Config{
				// One socket for both families: an IPv4 client shows as an
				// IPv4-mapped address there.
				Corefile: `.:{$DNS} {
	errors
	bind ` + anyAddress() + `
	lookalike {
		clients ` + tt.clients + `
	}
	forward . {$UPSTREAM}
}
`,
				Upstream: upstream.Addr,
			})
		}
		t.Run(tt.clients+"/"+tt.from, func(t *testing.T) {
			from, to := netip.MustParseAddr(tt.from), servers[tt.clients].Addr("DNS")
			if from.Is6() {
				if !hasIPv6() {
					skip := t.Skip
					if os.Getenv("LOOKALIKE_E2E") != "" { // set by "make e2e", which must not pass without this
						skip = t.Fatal
					}
					skip("This machine has no ::1")
				}
				to = netip.AddrPortFrom(netip.IPv6Loopback(), to.Port())
			}
			query := harness.Pack(t, harness.Query("army.ml", dns.TypeMX))
			r := harness.Unpack(t, harness.UDPFrom(t, from, to, query))
			if isBlocked(r) != tt.blocked {
				t.Errorf("Blocked %t, want %t", isBlocked(r), tt.blocked)
			}
		})
	}
}

// TestCorefilesRefuse asks the ready-made Corefiles for mail resolvers from an
// address that they name, and from others.
func TestCorefilesRefuse(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"monitor", "enforce", "sinkhole", "fleet"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../corefile/" + file)
			if err != nil {
				t.Fatal(err)
			}
			upstream := harness.NewUpstream(t)
			server := harness.Start(t, harness.Config{Corefile: local.Replace(string(text)), Upstream: upstream.Addr})
			for from, want := range map[string]int{
				"127.0.0.1": dns.RcodeSuccess, "127.0.2.25": dns.RcodeSuccess, "127.0.3.1": dns.RcodeRefused, "127.9.9.9": dns.RcodeRefused,
			} {
				query := harness.Pack(t, harness.Query("example.org", dns.TypeMX))
				r := harness.Unpack(t, harness.UDPFrom(t, netip.MustParseAddr(from), server.Addr("DNS"), query))
				if r.Rcode != want {
					t.Errorf("%s gets %s, want %s", from, dns.RcodeToString[r.Rcode], dns.RcodeToString[want])
				}
			}
		})
	}
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		l.Close()
	}
	return err == nil
}

// anyAddress is the wildcard of IPv6, which takes IPv4 in too, where there is
// IPv6.
func anyAddress() string {
	if hasIPv6() {
		return "::"
	}
	return "0.0.0.0"
}
