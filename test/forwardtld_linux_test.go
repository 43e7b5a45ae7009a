//go:build e2e

package test

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// Who is who on loopback: alerts have to name the resolver.
var (
	mailServer  = netip.MustParseAddr("127.0.0.3") // asks the resolver
	askingThere = netip.MustParseAddr("127.0.0.2") // the resolver, where it asks
)

// front is a resolver that stays: it validates, asks this server for names below
// ml, and one in the world for the others. Its files have {ANCHOR}, and for what the
// dns.md has {BIND}, {UNBOUND}, {RECURSOR} and {LUA}.
type front struct {
	harness.Resolver
	exempt string // in the page's line without which the answers are forgeries
}

var fronts = []front{
	{harness.BIND(`{BIND}
controls { };
trust-anchors { "." static-ds {ANCHOR-QUOTED}; };
`), "validate-except"},
	{harness.Unbound(harness.UnboundServer + `	outgoing-interface: {ASKING}
	module-config: "validator iterator"
	trust-anchor: ". DS {ANCHOR}"
{UNBOUND}`), "domain-insecure"},
	{recursor(harness.RecursorSettings+`query-local-address={ASKING}
dnssec=validate
{RECURSOR}`, `clearTA(".")
addTA(".", "{ANCHOR}")
{LUA}`), "addNTA"},
}

func recursor(conf, lua string) harness.Resolver {
	r := harness.Recursor(conf)
	r.Files["recursor.lua"] = lua
	return r
}

// bindOptions stand before those of dns.md.
const bindOptions = harness.BINDOptions + `	listen-on-v6 { none; };
	query-source address {ASKING};
	allow-recursion { any; };
	dnssec-validation yes;
`

// recipes returns what dns.md has for the fronts, by placeholder, with the
// address of this server in place.
func recipes(t *testing.T, ours netip.AddrPort) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../build/package/doc/dns.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Forward only the lookalike TLD\n")
	section, _, _ = strings.Cut(section, "\n## ")
	found := fenced.FindAllStringSubmatch(section, -1)
	ways := []struct{ placeholder, address string }{
		{"{BIND}", fmt.Sprintf("%s port %d", ours.Addr(), ours.Port())},
		{"{UNBOUND}", fmt.Sprintf("%s@%d", ours.Addr(), ours.Port())},
		{"{RECURSOR}", ours.String()},
		{"{LUA}", ""},
	}
	if len(found) != len(ways) {
		t.Fatalf("dns.md has %d recipes, want %d", len(found), len(ways))
	}
	all := make(map[string]string)
	for i, way := range ways {
		text := found[i][1]
		if n := strings.Count(text, "192.0.2.53"); (n == 1) != (way.address != "") {
			t.Fatalf("The recipe %s has the address of the server %d times:\n%s", way.placeholder, n, text)
		}
		all[way.placeholder] = strings.Replace(text, "192.0.2.53", way.address, 1)
	}
	all["{BIND}"] = strings.Replace(all["{BIND}"], "options {\n", bindOptions, 1)
	all["{RECURSOR}"] = strings.Replace(all["{RECURSOR}"], "/etc/powerdns", "{DIR}", 1)
	return all
}

// start runs the resolver until the test ends, and returns where it listens and
// whom it asks for what is not below ml.
func (f front) start(t *testing.T, chain *harness.Chain, page map[string]string) (netip.AddrPort, *harness.Upstream) {
	t.Helper()
	world := harness.NewSignedUpstream(t, chain)
	anchor := chain.Anchor()
	numbers := anchor[:strings.LastIndexByte(anchor, ' ')]
	fill := strings.NewReplacer("{ASKING}", askingThere.String(), "{ANCHOR}", anchor,
		"{ANCHOR-QUOTED}", fmt.Sprintf("%s %q", numbers, anchor[len(numbers)+1:])).Replace
	files := make(map[string]string)
	for name, text := range f.Files {
		for placeholder, lines := range page {
			text = strings.Replace(text, placeholder, lines, 1)
		}
		files[name] = fill(text)
	}
	f.Files = files
	return f.Start(t, world.Addr, func(resolver netip.AddrPort) bool {
		client := dns.Client{Timeout: time.Second}
		reply, _, err := client.Exchange(harness.QueryEDNS("example.org", dns.TypeA, true), resolver.String())
		return err == nil && reply.AuthenticatedData
	}).Addr(), world
}

// TestForwardTLD has real resolvers that validate, in a signed world, forward only
// ml to this server, with the very configuration of dns.md.
func TestForwardTLD(t *testing.T) {
	t.Parallel()
	for _, f := range fronts {
		t.Run(f.Program, func(t *testing.T) {
			t.Parallel()
			chain := harness.NewChain(t, "ml.")
			behind := harness.NewSignedUpstream(t, chain)
			server := harness.Start(t, harness.Config{
				Corefile: corefile("lookalike {\n clients " + askingThere.String() + "\n allow navy.ml\n alert stdout\n }"),
				Upstream: behind.Addr,
			})
			page := recipes(t, server.Addr("DNS"))
			addr, world := f.start(t, chain, page)
			for _, tt := range forwarded {
				for _, do := range []bool{false, true} {
					tt.check(t, addr, do)
				}
			}
			if behind.Count("navy.ml", dns.TypeA) == 0 || behind.Below("org.") != 0 || world.Count("example.org", dns.TypeMX) == 0 {
				t.Error("The queries did not go where they belong")
			}
			alert := server.WaitAlert(t, "about army.ml", func(a harness.Alert) bool { return a.DNS.Question.Name == "army.ml" })
			if alert.Source.IP != askingThere.String() {
				t.Errorf("The source in the alert is %s, want the resolver, %s", alert.Source.IP, askingThere)
			}
			// Four questions are blocked, each is asked twice, and the resolver keeps answers.
			if n := server.Metric(t, "coredns_lookalike_detections_total"); n > 4 {
				t.Errorf("%v detections, want 4 at most", n)
			}
			f.withoutExemption(t, chain, page)

			hang(t, server, addr)
			if n := world.Below("ml."); n != 0 {
				t.Errorf("%d queries for ml and names below it went into the world", n)
			}
		})
	}
}

// forwarding is a query through a resolver in front, and what it has to answer.
type forwarding struct {
	name      string
	qtype     uint16
	rcode     int
	answer    string // how the only answer ends
	validated bool   // has the AD bit, for clients that ask by DO
}

var forwarded = []forwarding{
	{"army.ml", dns.TypeMX, dns.RcodeNameError, "", false},
	{"army.ml", dns.TypeA, dns.RcodeNameError, "", false},
	{"mx.arrny.ml", dns.TypeMX, dns.RcodeNameError, "", false},
	{"mx.arrny.ml", dns.TypeA, dns.RcodeNameError, "", false},
	{"example.org", dns.TypeMX, dns.RcodeSuccess, "10 mx.example.org.", true},
	{"navy.ml", dns.TypeA, dns.RcodeSuccess, "203.0.113.68", false}, // an exception
	{"gouv.ml", dns.TypeA, dns.RcodeSuccess, "192.0.2.5", false},    // resembles nothing
}

// check asks as the mail server.
func (tt forwarding) check(t *testing.T, resolver netip.AddrPort, do bool) {
	t.Helper()
	query := harness.Pack(t, harness.QueryEDNS(tt.name, tt.qtype, do))
	reply := harness.Unpack(t, harness.UDPFrom(t, mailServer, resolver, query))
	answers := slices.DeleteFunc(slices.Clone(reply.Answer), func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeRRSIG })
	right := len(answers) == 0
	if tt.answer != "" {
		right = len(answers) == 1 && strings.HasSuffix(answers[0].String(), "\t"+tt.answer)
	}
	if reply.Rcode != tt.rcode || !right || reply.AuthenticatedData != (do && tt.validated) {
		t.Errorf("%s %s, DO %v: want %s %q, validated %v, got\n%v", tt.name, dns.Type(tt.qtype), do,
			dns.RcodeToString[tt.rcode], tt.answer, tt.validated, reply)
	}
}

// hang has the server not answer for a while. Meanwhile the resolver has no answer,
// and afterwards the server's again.
func hang(t *testing.T, server *harness.Server, resolver netip.AddrPort) {
	t.Helper()
	stub := dns.Client{Timeout: 5 * time.Second}
	asked := 0
	until := func(rcode int) time.Duration {
		for began := time.Now(); time.Since(began) < harness.Patience; time.Sleep(100 * time.Millisecond) {
			asked++
			query := harness.Query(fmt.Sprintf("mx%d.af.ml", asked), dns.TypeMX)
			for range 3 { // BIND needs 10 s, and Unbound may reply to a repetition only
				if reply, _, err := stub.Exchange(query, resolver.String()); err == nil && reply.Rcode == rcode {
					return time.Since(began)
				}
			}
		}
		t.Errorf("%s does not come within %s", dns.RcodeToString[rcode], harness.Patience)
		return 0
	}
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	down := until(dns.RcodeServerFailure)
	if err := server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	up := until(dns.RcodeNameError)
	t.Logf("SERVFAIL %s after the server hangs; blocked again %s after it goes on", down.Round(time.Millisecond), up.Round(time.Millisecond))
}

// withoutExemption leaves the line out that exempts ml from validation: what
// passes is still valid, and what is blocked is taken for a forgery.
func (f front) withoutExemption(t *testing.T, chain *harness.Chain, page map[string]string) {
	t.Helper()
	strict, removed := make(map[string]string), 0
	for placeholder, text := range page {
		var kept strings.Builder
		for line := range strings.Lines(text) {
			if strings.Contains(line, f.exempt) {
				removed++
			} else {
				kept.WriteString(line)
			}
		}
		strict[placeholder] = kept.String()
	}
	if removed != 1 {
		t.Fatalf("%d lines of dns.md have %s, want 1", removed, f.exempt)
	}
	addr, _ := f.start(t, chain, strict)
	for _, tt := range []forwarding{
		{"navy.ml", dns.TypeA, dns.RcodeSuccess, "203.0.113.68", true},
		{"army.ml", dns.TypeMX, dns.RcodeServerFailure, "", false},
		{"army.ml", dns.TypeA, dns.RcodeServerFailure, "", false},
	} {
		tt.check(t, addr, true)
	}
}
