package lookalike

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/pkg/response"
	"github.com/coredns/coredns/plugin/test"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// blocked is a policy under which every lookalike gets the action.
func blocked(t *testing.T, action string) *Lookalike {
	t.Helper()
	return started(t, "lookalike {\n protect army.mil us.af.mil\n ttl 300\n action "+action+"\n}")
}

func TestAnswers(t *testing.T) {
	const (
		soa  = "\t300\tIN\tSOA\tblocked.invalid. . 1 300 300 300 300"
		sink = "sinkhole 198.51.100.66 2001:db8::66 198.51.100.67 unchecked"
	)
	tests := []struct {
		action, qname string
		qtype         uint16
		rcode         int
		answer        []string // of the form the message prints
		authority     string
	}{
		{"nxdomain", "army.ml.", dns.TypeMX, dns.RcodeNameError, nil, "army.ml." + soa},
		{"nxdomain", "mx.army.ml.", dns.TypeA, dns.RcodeNameError, nil, "army.ml." + soa},
		{"nxdomain", "aRmY.mL.", dns.TypeAAAA, dns.RcodeNameError, nil, "aRmY.mL." + soa},
		{"nxdomain", "US.AF.ML.", dns.TypeTXT, dns.RcodeNameError, nil, "AF.ML." + soa},
		{"nxdomain", "_dmarc.army.ml.", dns.TypeTXT, dns.RcodeNameError, nil, "army.ml." + soa},
		{"nxdomain", "army.com.ml.", dns.TypeMX, dns.RcodeNameError, nil, "army.com.ml." + soa},
		{"nxdomain", "army.ml.", dns.TypeANY, dns.RcodeNameError, nil, "army.ml." + soa},
		{"nxdomain", "army.ml.", dns.TypeSOA, dns.RcodeNameError, nil, "army.ml." + soa},
		{"nxdomain", "army.ml.", dns.TypeNS, dns.RcodeNameError, nil, "army.ml." + soa},
		{"nxdomain", "army.ml.", dns.TypeCNAME, dns.RcodeNameError, nil, "army.ml." + soa},
		{"nxdomain", "army.ml.", dns.TypeHTTPS, dns.RcodeNameError, nil, "army.ml." + soa},
		{"nxdomain", "army.ml.", 65280, dns.RcodeNameError, nil, "army.ml." + soa},

		{"nodata", "army.ml.", dns.TypeMX, dns.RcodeSuccess, nil, "army.ml." + soa},
		{"nodata", "army.ml.", dns.TypeANY, dns.RcodeSuccess, nil, "army.ml." + soa},

		{"nullmx", "army.ml.", dns.TypeMX, dns.RcodeSuccess, []string{"army.ml.\t300\tIN\tMX\t0 ."}, ""},
		{"nullmx", "army.ml.", dns.TypeANY, dns.RcodeSuccess, []string{"army.ml.\t300\tIN\tMX\t0 ."}, ""},
		{"nullmx", "army.ml.", dns.TypeA, dns.RcodeSuccess, nil, "army.ml." + soa},
		{"nullmx", "army.ml.", dns.TypeAAAA, dns.RcodeSuccess, nil, "army.ml." + soa},

		{sink, "army.ml.", dns.TypeMX, dns.RcodeSuccess, []string{"army.ml.\t300\tIN\tMX\t10 mx.army.ml."}, ""},
		{sink, "army.ml.", dns.TypeA, dns.RcodeSuccess, []string{"army.ml.\t300\tIN\tA\t198.51.100.66", "army.ml.\t300\tIN\tA\t198.51.100.67"}, ""},
		{sink, "mx.army.ml.", dns.TypeAAAA, dns.RcodeSuccess, []string{"mx.army.ml.\t300\tIN\tAAAA\t2001:db8::66"}, ""},
		{sink, "army.ml.", dns.TypeTXT, dns.RcodeSuccess, nil, "army.ml." + soa},
		{sink, "army.ml.", dns.TypeANY, dns.RcodeSuccess, []string{
			"army.ml.\t300\tIN\tMX\t10 mx.army.ml.", "army.ml.\t300\tIN\tA\t198.51.100.66",
			"army.ml.\t300\tIN\tAAAA\t2001:db8::66", "army.ml.\t300\tIN\tA\t198.51.100.67",
		}, ""},
		{"sinkhole 198.51.100.66 unchecked", "army.ml.", dns.TypeAAAA, dns.RcodeSuccess, nil, "army.ml." + soa},

		{"refused", "army.ml.", dns.TypeMX, dns.RcodeRefused, nil, ""},
		{"servfail", "army.ml.", dns.TypeMX, dns.RcodeServerFailure, nil, ""},
	}
	for _, tc := range tests {
		for _, edns := range []string{"none", "edns", "do"} {
			t.Run(fmt.Sprintf("%s/%s/%s/%s", strings.Fields(tc.action)[0], tc.qname, dns.TypeToString[tc.qtype], edns), func(t *testing.T) {
				l := blocked(t, tc.action)
				r := new(dns.Msg).SetQuestion(tc.qname, tc.qtype)
				if edns != "none" {
					r.SetEdns0(1232, edns == "do")
				}
				m, code, written := ask(t, l, r)
				if written != 1 {
					t.Fatalf("Expected one reply, got %d", written)
				}
				if code != dns.RcodeSuccess && code != dns.RcodeNameError {
					t.Errorf("The server would write a second reply for the return code %d", code)
				}
				if m.Rcode != tc.rcode {
					t.Errorf("Expected RCODE %d, got %d", tc.rcode, m.Rcode)
				}
				if m.Id != r.Id || !m.Response || !m.RecursionAvailable || m.AuthenticatedData || m.Authoritative || m.Truncated {
					t.Errorf("Bad header: %+v", m.MsgHdr)
				}
				if m.Question[0] != r.Question[0] {
					t.Errorf("Expected the question as asked, got %v", m.Question[0])
				}
				if got := texts(m.Answer); got != strings.Join(tc.answer, "\n") {
					t.Errorf("Expected the answer %q, got %q", tc.answer, got)
				}
				if got := texts(m.Ns); got != tc.authority {
					t.Errorf("Expected the authority %q, got %q", tc.authority, got)
				}
				checkOPT(t, m, edns)
			})
		}
	}
}

func checkOPT(t *testing.T, m *dns.Msg, edns string) {
	t.Helper()
	if edns == "none" {
		if len(m.Extra) != 0 {
			t.Errorf("Expected no additional record without EDNS, got %v", m.Extra)
		}
		return
	}
	o := m.IsEdns0()
	if o == nil || len(m.Extra) != 1 {
		t.Fatalf("Expected one OPT, got %v", m.Extra)
	}
	if o.Do() != (edns == "do") {
		t.Errorf("Expected DO to be mirrored, got %v", o.Do())
	}
	ede, ok := o.Option[0].(*dns.EDNS0_EDE)
	if !ok || len(o.Option) != 1 {
		t.Fatalf("Expected one Extended DNS Error, got %v", o.Option)
	}
	if ede.InfoCode != dns.ExtendedErrorCodeFiltered || !strings.Contains(ede.ExtraText, " resembles ") ||
		!strings.HasSuffix(ede.ExtraText, "(tld-swap)") {
		t.Errorf("Expected EDE 17 with a text, got %v", ede)
	}
}

func TestNegativeAnswersAreCacheable(t *testing.T) {
	tests := []struct {
		action string
		qtype  uint16
		want   response.Type
	}{
		{"nxdomain", dns.TypeMX, response.NameError},
		{"nodata", dns.TypeMX, response.NoData},
		{"nullmx", dns.TypeA, response.NoData},
		{"sinkhole 198.51.100.66 unchecked", dns.TypeTXT, response.NoData},
	}
	for _, tc := range tests {
		m, _, _ := ask(t, blocked(t, tc.action), new(dns.Msg).SetQuestion("army.ml.", tc.qtype))
		if got, _ := response.Typify(m, time.Now()); got != tc.want {
			t.Errorf("%s: Expected the answer to be classified %v, got %v", tc.action, tc.want, got)
		}
	}
}

func TestDropWritesNothing(t *testing.T) {
	_, code, written := ask(t, blocked(t, "drop"), new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX))
	if written != 0 || code != dns.RcodeSuccess {
		t.Errorf("Expected no reply and success, got %d replies and %d", written, code)
	}
}

// brokenWriter fails to send the first replies.
type brokenWriter struct {
	test.ResponseWriter
	failures int
	sent     []*dns.Msg
}

func (w *brokenWriter) WriteMsg(m *dns.Msg) error {
	if w.failures > 0 {
		w.failures--
		return dns.ErrRdata
	}
	w.sent = append(w.sent, m)
	return nil
}

func TestAnswerThatCannotBeSentBecomesNXDomain(t *testing.T) {
	l := blocked(t, "sinkhole 198.51.100.66 unchecked")
	w := &brokenWriter{failures: 1}
	if _, err := l.ServeDNS(t.Context(), w, new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX)); err != nil {
		t.Fatal(err)
	}
	if len(w.sent) != 1 || w.sent[0].Rcode != dns.RcodeNameError {
		t.Errorf("Expected one NXDOMAIN, got %v", w.sent)
	}
}

func TestFailureInAnswerBecomesNXDomain(t *testing.T) {
	l := blocked(t, "sinkhole 198.51.100.66 unchecked")
	before := testutil.ToFloat64(guard.Failures.WithLabelValues("answer"))
	d := decided(l, "army.ml.")
	d.Verdict.Matches = nil // makes naming the match panic
	w := &brokenWriter{}
	rcode := d.reply(w, new(dns.Msg).SetQuestion("army.ml.", dns.TypeA).SetEdns0(1232, false))
	if rcode != dns.RcodeNameError || len(w.sent) != 1 || w.sent[0].Rcode != dns.RcodeNameError {
		t.Errorf("Expected one NXDOMAIN, got %v", w.sent)
	}
	if got := testutil.ToFloat64(guard.Failures.WithLabelValues("answer")) - before; got != 1 {
		t.Errorf("Expected the failure to be counted once, got %v", got)
	}
}

// TestFailureInAlert has the answer out by the time that its alert fails: the
// client gets that and nothing else.
func TestFailureInAlert(t *testing.T) {
	policies, err := parsed(t, "lookalike") // not started: there is no pipeline
	if err != nil {
		t.Fatal(err)
	}
	l := &Lookalike{policies: policies}
	before := testutil.ToFloat64(guard.Failures.WithLabelValues("alert"))
	m, code, written := ask(t, l, new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX))
	if written != 1 || m.Rcode != dns.RcodeNameError || code != dns.RcodeNameError {
		t.Errorf("Expected one NXDOMAIN, got %d replies, the return code %d and %v", written, code, m)
	}
	if got := testutil.ToFloat64(guard.Failures.WithLabelValues("alert")) - before; got != 1 {
		t.Errorf("Expected the failure to be counted once, got %v", got)
	}
}

func TestLongNames(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 49)+".", 5)
	tests := []struct {
		name, qname, exchange string
	}{
		{"room for the label", strings.Repeat("a", 50) + ".army.ml.", "mx." + strings.Repeat("a", 50) + ".army.ml."},
		{"255 octets", long[:len(long)-5] + ".army.ml.", ""}, // one more than what is written here
		{"dots and NULs in labels", `a\.b\000.army.ml.`, `mx.a\.b\000.army.ml.`},
		{"backslashes and quotes", `a\\b\".army.ml.`, `mx.a\\b\".army.ml.`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := blocked(t, "sinkhole 198.51.100.66 unchecked")
			m, _, written := ask(t, l, new(dns.Msg).SetQuestion(tc.qname, dns.TypeMX))
			if written != 1 {
				t.Fatalf("Expected one reply, got %d", written)
			}
			want := tc.exchange
			if want == "" {
				want = tc.qname
			}
			if got := m.Answer[0].(*dns.MX).Mx; got != want {
				t.Errorf("Expected the exchange %q, got %q", want, got)
			}
			if _, err := m.Pack(); err != nil {
				t.Errorf("The reply cannot be packed: %v", err)
			}
			r := new(dns.Msg).SetQuestion(tc.qname, dns.TypeTXT).SetEdns0(512, false)
			m, _, _ = ask(t, l, r)
			if m.Truncate(512); m.Truncated {
				t.Errorf("Expected the reply to fit into 512 octets, got %d", m.Len())
			}
			m, _, _ = ask(t, l, new(dns.Msg).SetQuestion(want, dns.TypeA))
			if len(m.Answer) != 1 || !m.Answer[0].(*dns.A).A.Equal(net.IPv4(198, 51, 100, 66)) {
				t.Errorf("Expected the exchange to have the sinkhole's address, got %v", m.Answer)
			}
		})
	}
}

// TestLargestAnswer has as many addresses as a sinkhole may have.
func TestLargestAnswer(t *testing.T) {
	addresses := make([]string, action.MaxSinkholes)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("2001:db8::%x", i+1)
	}
	l := blocked(t, "sinkhole "+strings.Join(addresses, " ")+" unchecked")
	qname := strings.Repeat(strings.Repeat("a", 48)+".", 5) + "army.ml."
	m, _, _ := ask(t, l, new(dns.Msg).SetQuestion(qname, dns.TypeANY).SetEdns0(1232, true))
	if len(m.Answer) != 1+action.MaxSinkholes {
		t.Errorf("Expected the MX and every address, got %d records", len(m.Answer))
	}
	if m.Len() > dns.MaxMsgSize {
		t.Errorf("Expected the answer to fit into %d octets, got %d", dns.MaxMsgSize, m.Len())
	}
}

// ask returns the reply that the client gets, what ServeDNS returned and how
// many replies were written.
func ask(t *testing.T, l *Lookalike, r *dns.Msg) (m *dns.Msg, code, written int) {
	t.Helper()
	w := &counter{Recorder: dnstest.NewRecorder(&test.ResponseWriter{})}
	code, err := l.ServeDNS(t.Context(), w, r)
	if err != nil {
		t.Fatal(err)
	}
	return w.Msg, code, w.written
}

type counter struct {
	*dnstest.Recorder
	written int
}

func (c *counter) WriteMsg(m *dns.Msg) error {
	c.written++
	return c.Recorder.WriteMsg(m)
}

func texts(rrs []dns.RR) string {
	lines := make([]string, len(rrs))
	for i, rr := range rrs {
		lines[i] = rr.String()
	}
	return strings.Join(lines, "\n")
}
