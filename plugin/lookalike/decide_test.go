package lookalike

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
)

func (o Outcome) String() string {
	return [...]string{"unlike", "out-of-scope", "allowed", "off", "acts"}[o]
}

// TestExplain: the opinions of all directives, and the decision, which is that of
// the first that acts.
func TestExplain(t *testing.T) {
	const corefile = `lookalike {
		protect army.mil navy.mil
		allow   band.army.ml
		clients 192.0.2.0/24
	}
	lookalike cm {
		protect example.com
	}
	lookalike ml {
		protect army.mil
		action  monitor
		action  tld-kept off
	}`
	const in, out = "192.0.2.25", "198.51.100.25"
	tests := []struct {
		name, qname, client string
		opinions            string // in the order of the directives
		action              string // of the decision
	}{
		{"the first acts", "army.ml.", in, "acts unlike acts", "nxdomain"},
		{"in mixed case", "ARMY.ml", in, "acts unlike acts", "nxdomain"},
		{"the first is for others", "army.ml.", out, "out-of-scope unlike acts", "monitor"},
		{"the first allows it", "mx.band.army.ml.", in, "allowed unlike acts", "monitor"},
		{"only the first protects it", "navy.ml.", in, "acts unlike unlike", "nxdomain"},
		{"nobody protects it for this client", "navy.ml.", out, "out-of-scope unlike unlike", "off"},
		{"turned off", "army.mil.ml.", out, "out-of-scope unlike off", "off"},
		{"another TLD", "example.cm.", out, "out-of-scope acts unlike", "nxdomain"},
		{"resembles nothing", "example.ml.", in, "unlike unlike unlike", "off"},
		{"whoever asks", "navy.ml.", "", "acts unlike unlike", "nxdomain"},
	}
	l := started(t, corefile)
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			client, _ := netip.ParseAddr(tc.client)
			var got []string
			for _, o := range Explain(l.policies, tc.qname, client) {
				got = append(got, o.Outcome.String())
			}
			if strings.Join(got, " ") != tc.opinions {
				t.Errorf("Got %v, want %s", got, tc.opinions)
			}
			q := about(l.policies, tc.qname)
			if client.IsValid() {
				q = newQuery(&test.ResponseWriter{RemoteIP: tc.client}, new(dns.Msg).SetQuestion(tc.qname, dns.TypeMX), q.policies)
			}
			if d := q.decide(known); d.Action.String() != tc.action || d.none() != (tc.action == "off") {
				t.Errorf("Decided %+v, want %s", d, tc.action)
			}
		})
	}
}

// TestPassingAllocatesNothing: names that pass cost no memory, whether their TLD
// is watched over or not.
func TestPassingAllocatesNothing(t *testing.T) {
	l := started(t, "lookalike {\n allow band.army.ml\n clients 10.240.0.0/16\n}\nlookalike cm {\n protect example.com\n}")
	l.Next = test.NextHandler(dns.RcodeSuccess, nil)
	for _, qname := range []string{"mail.example.org.", "mail.example.ml.", "Mail.Other.CM."} {
		w, r := discard{&test.ResponseWriter{}}, new(dns.Msg).SetQuestion(qname, dns.TypeMX)
		client := &fixedClient{discard: w, addr: w.RemoteAddr()}
		l.ServeDNS(t.Context(), client, r) // the second time it is remembered
		l.ServeDNS(t.Context(), client, r)
		if n := testing.AllocsPerRun(100, func() { l.ServeDNS(t.Context(), client, r) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", qname, n)
		}
	}
}

// fixedClient does not make its address anew each time, as the server's writers
// do not.
type fixedClient struct {
	discard
	addr net.Addr
}

func (c *fixedClient) RemoteAddr() net.Addr { return c.addr }
