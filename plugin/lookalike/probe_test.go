package lookalike

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// fixed is a sinkhole that is up, or not.
type fixed bool

func (f fixed) Up() bool { return bool(f) }
func (fixed) Release()   {}

// answerOf says what is done with a query for army.ml.
func answerOf(l *Lookalike) string {
	d := decided(l, "army.ml.")
	words := []string{d.Action.String()}
	for _, a := range d.Action.Addresses {
		words = append(words, a.String())
	}
	return strings.Join(words, " ")
}

func TestSinkholeFallsBack(t *testing.T) {
	tests := []struct {
		name, action string
		down         string // addresses
		want         string
	}{
		{"both are up", "sinkhole 192.0.2.25 192.0.2.26", "", "sinkhole 192.0.2.25 192.0.2.26"},
		{"one is down", "sinkhole 192.0.2.25 192.0.2.26", "192.0.2.25", "sinkhole 192.0.2.26"},
		{"both are down", "sinkhole 192.0.2.25 192.0.2.26", "192.0.2.25 192.0.2.26", "nxdomain"},
		{"nobody checks", "sinkhole 192.0.2.25 unchecked", "192.0.2.25", "sinkhole 192.0.2.25"},
		{"of another class", "nodata\naction low sinkhole 192.0.2.25", "192.0.2.25", "nodata"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := started(t, "lookalike {\n protect army.mil\n action "+tc.action+"\n}")
			before := answerOf(l) // nothing is known yet
			l.policies[0].stop()
			l.policies[0].probes = make(map[netip.Addr]prober)
			for address := range strings.FieldsSeq("192.0.2.25 192.0.2.26") {
				l.policies[0].probes[netip.MustParseAddr(address)] = fixed(!strings.Contains(tc.down, address))
			}
			if got := answerOf(l); got != tc.want || tc.down == "" && got != before {
				t.Errorf("Got %q, before %q, want %q", got, before, tc.want)
			}
			m, _, written := ask(t, l, new(dns.Msg).SetQuestion("mx.army.ml.", dns.TypeA))
			if written != 1 || m.Rcode == dns.RcodeNameError != (tc.want == "nxdomain") {
				t.Errorf("Got %v, written %d times", m, written)
			}
		})
	}
}
