//go:build e2e

package test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// follows is how long a resolver may take to follow a change of a list.
const follows = 10 * time.Second

// subscriber is a resolver that blocks by the zone of the plugin rpz, with what the
// README says.
type subscriber struct {
	name string
	// configure returns it with its configuration, given what the README has.
	configure func(readme string, ours netip.AddrPort) harness.Resolver
	signed    bool   // it signs its transfers
	byFile    bool   // it reads a zone file
	deaf      bool   // it takes no NOTIFY
	harmless  string // what it may complain of
	loaded    string // what it logs when it has the whole zone, if it blocks before that
}

// lists protects the built-in names and those of a file, and has exceptions in
// another.
const lists = " lookalike {\n  protect @mil %s/protect.txt\n  allow %s/allow.txt\n  reload 1s\n }\n"

// tsig has the server hand the zone to those that sign with the key of the README.
const tsig = ` tsig rpz.example.org {
  secret rpz-key. NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=
  require AXFR IXFR
 }
`

const (
	bindBase = harness.BINDOptions + "\tlisten-on-v6 { none; };\n\tdnssec-validation no;\n"
	pdnsBase = harness.RecursorSettings + `dnssec=off
statistics-interval=0
security-poll-suffix=
aggressive-nsec-cache-size=0
lua-config-file={DIR}/rpz.lua
`
	knotBase = `net.listen('127.0.0.1', {PORT}, { kind = 'dns' })
modules = { 'policy' }
trust_anchors.remove('.')
log_level('info')
`
)

var subscribers = []subscriber{
	{name: "named", configure: func(readme string, ours netip.AddrPort) harness.Resolver {
		readme = strings.Replace(readme, "192.0.2.53 key", fmt.Sprintf("%s port %d key", ours.Addr(), ours.Port()), 1)
		return harness.BIND(strings.Replace(readme, "options {", bindBase, 1) + "controls { };\n")
	}, signed: true, loaded: "rpz.example.org: reload done: success"},
	{name: "unbound", configure: func(readme string, ours netip.AddrPort) harness.Resolver {
		readme = strings.Replace(readme, "primary: 192.0.2.53", fmt.Sprintf("primary: %s@%d", ours.Addr(), ours.Port()), 1)
		return harness.Unbound(harness.UnboundServer + strings.Replace(readme, "192.0.2.53", ours.Addr().String(), 1))
	}},
	{name: "pdns_recursor", configure: func(readme string, ours netip.AddrPort) harness.Resolver {
		r := harness.Recursor(pdnsBase)
		r.Files["rpz.lua"] = strings.Replace(readme, "192.0.2.53", ours.String(), 1)
		return r
	}, signed: true, deaf: true, harmless: "NOT using IPv6|Failed to update . records"}, // the lab has neither IPv6 nor a root
	{name: "kresd", configure: func(readme string, _ netip.AddrPort) harness.Resolver {
		readme = strings.Replace(readme, "/var/lib/lookalike/rpz.zone", "{DIR}/rpz.zone", 1)
		return harness.Resolver{Program: "kresd", Args: []string{"-n", "-c", "{DIR}/conf", "{DIR}"}, Files: map[string]string{
			"conf": knotBase + strings.Replace(readme, "192.0.2.1", "{UPSTREAM}@{UPSTREAMPORT}", 1),
		}}
	}, byFile: true, deaf: true, harmless: "file-descriptors|cannot resolve '.' NS"}, // as above
}

var fenced = regexp.MustCompile("(?s)\n~~~ txt\n(.*?)~~~\n")

// ofReadme returns what the README of rpz has for each of the subscribers.
func ofReadme(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../plugin/rpz/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## The resolvers\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var all []string
	for _, m := range fenced.FindAllStringSubmatch(section, -1) {
		all = append(all, m[1])
	}
	if len(all) != len(subscribers) {
		t.Fatalf("The README has %d configurations, want %d", len(all), len(subscribers))
	}
	return all
}

// TestRPZ has real resolvers take the zone. They must block names before a query
// leaves, with DO, too, pass exceptions, and follow a change of a list.
func TestRPZ(t *testing.T) {
	configurations := ofReadme(t)
	for i, s := range subscribers {
		t.Run(s.name, func(t *testing.T) {
			r := serve(t, s, fmt.Sprintf(lists, ".", "."))
			r.writeZone()
			r.start(configurations[i], "af.ml", func(reply *dns.Msg) bool { return reply.Rcode == dns.RcodeNameError })
			r.blocks()
			r.passes("navy.ml", "203.0.113.68")
			r.follows("allow.txt", "navy.ml\narmy.ml\n", "army.ml", true)
			r.follows("allow.txt", "navy.ml\n", "army.ml", false)
			r.follows("protect.txt", "disa.mil\nexample.mil\n", "example.ml", false)
			r.saysNothing()
		})
	}
}

// TestRPZActions has real resolvers do what the actions of a directive are.
func TestRPZActions(t *testing.T) {
	configurations := ofReadme(t)
	for i, s := range subscribers[:2] {
		t.Run(s.name, func(t *testing.T) {
			r := serve(t, s, " lookalike {\n  protect army.mil navy.mil\n  action tld-swap sinkhole 192.0.2.25 2001:db8::25 unchecked\n"+
				"  action homoglyph nodata\n  action typo drop\n  action tld-kept nullmx\n  allow ./allow.txt\n }\n")
			r.start(configurations[i], "army.ml", func(reply *dns.Msg) bool { return len(reply.Answer) == 1 })
			before := r.upstream.Below("ml.") // it forwards until it has the zone
			for _, tc := range []struct {
				name  string
				qtype uint16
				want  string // what is answered, "none" for no reply
			}{
				{"army.ml", dns.TypeA, "192.0.2.25"},
				{"mx.army.ml", dns.TypeA, "192.0.2.25"},
				{"mx.army.ml", dns.TypeAAAA, "2001:db8::25"},
				{"army.ml", dns.TypeMX, ""},
				{"arrny.ml", dns.TypeMX, ""},
				{"mx.arrny.ml", dns.TypeA, ""},
				{"army.mil.ml", dns.TypeMX, "0 ."},
				{"mx.army.mil.ml", dns.TypeMX, "0 ."},
				{"army.mil.ml", dns.TypeA, ""},
				{"amry.ml", dns.TypeMX, "none"},
				{"mx.amry.ml", dns.TypeA, "none"},
				{"navy.ml", dns.TypeA, "203.0.113.68"},
			} {
				if got := r.ask(tc.name, tc.qtype); got != tc.want {
					t.Errorf("%s %s: %q, want %q", tc.name, dns.Type(tc.qtype), got, tc.want)
				}
			}
			if n := r.upstream.Below("ml.") - r.upstream.Below("navy.ml.") - before; n != 0 {
				t.Errorf("%d queries have left", n)
			}
			r.saysNothing()
		})
	}
}

// serve starts a server with directives for a resolver to come, and the exception
// navy.ml.
func serve(t *testing.T, s subscriber, directives string) *running {
	t.Helper()
	upstream := harness.NewUpstream(t)
	port := harness.FreePort(t)
	to := fmt.Sprintf("127.0.0.1:%d", port)
	if s.deaf {
		to = "*"
	}
	if s.signed {
		directives = tsig + directives
	}
	server := harness.Start(t, harness.Config{
		Corefile: fmt.Sprintf(".:{$DNS} {\n bind 127.0.0.1\n%s rpz rpz.example.org\n transfer rpz.example.org {\n to %s\n }\n}\n", directives, to),
		Files:    map[string]string{"allow.txt": "navy.ml\n", "protect.txt": "disa.mil\n"},
		Upstream: upstream.Addr,
	})
	if !server.Wait(func() bool {
		return len(harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("rpz.example.org", dns.TypeSOA)).Answer) == 1
	}) {
		t.Fatal("The zone is not served")
	}
	return &running{subscriber: s, t: t, server: server, upstream: upstream, resolver: harness.Resolver{Dir: t.TempDir(), Port: port}}
}

// running is a subscriber that runs.
type running struct {
	subscriber
	t        *testing.T
	server   *harness.Server
	upstream *harness.Upstream
	resolver harness.Resolver
	asked    int
}

// start runs the resolver until it blocks names below one, as the reply to a query
// for A shows.
func (r *running) start(readme, blocked string, ready func(*dns.Msg) bool) {
	r.t.Helper()
	configured := r.configure(readme, r.server.Addr("DNS"))
	configured.Dir, configured.Port = r.resolver.Dir, r.resolver.Port
	r.resolver = configured.Start(r.t, r.upstream.Addr, func(resolver netip.AddrPort) bool {
		if !strings.Contains(configured.Output(r.t), r.loaded) {
			return false
		}
		client := dns.Client{Timeout: time.Second}
		reply, _, err := client.Exchange(harness.Query(r.fresh(blocked), dns.TypeA), resolver.String())
		return err == nil && ready(reply) && r.upstream.Count(r.last(blocked), dns.TypeA) == 0
	})
}

// fresh returns a name below another that nobody has asked for yet.
func (r *running) fresh(above string) string {
	r.asked++
	return r.last(above)
}

func (r *running) last(above string) string { return fmt.Sprintf("n%d.%s", r.asked, above) }

// writeZone writes the zone for a resolver that reads a file, as the README has it.
func (r *running) writeZone() {
	r.t.Helper()
	if !r.byFile {
		return
	}
	conf := filepath.Join(r.server.Dir, "written")
	if err := os.WriteFile(conf, fmt.Appendf(nil, ". {\n"+lists+"}\n", r.server.Dir, r.server.Dir), 0o600); err != nil {
		r.t.Fatal(err)
	}
	file := filepath.Join(r.resolver.Dir, "rpz.zone")
	if out, err := wait.Command(r.t, wait.Limit, harness.Tool(r.t), "rpz", "-conf", conf, "-origin", "rpz.example.org", "-o", file).CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
}

// blocks asks for names of the zone, with and without DO: no query leaves.
func (r *running) blocks() {
	r.t.Helper()
	before := r.upstream.Below("ml.")
	for _, name := range []string{"army.ml", "mx.arrny.ml"} {
		for _, qtype := range []uint16{dns.TypeMX, dns.TypeA} {
			for _, do := range []bool{false, true} {
				reply := harness.Exchange(r.t, "udp", r.resolver.Addr(), harness.QueryEDNS(name, qtype, do))
				if reply.Rcode != dns.RcodeNameError || len(reply.Answer) != 0 {
					r.t.Errorf("%s %s, DO %v: want NXDOMAIN, got\n%v", name, dns.Type(qtype), do, reply)
				}
			}
		}
	}
	if n := r.upstream.Below("ml.") - before; n != 0 {
		r.t.Errorf("%d queries have left", n)
	}
}

// ask returns the data of the only record in the answer, empty where there is none,
// "none" without a reply.
func (r *running) ask(name string, qtype uint16) string {
	r.t.Helper()
	client := dns.Client{Timeout: time.Second}
	reply, _, err := client.Exchange(harness.Query(name, qtype), r.resolver.Addr().String())
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "none"
	case err != nil:
		r.t.Fatal(err)
	case reply.Rcode != dns.RcodeSuccess || len(reply.Answer) > 1:
		return reply.String()
	case len(reply.Answer) == 0:
		return ""
	}
	return strings.TrimPrefix(reply.Answer[0].String(), reply.Answer[0].Header().String())
}

// passes asks for an exception.
func (r *running) passes(name, address string) {
	r.t.Helper()
	reply := harness.Exchange(r.t, "udp", r.resolver.Addr(), harness.QueryEDNS(name, dns.TypeA, false))
	if len(reply.Answer) != 1 || !strings.HasSuffix(reply.Answer[0].String(), "\t"+address) {
		r.t.Errorf("%s: want %s, got\n%v", name, address, reply)
	}
}

// follows changes a list and waits until names below one pass, or do not: the query
// for one that passes gets to the upstream.
func (r *running) follows(list, entries, name string, pass bool) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.server.Dir, list), []byte(entries), 0o600); err != nil {
		r.t.Fatal(err)
	}
	began := time.Now()
	r.writeZone()
	if !r.server.Wait(func() bool {
		harness.Exchange(r.t, "udp", r.resolver.Addr(), harness.Query(r.fresh(name), dns.TypeA))
		return (r.upstream.Count(r.last(name), dns.TypeA) > 0) == pass
	}) {
		r.t.Errorf("%s passes: %v never comes true", name, pass)
		return
	}
	took := time.Since(began)
	if took > follows {
		r.t.Errorf("%s passes: %v came true after %s, want it within %s", name, pass, took, follows)
	}
	r.t.Logf("%s passes: %v after %s", name, pass, took.Round(100*time.Millisecond))
}

var complaint = regexp.MustCompile(`(?i)\b(warn(ing)?|err(or)?|invalid|duplicate|ignor(ed|ing)|fail(ed|ure)?|cannot|could not|unable|refused|denied|unsupported|unexpected|bad|out.of.zone)\b`)

// saysNothing checks that the resolver has logged no complaint.
func (r *running) saysNothing() {
	r.t.Helper()
	for line := range strings.Lines(r.resolver.Output(r.t)) {
		if complaint.MatchString(line) && (r.harmless == "" || !regexp.MustCompile(r.harmless).MatchString(line)) {
			r.t.Errorf("It says: %s", line)
		}
	}
}
