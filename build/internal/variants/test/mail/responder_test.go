//go:build e2e && linux

package mail

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"

	"github.com/miekg/dns"
)

// TestResponderIsDown stops the host that refuses mail, and starts it again:
// mail for lookalikes never waits for it.
func TestResponderIsDown(t *testing.T) {
	t.Parallel()
	r := resolve(t, "action sinkhole $SINK", "")
	host := func() *resolver { return resolve(t, "action sinkhole "+r.sink, "smtpreject "+r.sink) }
	answers := func(what string, rcode int, up float64) {
		t.Helper()
		wait.Until(r.t, what, func() bool {
			return r.ask("army.ml.", dns.TypeMX) == rcode && r.metric("coredns_lookalike_sinkhole_up") == up
		})
	}
	refusing := host()
	answers("the sinkhole", dns.RcodeSuccess, 1)
	nodes := make(map[string]*node)
	for _, s := range servers {
		nodes[s.name] = boot(t, s, r.address)
		nodes[s.name].run(s.start)
	}
	// Each time to another domain: OpenSMTPD keeps a connection open for 10 s,
	// and a message for the same domain would be queued with it.
	bounce := func(when, to string, hint bool) {
		t.Helper()
		for _, s := range servers {
			sender := "alice@" + s.name + "-" + when + ".example.org"
			sent := time.Now()
			nodes[s.name].send(sender, to, secret(sender, to))
			m := bounceOf(sender, to, time.Minute)
			if m.data == "" || strings.Contains(m.data, "did you mean bob@") != hint {
				t.Errorf("%s, %s: bounce %q\nLog:\n%s", s.name, when, m.data, nodes[s.name].run(s.log))
				continue
			}
			nxdomain := func(q query) bool { return "bob@"+q.name == to && q.rcode == "NXDOMAIN" }
			if got := slices.ContainsFunc(r.queries(nodes[s.name]), nxdomain); got == hint {
				t.Errorf("%s, %s: by NXDOMAIN: %v", s.name, when, got)
			}
			if wait := m.at.Sub(sent); wait > 30*time.Second {
				t.Errorf("%s, %s: %v to the bounce", s.name, when, wait)
			}
			t.Logf("FIGURES responder %s %s: seconds to bounce %.1f", when, s.name, m.at.Sub(sent).Seconds())
		}
	}
	bounce("up", "bob@army.ml", true)
	start := time.Now()
	refusing.stop()
	answers("NXDOMAIN", dns.RcodeNameError, 0)
	t.Logf("FIGURES responder: %.1f s from its end to NXDOMAIN", time.Since(start).Seconds())
	bounce("down", "bob@us.army.ml", false)
	host()
	answers("the sinkhole again", dns.RcodeSuccess, 1)
	bounce("again", "bob@arrny.ml", true)
	for _, s := range servers {
		if trap.contains(secret("alice@"+s.name+"-down.example.org", "bob@us.army.ml")) {
			t.Errorf("A message left %s for the lookalike", s.name)
		}
	}
}
