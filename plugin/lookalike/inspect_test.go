package lookalike

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
)

func TestInspect(t *testing.T) {
	records := map[string]string{
		"mx.example. MX":       "MX 20 MX.Army.ML.",
		"mx.example. ANY":      "A 203.0.113.1; MX 20 MX.Army.ML.",
		"two.example. MX":      "MX 10 mx.good.example.; MX 20 MX.Army.ML.",
		"amry.ml. MX":          "MX 10 mx.army.ml.",
		"amry.ml. A":           "A 203.0.113.1",
		"cname.example. A":     "CNAME army.ml.; A 203.0.113.1",
		"cname.example. MX":    "CNAME army.ml.; MX 10 mx.elsewhere.example.",
		"dname.example. A":     "DNAME army.ml.",
		"srv.example. SRV":     "SRV 0 0 25 mx.army.ml.",
		"https.example. HTTPS": "HTTPS 1 www.army.ml.",
		"svcb.example. SVCB":   "SVCB 1 www.army.ml.",
		"self.example. HTTPS":  "HTTPS 1 .",
		"good.example. MX":     "MX 10 mx.good.example.",
		"allowed.example. MX":  "MX 10 allowed.army.ml.",
		"exempt.example. MX":   "MX 10 mx.army.ml.",
		"army.mil. MX":         "MX 10 mx.army.mil.",
		"other.ml. MX":         "MX 10 mx.other.ml.",
		"chain.example. A":     "CNAME army-mail.ml.; CNAME army.ml.; A 203.0.113.1",
		"weak.example. MX":     "MX 10 army-mail.ml.; MX 20 army.ml.",
		"weaker.example. MX":   "MX 10 mx.good.example.; MX 20 army-mail.ml.",
	}
	tests := []struct {
		name, action, qname string
		qtype               uint16
		rcode               int
		want                string // the answer; "*": that of upstream
		alert               string // the name that the alert is about; empty: none
	}{
		{"MX", "nxdomain", "mx.example.", dns.TypeMX, dns.RcodeSuccess, "MX 0 .", "mx.army.ml"},
		{"one MX of two", "nxdomain", "two.example.", dns.TypeMX, dns.RcodeSuccess, "MX 10 mx.good.example.", "mx.army.ml"},
		{"one MX of two, sinkhole", "sinkhole 192.0.2.25 unchecked", "two.example.", dns.TypeMX, dns.RcodeSuccess, "MX 10 mx.good.example.", "mx.army.ml"},
		{"one MX of two, refused", "refused", "two.example.", dns.TypeMX, dns.RcodeSuccess, "MX 10 mx.good.example.", "mx.army.ml"},
		{"one MX of two, monitor", "monitor", "two.example.", dns.TypeMX, dns.RcodeSuccess, "*", "mx.army.ml"},
		{"ANY", "nxdomain", "mx.example.", dns.TypeANY, dns.RcodeSuccess, "MX 0 .", "mx.army.ml"},
		{"a monitored name", "high nxdomain", "amry.ml.", dns.TypeMX, dns.RcodeSuccess, "MX 0 .", "mx.army.ml"},
		{"MX, nodata", "nodata", "mx.example.", dns.TypeMX, dns.RcodeSuccess, "MX 0 .", "mx.army.ml"},
		{"MX, nullmx", "nullmx", "mx.example.", dns.TypeMX, dns.RcodeSuccess, "MX 0 .", "mx.army.ml"},
		{"MX, sinkhole", "sinkhole 192.0.2.25 unchecked", "mx.example.", dns.TypeMX, dns.RcodeSuccess, "MX 10 mx.army.ml.", "mx.army.ml"},
		{"MX, servfail", "servfail", "mx.example.", dns.TypeMX, dns.RcodeServerFailure, "", "mx.army.ml"},
		{"MX, refused", "refused", "mx.example.", dns.TypeMX, dns.RcodeRefused, "", "mx.army.ml"},
		{"MX, drop", "drop", "mx.example.", dns.TypeMX, -1, "", "mx.army.ml"},
		{"MX, monitor", "monitor", "mx.example.", dns.TypeMX, dns.RcodeSuccess, "*", "mx.army.ml"},
		{"MX, off", "off", "mx.example.", dns.TypeMX, dns.RcodeSuccess, "*", ""},
		{"CNAME", "nxdomain", "cname.example.", dns.TypeA, dns.RcodeNameError, "", "army.ml"},
		{"CNAME, sinkhole", "sinkhole 192.0.2.25 unchecked", "cname.example.", dns.TypeA, dns.RcodeSuccess, "A 192.0.2.25", "army.ml"},
		{"CNAME and MX", "nxdomain", "cname.example.", dns.TypeMX, dns.RcodeNameError, "", "army.ml"},
		{"DNAME", "nxdomain", "dname.example.", dns.TypeA, dns.RcodeNameError, "", "army.ml"},
		{"SRV", "nxdomain", "srv.example.", dns.TypeSRV, dns.RcodeSuccess, "", "mx.army.ml"},
		{"HTTPS", "nxdomain", "https.example.", dns.TypeHTTPS, dns.RcodeSuccess, "", "www.army.ml"},
		{"SVCB", "nodata", "svcb.example.", dns.TypeSVCB, dns.RcodeSuccess, "", "www.army.ml"},
		{"HTTPS of itself", "nxdomain", "self.example.", dns.TypeHTTPS, dns.RcodeSuccess, "*", ""},
		{"no lookalike", "nxdomain", "good.example.", dns.TypeMX, dns.RcodeSuccess, "*", ""},
		{"a target that is allowed", "nxdomain", "allowed.example.", dns.TypeMX, dns.RcodeSuccess, "*", ""},
		{"a name that is allowed", "nxdomain", "exempt.example.", dns.TypeMX, dns.RcodeSuccess, "*", ""},
		{"a protected name", "nxdomain", "army.mil.", dns.TypeMX, dns.RcodeSuccess, "*", ""},
		{"an ordinary name of the TLD", "nxdomain", "other.ml.", dns.TypeMX, dns.RcodeSuccess, "*", ""},
		{"a reported alias of a blocked name", "high nxdomain", "chain.example.", dns.TypeA, dns.RcodeNameError, "", "army.ml"},
		{"a reported MX before a blocked one", "high nxdomain", "weak.example.", dns.TypeMX, dns.RcodeSuccess, "MX 10 army-mail.ml.", "army.ml"},
		{"a reported MX", "high nxdomain", "weaker.example.", dns.TypeMX, dns.RcodeSuccess, "*", "army-mail.ml"},
		{"no answer", "nxdomain", "absent.example.", dns.TypeMX, dns.RcodeNameError, "", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			z := &zone{records: records}
			l, flush := startedWithAlerts(t, "lookalike {\n protect army.mil\n allow allowed.army.ml exempt.example\n inspect\n action "+tc.action+"\n}")
			l.Next = test.HandlerFunc(z.ServeDNS)
			m, code, written := ask(t, l, new(dns.Msg).SetQuestion(tc.qname, tc.qtype))
			switch {
			case tc.rcode < 0:
				if written != 0 || code != dns.RcodeSuccess {
					t.Errorf("Written %d times, returned %d", written, code)
				}
			case written != 1 || m.Rcode != tc.rcode:
				t.Errorf("Written %d times: %v", written, m)
			default:
				want := tc.want
				if want == "*" {
					want = records[strings.ToLower(tc.qname)+" "+dns.Type(tc.qtype).String()]
				}
				if got := rdata(m.Answer); !strings.EqualFold(got, want) {
					t.Errorf("Got %q, want %q", got, want)
				}
			}
			checkVia(t, flush(), tc.alert, strings.TrimSuffix(tc.qname, "."))
		})
	}
}

// rdata writes records as a zone has them, without names, TTLs and classes.
func rdata(rrs []dns.RR) string {
	list := make([]string, len(rrs))
	for i, rr := range rrs {
		list[i] = dns.Type(rr.Header().Rrtype).String() + " " + strings.TrimSpace(strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	return strings.Join(list, "; ")
}

func checkVia(t *testing.T, records []map[string]any, name, via string) {
	t.Helper()
	if name == "" {
		if len(records) > 0 {
			t.Errorf("Got alerts %v", records)
		}
		return
	}
	if len(records) == 0 {
		t.Fatal("No alert")
	}
	if got := field(records[0], "dns.question.name"); got != name && got != via {
		t.Errorf("The alert is about %v", got)
	}
	if got := fmt.Sprint(field(records[0], "lookalike.vias")); got != "["+via+"]" {
		t.Errorf("The alert names %v, want %s", got, via)
	}
	samples, _ := field(records[0], "lookalike.samples").([]any)
	if !slices.Contains(samples, any(name)) {
		t.Errorf("Samples %v, want %s", samples, name)
	}
}

func TestInspectIsOff(t *testing.T) {
	z := &zone{records: map[string]string{"mx.example. MX": "MX 10 mx.army.ml."}}
	for name, corefile := range map[string]string{
		"without inspect":   "lookalike {\n protect army.mil\n action nxdomain\n}",
		"for other clients": "lookalike {\n protect army.mil\n action nxdomain\n inspect\n clients 192.0.2.1\n}",
	} {
		l := z.above(t, corefile)
		if m, _, _ := ask(t, l, new(dns.Msg).SetQuestion("mx.example.", dns.TypeMX)); rdata(m.Answer) != "MX 10 mx.army.ml." {
			t.Errorf("%s: got %v", name, m)
		}
	}
}

// TestInspectSignedAnswer removes one exchange of a signed answer: what is left
// claims to be signed no more, and names no address of the one removed.
func TestInspectSignedAnswer(t *testing.T) {
	const signature = " 8 2 60 20300101000000 20200101000000 1 two.example. AAAA"
	upstream := test.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		m.AuthenticatedData = true
		m.Answer = records(t, "two.example. 60 IN MX 10 mx.good.example.", "two.example. 60 IN MX 20 MX.army.ml.",
			"two.example. 60 IN RRSIG MX"+signature)
		m.Extra = records(t, "mx.good.example. 60 IN A 203.0.113.1", "mx.ARMY.ml. 60 IN A 203.0.113.2", "mx.army.ml. 60 IN AAAA 2001:db8::2",
			"mx.army.ml. 60 IN RRSIG A"+signature)
		return dns.RcodeSuccess, w.WriteMsg(m)
	})
	tests := []struct {
		action        string
		ad            bool
		answer, extra string
	}{
		{"nxdomain", false, "MX 10 mx.good.example.", "A 203.0.113.1"},
		{"monitor", true, "MX 10 mx.good.example.; MX 20 MX.army.ml.; RRSIG MX" + signature, "A 203.0.113.1; A 203.0.113.2; AAAA 2001:db8::2; RRSIG A" + signature},
	}
	for _, tc := range tests {
		l := started(t, "lookalike {\n protect army.mil\n inspect\n action "+tc.action+"\n}")
		l.Next = upstream
		m, _, _ := ask(t, l, new(dns.Msg).SetQuestion("two.example.", dns.TypeMX))
		if m.AuthenticatedData != tc.ad || rdata(m.Answer) != tc.answer || rdata(m.Extra) != tc.extra {
			t.Errorf("%s: got %v", tc.action, m)
		}
	}
}

func records(t *testing.T, lines ...string) (rrs []dns.RR) {
	t.Helper()
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	return rrs
}

// TestInspectManyTargets has more targets than are compared in full. Those behind
// are found as long as they read as a protected name.
func TestInspectManyTargets(t *testing.T) {
	tests := []struct {
		name, last string
		blocked    bool
	}{
		{"the name under another TLD", "mx.army.ml.", true},
		{"its TLD kept", "army.mil.ml.", true},
		{"glyphs that look alike", "arrny.ml.", true},
		{"a slip", "amry.ml.", false},
		{"nothing", "example.ml.", false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := started(t, "lookalike {\n protect army.mil\n inspect\n action nxdomain\n}")
			lines := make([]string, 0, 200)
			for i := range cap(lines) {
				lines = append(lines, fmt.Sprintf("many.example. 60 IN MX 10 mx%d.other.ml.", i))
			}
			l.Next = test.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
				m := new(dns.Msg).SetReply(r)
				m.Answer = records(t, append(lines, "many.example. 60 IN MX 10 "+tc.last)...)
				return dns.RcodeSuccess, w.WriteMsg(m)
			})
			m, _, _ := ask(t, l, new(dns.Msg).SetQuestion("many.example.", dns.TypeMX))
			if got := len(m.Answer) == len(lines); got != tc.blocked {
				t.Errorf("Got %d exchanges of %d", len(m.Answer), len(lines)+1)
			}
		})
	}
}

// BenchmarkInspectManyTargets has as many costly names as fit into an answer.
func BenchmarkInspectManyTargets(b *testing.B) {
	l := started(b, "lookalike {\n inspect\n}")
	m := new(dns.Msg).SetQuestion("many.example.", dns.TypeMX)
	for i := range 2900 {
		m.Answer = append(m.Answer, &dns.MX{Hdr: dns.RR_Header{Name: "many.example.", Rrtype: dns.TypeMX, Class: dns.ClassINET, Ttl: 60}, Mx: fmt.Sprintf("departrnent-0f-defen%d-mail.ml.", i)})
	}
	i := &inspector{request: m, policies: l.policies}
	for b.Loop() {
		i.decide(m)
	}
}
