package lookalike

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
)

func TestPurpose(t *testing.T) {
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
		if got := purpose(tc.service, tc.name, tc.qtype); got != tc.want {
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
		{"Postfix delivers", "army.ml MX, army.ml A, army.ml AAAA", "delivery delivery delivery"},
		{"Exim delivers", "army.ml MX", "delivery"},
		{"sendmail delivers", "army.ml AAAA, army.ml MX, army.ml AAAA", "- delivery delivery"},
		{"to a sinkhole", "army.ml MX, mx.army.ml AAAA, mx.army.ml A", "delivery delivery delivery"},
		{"with DANE", "army.ml MX, mx.army.ml A, _25._tcp.mx.army.ml TLSA", "delivery delivery tlsa"},
		{"with MTA-STS", "_mta-sts.army.ml TXT, army.ml MX, mx.army.ml A", "mta-sts mta-sts mta-sts"},
		{"SPF of mail that came in", "army.ml TXT, army.ml MX, army.ml A", "spf spf spf"},
		{"DKIM", "s1._domainkey.army.ml TXT", "dkim"},
		{"DMARC, and the address that it checks", "_dmarc.army.ml TXT, army.ml A", "dmarc dmarc"},
		{"a browser", "army.ml A, army.ml AAAA, army.ml HTTPS", "- - -"},
		{"anything else", "_sip._tcp.army.ml SRV, army.ml NS", "- -"},
		{"two names", "army.ml TXT, us.af.ml MX", "spf delivery"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := started(t, "lookalike {\n protect army.mil us.af.mil\n}")
			l.Next = test.HandlerFunc(upstream)
			var got []string
			for one := range strings.SplitSeq(tc.queries, ", ") {
				name, qtype, _ := strings.Cut(one, " ")
				d, ok := Decide(l.policies, name)
				if !ok {
					t.Fatalf("%s is no lookalike", name)
				}
				purpose := d.Policy.purpose(netip.MustParseAddr("192.0.2.1"), d.Verdict, dns.StringToType[qtype], time.Now())
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

func TestDirectionInTheAlert(t *testing.T) {
	for qtype, want := range map[uint16]any{dns.TypeMX: "delivery", dns.TypeTXT: "spf", dns.TypeA: nil} {
		l, flush := startedWithAlerts(t, "lookalike {\n protect army.mil\n}")
		ask(t, l, new(dns.Msg).SetQuestion("army.ml.", qtype))
		records := flush()
		if len(records) == 0 || field(records[0], "lookalike.context") != want {
			t.Errorf("%s: got %v, want context %v", dns.Type(qtype), records, want)
		}
	}
}

func TestSequences(t *testing.T) {
	var s sequences
	client, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	now := time.Unix(1, 0)
	steps := []struct {
		name   string
		client netip.Addr
		alone  string
		qtype  uint16
		after  time.Duration
		want   string
	}{
		{"SPF", client, "spf", dns.TypeTXT, 0, "spf"},
		{"the same client", client, "", dns.TypeMX, time.Second, "spf"},
		{"another client", other, "", dns.TypeMX, 0, "delivery"},
		{"the same client, later", client, "", dns.TypeMX, sequenceTime + time.Second, "delivery"},
	}
	for _, step := range steps {
		now = now.Add(step.after)
		if got := s.purpose(step.client, "army.ml", step.alone, step.qtype, now); got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
	for i := range maxSequences + 100 {
		s.purpose(client, fmt.Sprint(i), "", dns.TypeMX, now)
	}
	if n := len(s.last); n > maxSequences {
		t.Errorf("%d are remembered, more than %d", n, maxSequences)
	}
}
