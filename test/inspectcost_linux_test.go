//go:build e2e

package test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// exchanges is how many MX fit into an answer, with names that are costly to
// compare.
const exchanges = 2900

// TestInspectCost has answers with 2,900 MX, which are never the same, looked at.
// That takes less than twice the processor time of passing them on: an answer
// costs less than 3 times the plain one. The two servers are asked in turn.
func TestInspectCost(t *testing.T) {
	upstream := crowdedUpstream(t)
	start := func(directive string) *harness.Server {
		return harness.Start(t, harness.Config{Corefile: corefile(directive), Upstream: upstream})
	}
	plain, inspecting := start("lookalike {\n alert ./alerts.json\n }"), start("lookalike {\n inspect\n alert ./alerts.json\n }")
	const rounds, queries = 9, 8
	var ratios []float64
	for round := range rounds + 1 {
		of := func(s *harness.Server) time.Duration {
			before := processorTime(t, s)
			for range queries {
				if reply := harness.Exchange(t, "tcp", s.Addr("DNS"), harness.Query("many.example.org", dns.TypeMX)); len(reply.Answer) != exchanges {
					t.Fatalf("%d of %d MX", len(reply.Answer), exchanges)
				}
			}
			return (processorTime(t, s) - before) / queries
		}
		base, looked := of(plain), of(inspecting)
		if round == 0 {
			continue // memory grows to its size
		}
		t.Logf("Passed on in %v, looked at in %v", base, looked)
		ratios = append(ratios, float64(looked)/float64(base))
	}
	slices.Sort(ratios)
	if median := ratios[len(ratios)/2]; median >= 3 {
		t.Errorf("With inspect an answer takes %.1f times the processor time, want less than 3 times", median)
	} else {
		t.Logf("With inspect an answer takes %.2f times the processor time", median)
	}
	if n := inspecting.Metric(t, "coredns_lookalike_detections_total"); n == 0 {
		t.Error("No target was found: nothing has been looked at")
	}
}

func processorTime(t *testing.T, s *harness.Server) time.Duration {
	t.Helper()
	used, err := s.CPU()
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// crowdedUpstream answers by TCP alone, each time with other exchanges.
func crowdedUpstream(t *testing.T) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", localAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	server := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		m.Compress = true
		from := asked.Add(1) * exchanges
		mx := func(name string) {
			m.Answer = append(m.Answer, &dns.MX{
				Hdr: dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeMX, Class: dns.ClassINET, Ttl: 60},
				Mx:  name,
			})
		}
		mx("army-mail.ml.") // which is reported
		for i := range int64(exchanges - 1) {
			mx(fmt.Sprintf("%x.departrnent-0f-defen5-mail.ml.", (from+i)%(1<<16)))
		}
		_ = w.WriteMsg(m) // the asker may be gone
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.ActivateAndServe() // ends by Shutdown
	}()
	t.Cleanup(func() {
		_ = server.Shutdown()
		wait.For(t, "the end of the upstream", ended)
	})
	return netip.MustParseAddrPort(listener.Addr().String())
}
