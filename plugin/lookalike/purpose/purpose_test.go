package purpose

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/miekg/dns"
)

func TestAlone(t *testing.T) {
	tests := []struct {
		service, name string
		qtype         uint16
		want          string
	}{
		{"", "army.ml", dns.TypeMX, ""},
		{"", "army.ml", dns.TypeA, ""},
		{"", "army.ml", dns.TypeTXT, "spf"},
		{"_dmarc", "_dmarc.army.ml", dns.TypeTXT, "dmarc"},
		{"s1._domainkey", "s1._domainkey.army.ml", dns.TypeTXT, "dkim"},
		{"_25._tcp", "_25._tcp.army.ml", dns.TypeTLSA, "tlsa"},
		{"_mta-sts", "_mta-sts.army.ml", dns.TypeTXT, "mta-sts"},
		{"", "mta-sts.army.ml", dns.TypeA, "mta-sts"},
		{"_sip._tcp", "_sip._tcp.army.ml", dns.TypeSRV, ""},
	}
	for _, tc := range tests {
		if got := alone(tc.service, tc.name, tc.qtype); got != tc.want {
			t.Errorf("%s %s: Expected %q, got %q", tc.name, dns.TypeToString[tc.qtype], tc.want, got)
		}
	}
}

// TestDirection asks what mail servers ask, in their order.
func TestDirection(t *testing.T) {
	tests := []struct {
		name    string
		queries string // "name TYPE" in order
		want    string // of each, "-" for none
	}{
		{"Postfix delivers", "army.ml MX, army.ml A, army.ml AAAA", "- - -"},
		{"Exim delivers", "army.ml MX", "-"},
		{"sendmail delivers", "army.ml AAAA, army.ml MX, army.ml AAAA", "- - -"},
		{"to a sinkhole", "army.ml MX, mx.army.ml AAAA, mx.army.ml A", "- - -"},
		{"with DANE", "army.ml MX, mx.army.ml A, _25._tcp.mx.army.ml TLSA", "- - tlsa"},
		{"with MTA-STS", "_mta-sts.army.ml TXT, army.ml MX, mx.army.ml A", "mta-sts mta-sts mta-sts"},
		{"a sender check that begins like a delivery", "army.ml MX, army.ml A, army.ml AAAA, army.ml TXT, army.ml MX", "- - - spf spf"},
		{"SPF of mail that came in", "army.ml TXT, army.ml MX, army.ml A", "spf spf spf"},
		{"DKIM", "s1._domainkey.army.ml TXT", "dkim"},
		{"DMARC, and the address that it checks", "_dmarc.army.ml TXT, army.ml A", "dmarc dmarc"},
		{"a browser", "army.ml A, army.ml AAAA, army.ml HTTPS", "- - -"},
		{"anything else", "_sip._tcp.army.ml SRV, army.ml NS", "- -"},
		{"two names", "army.ml TXT, us.af.ml MX", "spf -"},
	}
	index, err := detect.New(detect.Config{Protected: []string{"army.mil", "us.af.mil"}, TLDs: []string{"ml"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var s Sequences
			var got []string
			for one := range strings.SplitSeq(tc.queries, ", ") {
				name, qtype, _ := strings.Cut(one, " ")
				v, ok := index.Match(name)
				if !ok {
					t.Fatalf("%s is no lookalike", name)
				}
				purpose := s.Of(netip.MustParseAddr("192.0.2.1"), v, dns.StringToType[qtype], time.Now())
				if purpose == "" {
					purpose = "-"
				}
				got = append(got, purpose)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("Got %s, want %s", strings.Join(got, " "), tc.want)
			}
		})
	}
}

// about returns a verdict about a registrable name.
func about(name string) *detect.Verdict { return &detect.Verdict{Name: name, Registrable: name} }

func TestSequences(t *testing.T) {
	var s Sequences
	client, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	now := time.Unix(1, 0)
	steps := []struct {
		name   string
		client netip.Addr
		qtype  uint16
		after  time.Duration
		want   string
	}{
		{"SPF", client, dns.TypeTXT, 0, "spf"},
		{"the same client", client, dns.TypeMX, time.Second, "spf"},
		{"another client", other, dns.TypeMX, 0, ""},
		{"the same client, later", client, dns.TypeMX, sequenceTime + time.Second, ""},
	}
	for _, step := range steps {
		now = now.Add(step.after)
		if got := s.Of(step.client, about("army.ml"), step.qtype, now); got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
	for i := range maxSequences + 100 {
		s.Of(client, about(fmt.Sprint(i)), dns.TypeTXT, now)
	}
	if n := len(s.last); n > maxSequences {
		t.Errorf("%d are remembered, more than %d", n, maxSequences)
	}
}
