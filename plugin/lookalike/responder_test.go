package lookalike

import (
	"net/netip"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/smtpreject"
	"github.com/miekg/dns"
)

// A Lookalike can be asked by the responder of its server block.
var _ smtpreject.Detector = (*Lookalike)(nil)

func TestMatch(t *testing.T) {
	l := started(t, `lookalike {
		protect army.mil
		allow   allowed.army.ml
		action  sinkhole 192.0.2.25 unchecked
		action  tld-kept off
	}
	lookalike cm {
		protect example.com
		clients 192.0.2.0/24
	}`)
	tests := []struct {
		name, domain string
		want         string // the name that was probably meant; empty: it resembles nothing
	}{
		{"a lookalike", "army.ml", "army.mil"},
		{"with a trailing dot", "army.ml.", "army.mil"},
		{"in upper case", "US.ARMY.ML", "us.army.mil"},
		{"of another directive, whoever asks", "example.cm", "example.com"},
		{"allowed", "allowed.army.ml", ""},
		{"of a class that is off", "army.mil.ml", ""},
		{"protected", "army.mil", ""},
		{"an address literal", "[192.0.2.1]", ""},
		{"empty", "", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			v, ok := l.Match(tc.domain)
			switch {
			case ok != (tc.want != ""):
				t.Errorf("Got %v, %v", v, ok)
			case ok && v.Matches[0].DidYouMean != tc.want:
				t.Errorf("Got %q, want %q", v.Matches[0].DidYouMean, tc.want)
			}
		})
	}
}

func TestEnvelopeJoinsTheGroupOfTheQuery(t *testing.T) {
	l, flush := startedWithAlerts(t, "lookalike {\n protect army.mil\n action sinkhole 192.0.2.25 unchecked\n}")
	ask(t, l, new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX)) // from 10.240.0.1, the test writer's address

	v, ok := l.Match("army.ml")
	if !ok {
		t.Fatal("No match")
	}
	client := netip.MustParseAddrPort("10.240.0.1:1025")
	l.ObserveSMTP(client, netip.MustParseAddrPort("192.0.2.25:25"), v, "mx.example.net", "alice@example.net", "bob@army.ml")

	groups := make(map[any]bool)
	count, envelopes := 0.0, 0
	for _, r := range flush() {
		groups[field(r, "lookalike.group")] = true
		n, _ := field(r, "lookalike.count").(float64)
		count += n
		list, _ := field(r, "lookalike.smtp").([]any)
		for _, e := range list {
			envelopes++
			e := e.(map[string]any)
			if e["from"] != "alice@example.net" || e["to"] != "bob@army.ml" || e["helo"] != "mx.example.net" {
				t.Errorf("Got envelope %v", e)
			}
		}
	}
	if len(groups) != 1 || count != 1 || envelopes != 1 {
		t.Errorf("Got %d groups, %v detections, %d envelopes; want one of each", len(groups), count, envelopes)
	}
}
