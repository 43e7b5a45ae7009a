//go:build e2e

package test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestInFlight has 10,000 queries wait for a resolver that never answers. Their
// goroutines start with the stack of a query, and grow to what forward needs, so
// that all of them take no more memory than this.
func TestInFlight(t *testing.T) {
	const queries, most = 10_000, 32 << 10 // bytes a query
	hole, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike"),
		Upstream: hole.LocalAddr().(*net.UDPAddr).AddrPort(),
	})
	resting := server.Memory(t, "VmRSS")
	flood(t, server.Addr("DNS"), queries)
	wait.Until(t, "nearly all queries to wait", func() bool { return server.Metric(t, "go_goroutines") > queries*3/4 })
	waiting := server.Metric(t, "go_goroutines")
	each := float64(server.Memory(t, "VmHWM")-resting) / waiting
	t.Logf("%.0f goroutines, %.1f KiB each, stacks of %.1f MiB", waiting, each/(1<<10), server.Metric(t, "go_memstats_stack_inuse_bytes")/(1<<20))
	if each > most {
		t.Errorf("A query in flight takes %.0f bytes, want at most %d", each, most)
	}
}

// flood sends so many queries for different names, at a pace that buffers bear.
func flood(t *testing.T, server netip.AddrPort, queries int) {
	t.Helper()
	const burst, pause = 50, 3 * time.Millisecond
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range queries {
		if _, err := conn.Write(harness.Pack(t, harness.Query(fmt.Sprintf("host%d.example.org", i), dns.TypeA))); err != nil {
			t.Fatal(err)
		}
		if i%burst == 0 {
			time.Sleep(pause)
		}
	}
}
