package lookalike

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/verify"
	"github.com/lookalike-dns/lookalike/test/wait"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
)

// zone is an upstream that knows some records, and counts what it is asked.
type zone struct {
	records map[string]string                         // RDATA by "name. TYPE"; "SERVFAIL" and "silence" are no RDATA
	ask     func(context.Context, dns.ResponseWriter) // called for every question, where set

	mu    sync.Mutex
	asked []string // "name. TYPE"
}

func (z *zone) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	q := r.Question[0]
	key := strings.ToLower(q.Name) + " " + dns.Type(q.Qtype).String()
	z.mu.Lock()
	z.asked = append(z.asked, key)
	z.mu.Unlock()
	if z.ask != nil {
		z.ask(ctx, w)
	}
	m := new(dns.Msg).SetReply(r)
	rdata, ok := z.records[key]
	switch {
	case rdata == "SERVFAIL":
		m.Rcode = dns.RcodeServerFailure
	case rdata == "silence":
		<-ctx.Done()
		return dns.RcodeServerFailure, ctx.Err()
	case ok:
		for one := range strings.SplitSeq(rdata, "; ") {
			rr, err := dns.NewRR(q.Name + " 60 IN " + one)
			if err != nil {
				return dns.RcodeServerFailure, err
			}
			m.Answer = append(m.Answer, rr)
		}
	case z.exists(strings.ToLower(q.Name)):
	default:
		m.Rcode = dns.RcodeNameError
	}
	return dns.RcodeSuccess, w.WriteMsg(m)
}

func (z *zone) exists(name string) bool {
	for key := range z.records {
		if owner, _, _ := strings.Cut(key, " "); owner == name {
			return true
		}
	}
	return false
}

// count returns how often the zone was asked for names of this suffix. Names that
// were made up to find out about wildcards do not count.
func (z *zone) count(suffix string) (n int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, key := range z.asked {
		if name, _, _ := strings.Cut(key, " "); strings.HasSuffix(name, suffix) && len(dns.SplitDomainName(name)[0]) != 26 {
			n++
		}
	}
	return n
}

// above returns a handler for the directives above the zone, whose lookups end
// with the test.
func (z *zone) above(t *testing.T, corefile string) *Lookalike {
	t.Helper()
	l := started(t, corefile)
	l.Next = test.HandlerFunc(z.ServeDNS)
	return l
}

func TestVerify(t *testing.T) {
	const corefile = `lookalike {
		protect army.mil
		allow   allowed.ml
		verify  4s
		action  nxdomain
	}`
	records := map[string]string{
		"mail.mil. MX":      "MX 10 mx.mail.mil.",
		"v4.mil. A":         "A 192.0.2.1",
		"v6.mil. AAAA":      "AAAA 2001:db8::1",
		"alias.mil. MX":     "CNAME mail.mil.",
		"alias.mil. A":      "CNAME v4.mil.; A 192.0.2.1",
		"text.mil. TXT":     "TXT nothing",
		"broken.mil. MX":    "SERVFAIL",
		"half.mil. MX":      "MX 10 mx.half.mil.",
		"half.mil. A":       "SERVFAIL",
		"late.mil. MX":      "MX 10 mx.late.mil.",
		"silent.mil. MX":    "silence",
		"allowed.mil. MX":   "MX 10 mx.allowed.mil.",
		"elsewhere.mil. MX": "MX 10 mx.elsewhere.mil.",
		"army.mil. MX":      "MX 10 mx.army.mil.",
	}
	tests := []struct {
		name, qname string
		blocked     bool
		lookups     int // for names under mil
	}{
		{"counterpart has an MX", "mail.ml.", true, 1},
		{"counterpart has an IPv4 address", "v4.ml.", true, 2},
		{"counterpart has an IPv6 address", "v6.ml.", true, 3},
		{"counterpart is an alias of a host", "alias.ml.", true, 2},
		{"below the counterpart", "mx.mail.ml.", true, 1},
		{"with underscore labels", "_dmarc.mail.ml.", true, 1},
		{"under a public suffix", "mail.gouv.ml.", true, 1},
		{"in upper case", "MAIL.ML.", true, 1},
		{"counterpart does not exist", "absent.ml.", false, 1},
		{"counterpart has no such records", "text.ml.", false, 3},
		{"upstream fails", "broken.ml.", false, 1},
		{"upstream fails after the MX was found", "half.ml.", true, 1},
		{"upstream is silent", "silent.ml.", false, 1},
		{"allowed", "allowed.ml.", false, 0},
		{"listed: no lookup", "army.ml.", true, 0},
		{"another TLD", "mail.example.", false, 0},
		{"the TLD itself", "ml.", false, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := &zone{records: records}
				l := z.above(t, corefile)
				for range 2 { // the second time from the cache
					m, _, written := ask(t, l, new(dns.Msg).SetQuestion(tc.qname, dns.TypeMX))
					if written != 1 || tc.blocked && m.Rcode != dns.RcodeNameError {
						t.Errorf("Got %v, written %d times", m, written)
					}
					if passed := z.count(strings.ToLower(tc.qname)) > 0; passed == tc.blocked {
						t.Errorf("Passed: %v", passed)
					}
				}
				if got := z.count(".mil."); got != tc.lookups {
					t.Errorf("%d lookups, want %d: %v", got, tc.lookups, z.asked)
				}
			})
		})
	}
}

func TestVerifiedAlert(t *testing.T) {
	z := &zone{records: map[string]string{"fort-example.mil. MX": "MX 10 mx.fort-example.mil."}}
	l, flush := startedWithAlerts(t, "lookalike {\n protect army.mil\n verify\n}")
	l.Next = test.HandlerFunc(z.ServeDNS)
	ask(t, l, new(dns.Msg).SetQuestion("mx.fort-example.ml.", dns.TypeA))
	if v, ok := l.Match("fort-example.ml"); !ok || v.Matches[0].Protected != "fort-example.mil" {
		t.Errorf("The responder is told %v", v)
	}
	if v, ok := l.Match("unknown.ml"); ok {
		t.Errorf("The responder is told %v", v)
	}
	records := flush()
	if len(records) == 0 {
		t.Fatal("No alert")
	}
	for path, want := range map[string]string{
		"lookalike.class": "tld-swap", "lookalike.confidence": "high", "lookalike.action": "nxdomain",
		"dns.question.name": "mx.fort-example.ml",
	} {
		if got := field(records[0], path); got != want {
			t.Errorf("%s is %v, want %s", path, got, want)
		}
	}
	if got := fmt.Sprint(field(records[0], "lookalike.protected"), field(records[0], "lookalike.did_you_mean")); got != "[fort-example.mil] [mx.fort-example.mil]" {
		t.Errorf("Got %s", got)
	}
	if !strings.Contains(fmt.Sprint(records[0]), "(verified)") {
		t.Errorf("The alert does not say why: %v", records[0])
	}
}

// TestVerifyWithoutAnAnswerInTime shows that the query passes, and that the
// next one profits from the answer that has come since.
func TestVerifyWithoutAnAnswerInTime(t *testing.T) {
	blocked, release := context.WithCancel(t.Context())
	defer release()
	z := &zone{records: map[string]string{"late.mil. MX": "MX 10 mx.late.mil."}}
	z.ask = func(ctx context.Context, _ dns.ResponseWriter) {
		if verify.IsOwn(ctx) {
			<-blocked.Done()
		}
	}
	l := z.above(t, "lookalike {\n protect army.mil\n verify 10ms\n}")
	query := func() int { return dnsCode(t, l, "late.ml.") }
	query()
	if z.count("late.ml.") != 1 {
		t.Error("The query did not pass")
	}
	release()
	v := l.policies[0].verifier
	wait.Until(t, "the lookup to end", func() bool { return v.Known("late.mil") })
	if query() != dns.RcodeNameError || z.count("late.ml.") != 1 {
		t.Error("The second query passed")
	}
}

func TestVerifyWaitsOnceForAllTLDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{records: map[string]string{"quiet.mil. MX": "silence", "quiet.com. MX": "silence", "quiet.org. MX": "silence"}}
		policies, err := parsed(t, "lookalike {\n protect army.mil example.com example.org\n verify 2s\n}")
		if err != nil {
			t.Fatal(err)
		}
		l := &Lookalike{Next: test.HandlerFunc(z.ServeDNS), policies: policies}
		begin := time.Now()
		dnsCode(t, l, "quiet.ml.")
		if waited := time.Since(begin); waited != 2*time.Second {
			t.Errorf("The query waited for %v, want 2s", waited)
		}
		for _, name := range []string{"quiet.mil.", "quiet.com.", "quiet.org.", "quiet.ml."} {
			if z.count(name) != 1 {
				t.Errorf("%s was asked for %d times, want once", name, z.count(name))
			}
		}
		policies[0].verifier.Close()
	})
}

func dnsCode(t *testing.T, l *Lookalike, qname string) int {
	t.Helper()
	m, _, _ := ask(t, l, new(dns.Msg).SetQuestion(qname, dns.TypeMX))
	if m == nil {
		return -1
	}
	return m.Rcode
}

// TestVerifyAsksBelow has a server that would refuse the lookups, as one whose
// blocks are for other zones does.
func TestVerifyAsksBelow(t *testing.T) {
	z := &zone{records: map[string]string{"mail.mil. MX": "MX 10 mx.mail.mil."}}
	l := z.above(t, "lookalike {\n protect army.mil\n verify\n}")
	ctx := context.WithValue(t.Context(), dnsserver.Key{}, &dnsserver.Server{Addr: "dns://:53"})
	w := dnstest.NewRecorder(&test.ResponseWriter{})
	if _, err := l.ServeDNS(ctx, w, new(dns.Msg).SetQuestion("mail.ml.", dns.TypeMX)); err != nil || w.Msg.Rcode != dns.RcodeNameError {
		t.Errorf("Got %v, error %v", w.Msg, err)
	}
}

// TestVerifyTooLate lets a query pass before the lookup ends. Caches may keep the
// answer no longer than ours, and an alert follows when the name turns out to
// exist.
func TestVerifyTooLate(t *testing.T) {
	tests := []struct {
		name, qname string
		ttl         uint32
		alerts      int
	}{
		{"exists", "late.ml.", 30, 1},
		{"does not exist", "later.ml.", 30, 0},
		{"upstream fails", "broken.ml.", 30, 0},
		{"absent in time", "absent.ml.", 60, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			release := make(chan struct{})
			z := &zone{records: map[string]string{
				"late.mil. MX": "MX 10 mx.late.mil.", "broken.mil. MX": "SERVFAIL",
				"late.ml. MX": "MX 10 mx.late.ml.", "later.ml. MX": "MX 10 mx.later.ml.", "broken.ml. MX": "MX 10 mx.broken.ml.", "absent.ml. MX": "MX 10 mx.absent.ml.",
			}}
			l, flush := startedWithAlerts(t, "lookalike {\n protect army.mil\n verify 10ms\n ttl 30\n}")
			l.Next = test.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
				if verify.IsOwn(ctx) && strings.HasPrefix(r.Question[0].Name, "late") {
					<-release
				}
				return z.ServeDNS(ctx, w, r)
			})
			m, _, _ := ask(t, l, new(dns.Msg).SetQuestion(tc.qname, dns.TypeMX))
			if len(m.Answer) != 1 || m.Answer[0].Header().Ttl != tc.ttl {
				t.Errorf("Got %v, want a TTL of %d", m, tc.ttl)
			}
			close(release)
			if tc.alerts > 0 {
				wait.Until(t, "the alert", func() bool { return len(readAlerts(t, alertFile(l))) > 0 })
			}
			records := flush()
			if got := len(records) > 0; got != (tc.alerts > 0) {
				t.Fatalf("Got alerts %v", records)
			}
			if tc.alerts > 0 && (field(records[0], "lookalike.action") != "monitor" || field(records[0], "dns.question.name") != "late.ml") {
				t.Errorf("Got %v", records[0])
			}
		})
	}
}

// TestVerifyLoop has lookups come back as queries for lookalikes.
func TestVerifyLoop(t *testing.T) {
	z := &zone{}
	l := z.above(t, "lookalike {\n protect army.mil\n verify 100ms\n}")
	looped := false
	z.ask = func(ctx context.Context, w dns.ResponseWriter) {
		if verify.IsOwn(ctx) && !looped {
			looped = true
			l.ServeDNS(ctx, w, new(dns.Msg).SetQuestion("again.ml.", dns.TypeMX))
		}
	}
	dnsCode(t, l, "loop.ml.")
	if !looped || z.count("again.ml.") != 1 || z.count(".mil.") != 1 {
		t.Errorf("Upstream was asked %v", z.asked)
	}
}

func TestVerifyOneLookupForAName(t *testing.T) {
	blocked, release := context.WithCancel(t.Context())
	defer release()
	z := &zone{records: map[string]string{"busy.mil. MX": "MX 10 mx.busy.mil."}}
	z.ask = func(ctx context.Context, _ dns.ResponseWriter) {
		if verify.IsOwn(ctx) {
			<-blocked.Done()
		}
	}
	l := z.above(t, "lookalike {\n protect army.mil\n verify 4s\n}")
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			w := &discard{&test.ResponseWriter{}}
			l.ServeDNS(t.Context(), w, new(dns.Msg).SetQuestion(fmt.Sprintf("host%d.busy.ml.", i), dns.TypeMX))
		})
	}
	wait.Until(t, "the lookup to begin", func() bool { return z.count("busy.mil.") > 0 })
	release()
	wait.Done(t, "the queries to end", wg.Wait)
	if n := z.count("busy.mil."); n != 1 {
		t.Errorf("%d lookups, want 1", n)
	}
	if n := z.count("busy.ml."); n != 0 {
		t.Errorf("%d queries passed", n)
	}
}

// TestVerifyStorm asks for random names, as many as an attacker likes.
func TestVerifyStorm(t *testing.T) {
	z := &zone{}
	l := z.above(t, "lookalike {\n protect army.mil\n verify 4s\n}")
	const storm = 2000
	for i := range storm {
		dnsCode(t, l, fmt.Sprintf("random%d.ml.", i))
	}
	if n := z.count(".mil."); n > storm/2 {
		t.Errorf("%d lookups for %d names", n, storm)
	}
	if n := z.count(".ml."); n != storm {
		t.Errorf("%d queries passed, want %d", n, storm)
	}
}
