//go:build e2e

package test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// zonesConf makes named the upstream: an authority for the zones of the test.
const zonesConf = `
options {
	directory "{DIR}";
	pid-file none;
	session-keyfile none;
	managed-keys-directory "{DIR}";
	listen-on port {PORT} { 127.0.0.1; };
	listen-on-v6 { none; };
	recursion no;
	empty-zones-enable no;
	minimal-responses no;
	rrset-order { order none; };
};
controls { };
zone "army.mil" { type primary; file "zone"; };
zone "example.org" { type primary; file "zone"; };
zone "gouv.ml" { type primary; file "zone"; };
zone "example.ml" { type primary; file "zone"; };
`

const zoneFile = `$TTL 300
@ IN SOA ns hostmaster 7 7200 900 1209600 300
@ IN NS ns
@ IN MX 10 mx
@ IN MX 20 mx2
@ IN A 192.0.2.1
@ IN AAAA 2001:db8::1
@ IN TXT "v=spf1 mx -all"
@ IN HTTPS 1 . alpn="h2,h3"
ns IN A 192.0.2.53
mx IN A 192.0.2.2
mx2 IN AAAA 2001:db8::2
www IN CNAME @
`

// The resolvers do not validate, as one that asks this server must not.
var (
	unbound = harness.Unbound(harness.UnboundServer + "\tmodule-config: \"iterator\"\n")
	named   = harness.BIND(harness.BINDOptions + "\tdnssec-validation no;\n\tlisten-on-v6 { none; };\n};\ncontrols { };\n")
)

// answering is a query that each resolver answers itself.
const answering = "localhost"

// TestForwardersInFront has Unbound and BIND ask this server. They must accept
// each kind of answer and keep it, so that one query of many comes through. No
// name is asked for twice with NXDOMAIN, which BIND keeps for all types at once.
func TestForwardersInFront(t *testing.T) {
	t.Parallel()
	tests := []struct {
		action string
		name   string
		qtype  uint16
		rcode  int
		answer string // data of the only answer
	}{
		{"nxdomain", "army.ml", dns.TypeMX, dns.RcodeNameError, ""},
		{"nxdomain", "dod.ml", dns.TypeA, dns.RcodeNameError, ""},
		{"nxdomain", "navy.ml", dns.TypeAAAA, dns.RcodeNameError, ""},
		{"nxdomain", "mx.af.ml", dns.TypeA, dns.RcodeNameError, ""},
		{"nxdomain", "a.b.c.us.af.ml", dns.TypeTXT, dns.RcodeNameError, ""},
		{"nxdomain", "aRmY.mIl.mL", dns.TypeMX, dns.RcodeNameError, ""},
		{"nodata", "army.ml", dns.TypeMX, dns.RcodeSuccess, ""},
		{"nodata", "army.ml", dns.TypeA, dns.RcodeSuccess, ""},
		{"nodata", "mx.army.ml", dns.TypeAAAA, dns.RcodeSuccess, ""},
		{"nullmx", "army.ml", dns.TypeMX, dns.RcodeSuccess, "0 ."},
		{"nullmx", "army.ml", dns.TypeA, dns.RcodeSuccess, ""},
		{"nullmx", "mx.army.ml", dns.TypeA, dns.RcodeSuccess, ""},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml", dns.TypeMX, dns.RcodeSuccess, "10 mx.army.ml."},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml", dns.TypeA, dns.RcodeSuccess, "192.0.2.25"},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "mx.army.ml", dns.TypeA, dns.RcodeSuccess, "192.0.2.25"},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "mx.army.ml", dns.TypeAAAA, dns.RcodeSuccess, "2001:db8::25"},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml", dns.TypeTXT, dns.RcodeSuccess, ""},
	}
	const again = 5
	for _, r := range []harness.Resolver{unbound, named} {
		for _, action := range []string{"nxdomain", "nodata", "nullmx", "sinkhole 192.0.2.25 2001:db8::25 unchecked"} {
			t.Run(r.Program+"/"+action, func(t *testing.T) {
				t.Parallel()
				upstream := harness.NewUpstream(t)
				server := harness.Start(t, harness.Config{
					Corefile: corefile("lookalike {\n action " + action + "\n }"),
					Upstream: upstream.Addr,
				})
				front := r.Start(t, server.Addr("DNS"), harness.Answers(answering)).Addr()
				rows := 0.0
				for _, tt := range tests {
					if tt.action != action {
						continue
					}
					for range again {
						reply := harness.Exchange(t, "udp", front, harness.QueryEDNS(tt.name, tt.qtype, false))
						if err := checkForwarded(reply, tt.rcode, tt.answer); err != nil {
							t.Errorf("%s %s: %v\n%v", tt.name, dns.Type(tt.qtype), err, reply)
						}
					}
					rows++
					// A query is counted when its answer has left.
					detections := func() float64 { return server.Metric(t, "coredns_lookalike_detections_total") }
					if !server.Wait(func() bool { return detections() >= rows }) || detections() > rows {
						t.Fatalf("%s %s: %v queries have come through, want %v: one of %d for each row so far",
							tt.name, dns.Type(tt.qtype), detections(), rows, again)
					}
				}
				if n := upstream.Below("ml."); n != 0 {
					t.Errorf("%d queries below ml. reached the upstream", n)
				}
			})
		}
	}
}

// checkForwarded says what is wrong with an answer that came through another
// resolver.
func checkForwarded(r *dns.Msg, rcode int, answer string) error {
	if r.Rcode != rcode {
		return fmt.Errorf("RCODE %s, want %s", dns.RcodeToString[r.Rcode], dns.RcodeToString[rcode])
	}
	if answer == "" {
		if len(r.Answer) != 0 || len(r.Ns) != 1 {
			return fmt.Errorf("want no answer and the SOA")
		}
		if ttl := r.Ns[0].Header().Ttl; ttl == 0 || ttl > 60 {
			return fmt.Errorf("TTL %d of the SOA, want 1 to 60", ttl)
		}
		return nil
	}
	if len(r.Answer) != 1 || !strings.HasSuffix(r.Answer[0].String(), "\t"+answer) {
		return fmt.Errorf("answer %v, want %s", r.Answer, answer)
	}
	if ttl := r.Answer[0].Header().Ttl; ttl == 0 || ttl > 60 {
		return fmt.Errorf("TTL %d, want 1 to 60", ttl)
	}
	return nil
}

// TestForwardersAskAgain has the resolvers in front forget when the TTL is over.
func TestForwardersAskAgain(t *testing.T) {
	t.Parallel()
	for _, r := range []harness.Resolver{unbound, named} {
		for _, action := range []string{"nxdomain", "nodata", "sinkhole 192.0.2.25 unchecked"} {
			t.Run(r.Program+"/"+action, func(t *testing.T) {
				t.Parallel()
				server := harness.Start(t, harness.Config{
					Corefile: corefile("lookalike {\n ttl 2s\n action " + action + "\n }"),
					Upstream: harness.NewUpstream(t).Addr,
				})
				front := r.Start(t, server.Addr("DNS"), harness.Answers(answering)).Addr()
				if !server.Wait(func() bool {
					harness.Exchange(t, "udp", front, harness.Query("army.ml", dns.TypeMX))
					return server.Metric(t, "coredns_lookalike_detections_total") >= 2
				}) {
					t.Error("The answer with a TTL of 2 s is never asked for again")
				}
			})
		}
	}
}

// TestPassUnchangedFromBIND compares two servers in front of the same BIND, one
// with the directive and one without it: every byte of every answer is the same.
func TestPassUnchangedFromBIND(t *testing.T) {
	t.Parallel()
	zones := harness.BIND(zonesConf)
	zones.Files["zone"] = zoneFile
	authority := zones.Start(t, netip.AddrPort{}, harness.Answers(answering)).Addr() // asks nobody
	with := harness.Start(t, harness.Config{Corefile: corefile("lookalike"), Upstream: authority})
	without := harness.Start(t, harness.Config{Corefile: corefile(""), Upstream: authority})
	compared := 0
	for _, domain := range []string{"army.mil", "example.org", "gouv.ml", "example.ml"} {
		for _, name := range []string{domain, "mx." + domain, "www." + domain, "missing." + domain, strings.ToUpper(domain)} {
			for _, qtype := range queryTypes {
				for _, e := range edns {
					for _, network := range []string{"udp", "tcp"} {
						query := harness.Pack(t, e.query(name, qtype))
						got, want := ask(network)(t, with.Addr("DNS"), query), ask(network)(t, without.Addr("DNS"), query)
						if !bytes.Equal(got, want) {
							t.Errorf("%s %s over %s, %s:\n% x\nwithout the directive\n% x", name, dns.Type(qtype), network, e.name, got, want)
						}
						if r := harness.Unpack(t, got); !r.Authoritative {
							t.Errorf("%s %s: not from BIND:\n%v", name, dns.Type(qtype), r)
						}
						compared++
					}
				}
			}
		}
	}
	t.Logf("%d answers are the same", compared)
}
