package test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// TestPassUnchanged compares, byte for byte, what the upstream answers with what
// comes through the server, of which only the message id may differ; the same
// id is used, so not even that.
func TestPassUnchanged(t *testing.T) {
	t.Parallel()
	names := []string{
		"army.mil", "mx.army.mil", "www.army.mil", "ARMY.mil", "missing.army.mil",
		"example.org", "missing.example.org",
		"gouv.ml", "mx.gouv.ml", "example.ml", "Mx.Example.ML", "missing.example.ml",
		"army.ml.example.org", "ml", "mil",
	}
	upstream := harness.NewUpstream(t)
	server := harness.Start(t, harness.Config{Corefile: corefile("lookalike"), Upstream: upstream.Addr})
	for _, name := range names {
		for _, qtype := range queryTypes {
			for _, e := range edns {
				checkUnchanged(t, upstream, server, e.query(name, qtype), e.name)
			}
		}
	}
	for _, change := range []struct {
		name   string
		change func(*dns.Msg)
	}{
		{"without RD", func(m *dns.Msg) { m.RecursionDesired = false }},
		{"with CD", func(m *dns.Msg) { m.CheckingDisabled = true }},
		{"with AD", func(m *dns.Msg) { m.AuthenticatedData = true }},
	} {
		q := harness.Query("army.mil", dns.TypeMX)
		change.change(q)
		checkUnchanged(t, upstream, server, q, change.name)
	}
	server.Stop()
	if alerts := server.Alerts(t); len(alerts) != 0 {
		t.Errorf("There is an alert: %s", alerts[0].Raw)
	}
}

func checkUnchanged(t *testing.T, upstream *harness.Upstream, server *harness.Server, q *dns.Msg, how string) {
	t.Helper()
	for _, network := range []struct {
		name string
		ask  func(testing.TB, netip.AddrPort, []byte) []byte
	}{{"udp", ask("udp")}, {"tcp", ask("tcp")}} {
		query := harness.Pack(t, q)
		direct := network.ask(t, upstream.Addr, query)
		through := network.ask(t, server.Addr("DNS"), query)
		if !bytes.Equal(direct, through) {
			t.Errorf("%s over %s, %s: upstream\n% x\nthrough the server\n% x\n%v",
				q.Question[0].String(), network.name, how, direct, through, harness.Unpack(t, through))
		}
	}
}

// ask sends raw bytes and returns the first reply.
func ask(network string) func(testing.TB, netip.AddrPort, []byte) []byte {
	return func(tb testing.TB, server netip.AddrPort, query []byte) []byte {
		tb.Helper()
		conn, err := dns.Dial(network, server.String())
		if err != nil {
			tb.Fatal(err)
		}
		defer conn.Close()
		harness.SetDeadline(tb, conn)
		if _, err := conn.Write(query); err != nil {
			tb.Fatal(err)
		}
		reply := make([]byte, dns.MaxMsgSize)
		n, err := conn.Read(reply)
		if err != nil {
			tb.Fatal(err)
		}
		return reply[:n]
	}
}

// TestAllowed lets allowed names and those below them through, and no others.
func TestAllowed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		blocked bool
	}{
		{"army.ml", false},
		{"mx.army.ml", false},
		{"ARMY.ML", false},
		{"us.af.ml", false},
		{"af.ml", true},
		{"navy.ml", true},
		{"xaarmy.ml", false}, // resembles nothing
	}
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike {\n protect army.mil us.af.mil af.mil navy.mil\n allow army.ml ./allowed.txt\n }"),
		Files:    map[string]string{"allowed.txt": "# a friend\nus.af.ml\n"},
		Upstream: harness.NewUpstream(t).Addr,
	})
	for _, tt := range tests {
		r := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(tt.name, dns.TypeMX))
		if blocked := isBlocked(r); blocked != tt.blocked {
			t.Errorf("%s: blocked %t, want %t\n%v", tt.name, blocked, tt.blocked, r)
		}
	}
}

// isBlocked tells an answer of the plugin from one of the upstream.
func isBlocked(r *dns.Msg) bool {
	if len(r.Ns) != 1 {
		return false
	}
	soa, ok := r.Ns[0].(*dns.SOA)
	return ok && soa.Ns == "blocked.invalid."
}

// TestOtherClass lets classes other than IN pass, up to the upstream.
func TestOtherClass(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	server := harness.Start(t, harness.Config{Corefile: corefile("lookalike"), Upstream: upstream.Addr})
	classes := []uint16{dns.ClassCHAOS, dns.ClassHESIOD, dns.ClassANY}
	for _, class := range classes {
		q := harness.Query("army.ml", dns.TypeTXT)
		q.Question[0].Qclass = class
		r := harness.Exchange(t, "udp", server.Addr("DNS"), q)
		if isBlocked(r) {
			t.Errorf("class %s is blocked:\n%v", dns.Class(class), r)
		}
	}
	if n := upstream.Below("army.ml."); n != len(classes) {
		t.Errorf("%d queries reached the upstream, want %d", n, len(classes))
	}
	server.Stop()
	if alerts := server.Alerts(t); len(alerts) != 0 {
		t.Errorf("There is an alert: %s", alerts[0].Raw)
	}
}

// TestSeveralDirectives has two directives in one block and another block.
func TestSeveralDirectives(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		rcode int
	}{
		{"army.ml", dns.RcodeNameError},
		{"army.nl", dns.RcodeRefused},
		{"example.cm", dns.RcodeRefused},
		{"example.co", dns.RcodeRefused},
		{"exa-mple.ml", dns.RcodeNameError}, // unknown to the upstream
		{"army.zone.test", dns.RcodeServerFailure},
	}
	server := harness.Start(t, harness.Config{
		Corefile: corefile(`
	lookalike ml {
		protect army.mil
	}
	lookalike nl cm co {
		protect army.mil example.com
		action refused
	}`) + `
test:{$DNS} {
	bind 127.0.0.1
	lookalike test {
		protect army.zone.mil
		action servfail
	}
	forward . {$UPSTREAM}
}
`,
		Upstream: harness.NewUpstream(t).Addr,
	})
	for _, tt := range tests {
		r := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(tt.name, dns.TypeMX))
		if r.Rcode != tt.rcode {
			t.Errorf("%s: %s, want %s", tt.name, dns.RcodeToString[r.Rcode], dns.RcodeToString[tt.rcode])
		}
	}
}

// TestFirstAlert reads the alert that a blocked query raises.
func TestFirstAlert(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Config{Corefile: corefile("lookalike"), Upstream: harness.NewUpstream(t).Addr})
	harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("mx.army.ml", dns.TypeMX))
	a := server.WaitAlert(t, "for mx.army.ml", func(a harness.Alert) bool { return a.DNS.Question.Name == "mx.army.ml" })
	got := fmt.Sprintf("%s asked %s by %s: %s %s %q %q, %s (%s), %s %d",
		a.Source.IP, a.DNS.Question.Type, a.Network.Transport, a.Lookalike.Class, a.Lookalike.Confidence,
		a.Lookalike.Protected, a.Lookalike.DidYouMean, a.Lookalike.Action, a.DNS.ResponseCode, a.Lookalike.Phase, a.Lookalike.Count)
	want := `127.0.0.1 asked MX by udp: tld-swap high ["army.mil"] ["mx.army.mil"], nxdomain (NXDOMAIN), first 1`
	if got != want {
		t.Errorf("The alert says\n%s\nwant\n%s\n%s", got, want, a.Raw)
	}
}
