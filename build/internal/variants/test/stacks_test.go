package test

import (
	"net"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/pkg/stacks"
	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// Goroutines start with the stack of a query, after a reload and beside many
// connections, too.
func TestStacks(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Config{Corefile: corefile("lookalike"), Upstream: harness.NewUpstream(t).Addr})
	fits := func() bool {
		for range 100 { // garbage, for a collection to happen
			harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("army.ml", dns.TypeMX))
		}
		return server.Metric(t, "coredns_lookalike_stack_start_bytes") == stacks.Query
	}
	wait.Until(t, "goroutines to start with the stack of a query", fits)

	if err := server.Reload(corefile("lookalike {\n ttl 5m\n }")); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "the same after a reload", fits)

	for range 200 {
		c, err := net.Dial("tcp", server.Addr("DNS").String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	wait.Until(t, "the same beside 200 connections", fits)
}
