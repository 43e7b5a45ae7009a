package lookalike

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// allowing returns a directive that allows the names of a file with these lines.
func allowing(t *testing.T, lines, more string) (corefile string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "allow.txt")
	write(t, file, lines)
	return fmt.Sprintf("lookalike {\n protect army.mil navy.mil\n allow %s\n action nxdomain\n %s\n}", file, more)
}

// askAs asks for the MX of a name as a client does, and reports whether the answer
// is upstream's.
func askAs(t *testing.T, l *Lookalike, client, qname string) (passed bool) {
	t.Helper()
	w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: client})
	if _, err := l.ServeDNS(t.Context(), w, new(dns.Msg).SetQuestion(qname, dns.TypeMX)); err != nil || w.Msg == nil {
		t.Fatalf("Got %v, error %v", w.Msg, err)
	}
	return w.Msg.Rcode == dns.RcodeSuccess
}

// TestNarrowExceptions: what is for some clients or classes only lets nobody and
// nothing else pass.
func TestNarrowExceptions(t *testing.T) {
	const list = "army.ml clients=192.0.2.25\nnavy.ml class=typo\nnayv.ml class=typo\nnavyy.ml class=typo clients=192.0.2.0/24\nbare.army.ml\n"
	tests := []struct {
		name, qname, client string
		passed              bool
	}{
		{"for the client", "army.ml.", "192.0.2.25", true},
		{"below it", "mx.army.ml.", "192.0.2.25", true},
		{"for another client", "army.ml.", "192.0.2.26", false},
		{"without words below it", "mx.bare.army.ml.", "192.0.2.26", true},
		{"of another class", "navy.ml.", "192.0.2.25", false},
		{"of the class", "nayv.ml.", "192.0.2.25", true},
		{"of the class, for the client", "navyy.ml.", "192.0.2.25", true},
		{"of the class, for another client", "navyy.ml.", "198.51.100.25", false},
	}
	l := started(t, allowing(t, list, ""))
	counter := func() float64 {
		return testutil.ToFloat64(allowedTotal.WithLabelValues(l.policies[0].block, "tld-swap")) +
			testutil.ToFloat64(allowedTotal.WithLabelValues(l.policies[0].block, "typo"))
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			before := counter()
			for range 3 { // what is remembered of the name is not of the client
				if passed := askAs(t, l, tc.client, tc.qname); passed != tc.passed {
					t.Errorf("Passed: %v", passed)
				}
			}
			if got, want := counter()-before, map[bool]float64{true: 3}[tc.passed]; got != want {
				t.Errorf("Counted %v, want %v", got, want)
			}
			client := netip.MustParseAddr(tc.client)
			if got := Explain(l.policies, tc.qname, client)[0]; (got.Outcome == Allowed) != tc.passed || tc.passed != (got.Exception != nil) {
				t.Errorf("Explained as %v by %v", got.Outcome, got.Exception)
			}
		})
	}
}

// TestExceptionEnds has exceptions end while the server runs. The alert names them,
// whatever finds the name.
func TestExceptionEnds(t *testing.T) {
	const until = "until=2000-01-01T00:00:02Z owner=mail@example.net reason=\"pension payments\" ticket=SEC-1"
	tests := []struct {
		name, more   string
		line, qname  string
		answer       string // upstream's
		afterwards   string // what the alert says was asked for
		exceptionFor string
	}{
		{"of a listed name", "", "army.ml " + until, "mx.army.ml.", "MX 10 mx.example.", "mx.army.ml", "army.ml"},
		{"of a name that verify finds", "verify", "fort-example.ml " + until, "fort-example.ml.", "MX 10 mx.example.", "fort-example.ml", "fort-example.ml"},
		{"of a target in an answer", "inspect", "mx.army.ml " + until, "partner.example.", "MX 10 mx.army.ml.", "mx.army.ml", "mx.army.ml"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			corefile := allowing(t, tc.line+"\n", tc.more)
			synctest.Test(t, func(t *testing.T) {
				l, flush := startedWithAlerts(t, corefile)
				z := &zone{records: map[string]string{tc.qname + " MX": tc.answer, "fort-example.mil. MX": "MX 10 mx.fort-example.mil."}}
				l.Next = test.HandlerFunc(z.ServeDNS)
				ask := func() string {
					w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: "192.0.2.25"})
					if _, err := l.ServeDNS(t.Context(), w, new(dns.Msg).SetQuestion(tc.qname, dns.TypeMX)); err != nil || w.Msg == nil {
						t.Fatalf("Got %v, error %v", w.Msg, err)
					}
					return rdata(w.Msg.Answer)
				}
				for range 3 {
					if got := ask(); got != z.records[tc.qname+" MX"] {
						t.Errorf("Got %q before the end", got)
					}
				}
				time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 0, 2, 0, time.UTC)))
				if got := ask(); got == z.records[tc.qname+" MX"] {
					t.Errorf("Got %q after the end", got)
				}
				records := flush()
				if len(records) == 0 || field(records[0], "lookalike.phase") != "first" || field(records[0], "dns.question.name") != tc.afterwards {
					t.Fatalf("Got alerts %v", records)
				}
				for path, want := range map[string]string{
					"name": tc.exceptionFor, "until": "2000-01-01T00:00:02Z", "owner": "mail@example.net", "reason": "pension payments", "ticket": "SEC-1",
				} {
					if got := field(records[0], "lookalike.exception."+path); got != want {
						t.Errorf("Got %s %v, want %s", path, got, want)
					}
				}
				if got := field(records[0], "message").(string); !strings.HasSuffix(got, "its owner is mail@example.net") {
					t.Errorf("Got the message %q", got)
				}
			})
		})
	}
}

// TestAllowedAllocatesNothing: names that an exception lets pass cost no memory
// when they come again, whatever words it has.
func TestAllowedAllocatesNothing(t *testing.T) {
	l := started(t, allowing(t, "army.ml\nnavy.ml until=2099-12-31 owner=x clients=192.0.2.0/24\nother.ml until=2099-12-31\n", "spool "+t.TempDir()))
	l.Next = test.NextHandler(dns.RcodeSuccess, nil)
	for _, qname := range []string{"mx.army.ml.", "navy.ml.", "other.ml."} {
		w, r := discard{&test.ResponseWriter{RemoteIP: "192.0.2.25"}}, new(dns.Msg).SetQuestion(qname, dns.TypeMX)
		client := &fixedClient{discard: w, addr: w.RemoteAddr()}
		for range 2 { // then it is remembered
			l.ServeDNS(t.Context(), client, r)
		}
		if n := testing.AllocsPerRun(100, func() { l.ServeDNS(t.Context(), client, r) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", qname, n)
		}
	}
}
