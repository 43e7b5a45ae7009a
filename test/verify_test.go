package test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestVerify asks for names that resemble nothing listed. The plugins below are
// asked for their counterparts: the cache keeps what they answer, and the log has
// the clients' queries alone.
func TestVerify(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	server := harness.Start(t, harness.Config{
		Corefile: corefile("log\n lookalike {\n protect us.af.mil\n verify\n }", "cache 30"),
		Upstream: upstream.Addr,
	})
	tests := []struct {
		name    string
		qtype   uint16
		blocked bool
	}{
		{"army.ml.", dns.TypeMX, true}, // army.mil exists
		{"mx.army.ml.", dns.TypeA, true},
		{"navy.ml.", dns.TypeMX, false}, // navy.mil does not
		{"navy.ml.", dns.TypeA, false},
		{"example.org.", dns.TypeMX, false},
	}
	for range 2 {
		for _, tc := range tests {
			m := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(tc.name, tc.qtype))
			if blocked := m.Rcode == dns.RcodeNameError; blocked != tc.blocked {
				t.Errorf("%s %s: got %v", tc.name, dns.Type(tc.qtype), m)
			}
		}
	}
	if n := upstream.Count("army.mil.", dns.TypeMX); n != 1 {
		t.Errorf("The counterpart was asked for %d times, want once", n)
	}
	if n := upstream.Below("army.ml."); n != 0 {
		t.Errorf("%d queries for the lookalike left", n)
	}
	wait.Until(t, "the log has the last query", func() bool { return strings.Count(server.Output(), "IN example.org. ") == 2 })
	if out := server.Output(); !strings.Contains(out, "IN navy.ml. ") || strings.Contains(out, "IN army.mil. ") {
		t.Errorf("The log has the lookups, or lacks queries:\n%s", out)
	}
	server.WaitAlert(t, "that says why", func(a harness.Alert) bool {
		return a.Lookalike.Class == "tld-swap" && strings.Contains(a.Raw, "which exists (verified)")
	})
	const metric = "coredns_lookalike_verifications_total"
	exists, absent := server.Metric(t, metric, "result", "exists"), server.Metric(t, metric, "result", "absent")
	if exists != 4 || absent != 4 {
		t.Errorf("Metrics count %v that exist and %v that do not, want 4 of each", exists, absent)
	}
}

// TestInspect asks for names whose MX is a lookalike, although they are none.
func TestInspect(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike {\n protect army.mil\n inspect\n }", "cache 30"),
		Upstream: harness.NewUpstream(t).Addr,
	})
	for _, network := range []string{"udp", "tcp"} {
		for range 2 { // the second time upstream's answer is in the cache
			m := harness.Exchange(t, network, server.Addr("DNS"), harness.Query("navy.ml.", dns.TypeMX))
			if len(m.Answer) != 1 || m.Answer[0].String() != "navy.ml.\t60\tIN\tMX\t0 ." {
				t.Errorf("Over %s: got %v", network, m)
			}
		}
	}
	if m := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("navy.ml.", dns.TypeA)); len(m.Answer) != 1 {
		t.Errorf("The address does not pass: %v", m)
	}
}
