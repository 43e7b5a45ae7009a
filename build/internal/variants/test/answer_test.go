package test

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
	"github.com/lookalike-dns/lookalike/test/harness"
)

// blockedNames resemble protected names of the default list.
var blockedNames = []string{"army.ml", "mx.army.ml", "US.AF.ML", "aRmY.mL"}

var queryTypes = []uint16{
	dns.TypeMX, dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeANY, dns.TypeHTTPS, dns.TypeCNAME, dns.TypeNS, dns.TypeSOA,
}

// edns is what a query says about EDNS.
var edns = []struct {
	name  string
	query func(name string, qtype uint16) *dns.Msg
	opt   bool
	do    bool
}{
	{name: "no EDNS", query: harness.Query},
	{name: "EDNS", query: func(n string, t uint16) *dns.Msg { return harness.QueryEDNS(n, t, false) }, opt: true},
	{name: "DO", query: func(n string, t uint16) *dns.Msg { return harness.QueryEDNS(n, t, true) }, opt: true, do: true},
}

// TestNXDOMAIN asks for every type of every blocked name over every transport.
func TestNXDOMAIN(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike") + overTLS(t, "lookalike"),
		Upstream: upstream.Addr,
	})
	for _, network := range []string{"udp", "tcp", "tcp-tls"} {
		addr := server.Addr("DNS")
		if network == "tcp-tls" {
			addr = server.Addr("TLS")
		}
		for _, name := range blockedNames {
			for _, qtype := range queryTypes {
				for _, e := range edns {
					q := e.query(name, qtype)
					reply := harness.Exchange(t, network, addr, q)
					if err := checkNXDOMAIN(q, reply, e.opt, e.do); err != nil {
						t.Errorf("%s %s over %s, %s: %v\n%v", name, dns.Type(qtype), network, e.name, err, reply)
					}
				}
			}
		}
	}
	if n := upstream.Below("ml."); n != 0 {
		t.Errorf("%d queries below ml. reached the upstream", n)
	}
}

// overTLS is a server block with this directive that speaks DNS over TLS.
func overTLS(t *testing.T, directive string) string {
	t.Helper()
	return encrypted(t, "tls", directive)
}

// encrypted is a server block with this directive for a transport that needs a
// certificate. The port has the name of the transport.
func encrypted(t *testing.T, transport, directive string) string {
	t.Helper()
	cert, key := sinktest.NewAuthority(t).Issue("server", x509.ExtKeyUsageServerAuth)
	return fmt.Sprintf(`
%s://.:{$%s} {
	bind 127.0.0.1
	tls %s %s
	%s
	forward . {$UPSTREAM}
}
`, transport, strings.ToUpper(transport), cert, key, directive)
}

// checkNXDOMAIN says what is wrong with the answer to a blocked query.
func checkNXDOMAIN(q, r *dns.Msg, opt, do bool) error {
	switch {
	case r.Id != q.Id || !r.Response || r.Opcode != dns.OpcodeQuery:
		return fmt.Errorf("not a reply to the query")
	case r.Rcode != dns.RcodeNameError:
		return fmt.Errorf("RCODE %s, want NXDOMAIN", dns.RcodeToString[r.Rcode])
	case len(r.Question) != 1 || r.Question[0] != q.Question[0]:
		return fmt.Errorf("question %v, want %v with the same case", r.Question, q.Question)
	case !r.RecursionAvailable || !r.RecursionDesired:
		return fmt.Errorf("RA=%t RD=%t, want both", r.RecursionAvailable, r.RecursionDesired)
	case r.AuthenticatedData:
		return fmt.Errorf("AD is set")
	case r.Truncated:
		return fmt.Errorf("TC is set")
	case len(r.Answer) != 0:
		return fmt.Errorf("there are answers")
	}
	if err := checkSOA(q, r, 60); err != nil {
		return err
	}
	return checkOPT(r, opt, do, "resembles")
}

// checkSOA wants one SOA in the authority section, as caches need it.
func checkSOA(q, r *dns.Msg, ttl uint32) error {
	if len(r.Ns) != 1 {
		return fmt.Errorf("%d records in the authority section, want 1", len(r.Ns))
	}
	soa, ok := r.Ns[0].(*dns.SOA)
	switch {
	case !ok:
		return fmt.Errorf("no SOA in the authority section")
	case !dns.IsSubDomain(soa.Hdr.Name, q.Question[0].Name):
		return fmt.Errorf("owner %s of the SOA is no ancestor of the name", soa.Hdr.Name)
	case soa.Hdr.Ttl != ttl || soa.Minttl != ttl:
		return fmt.Errorf("TTL %d and MINIMUM %d of the SOA, want %d", soa.Hdr.Ttl, soa.Minttl, ttl)
	}
	return nil
}

// checkOPT wants an OPT record with the reason exactly where the query had one.
func checkOPT(r *dns.Msg, want, do bool, text string) error {
	opt := r.IsEdns0()
	if !want || opt == nil {
		if want != (opt != nil) || len(r.Extra) != 0 {
			return fmt.Errorf("OPT %t, want %t; %d additional records", opt != nil, want, len(r.Extra))
		}
		return nil
	}
	if opt.Do() != do {
		return fmt.Errorf("DO %t, want %t", opt.Do(), do)
	}
	if len(opt.Option) != 1 {
		return fmt.Errorf("%d EDNS options, want 1", len(opt.Option))
	}
	ede, ok := opt.Option[0].(*dns.EDNS0_EDE)
	if !ok || ede.InfoCode != dns.ExtendedErrorCodeFiltered || !strings.Contains(ede.ExtraText, text) {
		return fmt.Errorf("EDNS option %v, want EDE 17 with %q in the text", opt.Option[0], text)
	}
	return nil
}

// TestActions gives the whole answer of each action, and that it comes once.
func TestActions(t *testing.T) {
	t.Parallel()
	const (
		nxdomain = "NXDOMAIN"
		noerror  = "NOERROR"
		nothing  = "" // no reply at all
	)
	tests := []struct {
		action string
		name   string
		qtype  uint16
		rcode  string
		answer []string // any order
		soa    bool
		passes bool // the upstream is asked
	}{
		{"nxdomain", "army.ml.", dns.TypeMX, nxdomain, nil, true, false},
		{"nxdomain", "army.ml.", dns.TypeA, nxdomain, nil, true, false},
		{"nxdomain", "mx.army.ml.", dns.TypeA, nxdomain, nil, true, false},

		{"nodata", "army.ml.", dns.TypeMX, noerror, nil, true, false},
		{"nodata", "army.ml.", dns.TypeA, noerror, nil, true, false},
		{"nodata", "mx.army.ml.", dns.TypeAAAA, noerror, nil, true, false},

		{"nullmx", "army.ml.", dns.TypeMX, noerror, []string{"army.ml. 60 IN MX 0 ."}, false, false},
		{"nullmx", "army.ml.", dns.TypeA, noerror, nil, true, false},
		{"nullmx", "mx.army.ml.", dns.TypeA, noerror, nil, true, false},
		{"nullmx", "army.ml.", dns.TypeANY, noerror, []string{"army.ml. 60 IN MX 0 ."}, false, false},

		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml.", dns.TypeMX, noerror, []string{"army.ml. 60 IN MX 10 mx.army.ml."}, false, false},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml.", dns.TypeA, noerror, []string{"army.ml. 60 IN A 192.0.2.25"}, false, false},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml.", dns.TypeAAAA, noerror, []string{"army.ml. 60 IN AAAA 2001:db8::25"}, false, false},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "mx.army.ml.", dns.TypeA, noerror, []string{"mx.army.ml. 60 IN A 192.0.2.25"}, false, false},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml.", dns.TypeTXT, noerror, nil, true, false},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml.", dns.TypeCNAME, noerror, nil, true, false},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml.", dns.TypeHTTPS, noerror, nil, true, false},
		{"sinkhole 192.0.2.25 2001:db8::25 unchecked", "army.ml.", dns.TypeANY, noerror, []string{
			"army.ml. 60 IN MX 10 mx.army.ml.", "army.ml. 60 IN A 192.0.2.25", "army.ml. 60 IN AAAA 2001:db8::25",
		}, false, false},
		{"sinkhole 192.0.2.25 unchecked", "army.ml.", dns.TypeAAAA, noerror, nil, true, false},

		{"refused", "army.ml.", dns.TypeMX, "REFUSED", nil, false, false},
		{"refused", "army.ml.", dns.TypeA, "REFUSED", nil, false, false},

		{"servfail", "army.ml.", dns.TypeMX, "SERVFAIL", nil, false, false},
		{"servfail", "army.ml.", dns.TypeA, "SERVFAIL", nil, false, false},

		{"drop", "army.ml.", dns.TypeMX, nothing, nil, false, false},
		{"drop", "army.ml.", dns.TypeA, nothing, nil, false, false},

		{"monitor", "army.ml.", dns.TypeMX, noerror, []string{"army.ml. 300 IN MX 10 mx.army.ml."}, false, true},
		{"monitor", "army.ml.", dns.TypeA, noerror, []string{"army.ml. 300 IN A 203.0.113.66"}, false, true},

		{"off", "army.ml.", dns.TypeMX, noerror, []string{"army.ml. 300 IN MX 10 mx.army.ml."}, false, true},
	}
	upstream := harness.NewUpstream(t)
	servers := make(map[string]*harness.Server)
	for _, tt := range tests {
		if servers[tt.action] == nil {
			directive := "lookalike {\n action " + tt.action + "\n }"
			servers[tt.action] = harness.Start(t, harness.Config{
				Corefile: corefile(directive) + overTLS(t, directive),
				Upstream: upstream.Addr,
			})
		}
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s/%s_%s", tt.action, tt.name, dns.Type(tt.qtype)), func(t *testing.T) {
			t.Parallel()
			server := servers[tt.action]
			q := harness.Query(tt.name, tt.qtype)
			if tt.rcode == nothing {
				if replies := harness.Replies(t, harness.Loopback, server.Addr("DNS"), harness.Pack(t, q), false); len(replies) != 0 {
					t.Fatalf("%d replies, want none", len(replies))
				}
				return
			}
			wire := harness.UDP(t, server.Addr("DNS"), harness.Pack(t, q))
			tcp := harness.TCP(t, server.Addr("DNS"), harness.Pack(t, q))
			tls := harness.TLS(t, server.Addr("TLS"), harness.Pack(t, q))
			if string(tcp) != string(wire) || string(tls) != string(wire) {
				t.Errorf("UDP, TCP and TLS differ:\n% x\n% x\n% x", wire, tcp, tls)
			}
			r := harness.Unpack(t, wire)
			if r.Id != q.Id || dns.RcodeToString[r.Rcode] != tt.rcode || !r.RecursionAvailable || r.AuthenticatedData || len(r.Extra) != 0 {
				t.Errorf("Want %s with RA, without AD and OPT, got:\n%v", tt.rcode, r)
			}
			if got, want := texts(r.Answer), records(t, tt.answer); !slices.Equal(got, want) {
				t.Errorf("Answers %q, want %q", got, want)
			}
			if tt.soa {
				if err := checkSOA(q, r, 60); err != nil {
					t.Error(err)
				}
			} else if len(r.Ns) != 0 {
				t.Errorf("Unexpected authority section: %v", r.Ns)
			}
		})
	}
	t.Cleanup(func() {
		for action, server := range servers {
			server.Stop()
			queries := 0
			for _, tt := range tests {
				switch {
				case tt.action != action || action == "off":
				case tt.rcode == nothing:
					queries++
				default:
					queries += 3 // UDP, TCP and TLS
				}
			}
			if n := harness.Sum(server.Alerts(t)); n != queries {
				t.Errorf("action %s: alerts tell of %d queries, want %d", action, n, queries)
			}
		}
	})
}

// TestEDNSOfEveryAction checks OPT and EDE where the answer is no NXDOMAIN.
func TestEDNSOfEveryAction(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"nodata", "nullmx", "sinkhole 192.0.2.25 unchecked", "refused", "servfail"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			server := harness.Start(t, harness.Config{
				Corefile: corefile("lookalike {\n action " + action + "\n }"),
				Upstream: harness.NewUpstream(t).Addr,
			})
			for _, e := range edns {
				r := harness.Exchange(t, "udp", server.Addr("DNS"), e.query("army.ml", dns.TypeMX))
				if err := checkOPT(r, e.opt, e.do, "army.mil"); err != nil {
					t.Errorf("%s: %v\n%v", e.name, err, r)
				}
			}
		})
	}
}

// TestEDNSSize wants the client's size in the answer, as in all of the server's,
// but not less than the 512 octets that a smaller one stands for. No answer is
// truncated that fits into those.
func TestEDNSSize(t *testing.T) {
	t.Parallel()
	tests := []struct{ query, answer uint16 }{
		{0, 512},
		{100, 512},
		{511, 512},
		{512, 512},
		{1232, 1232},
		{4096, 4096},
		{65535, 65535},
	}
	addresses := make([]string, 20)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("2001:db8::%x", i+1)
	}
	upstream := harness.NewUpstream(t)
	lengths := map[string]uint16{ // of the answers, about
		"nxdomain": 200,
		"sinkhole " + strings.Join(addresses, " ") + " unchecked": 800,
	}
	for action, length := range lengths {
		server := harness.Start(t, harness.Config{
			Corefile: corefile("lookalike {\n action " + action + "\n }"),
			Upstream: upstream.Addr,
		})
		for _, network := range []string{"udp", "tcp"} {
			for _, tt := range tests {
				q := harness.Query("army.ml", dns.TypeAAAA).SetEdns0(tt.query, false)
				r := harness.Exchange(t, network, server.Addr("DNS"), q)
				if got := r.IsEdns0().UDPSize(); got != tt.answer {
					t.Errorf("%s over %s: the answer to %d octets says %d, want %d", action, network, tt.query, got, tt.answer)
				}
				if want := network == "udp" && length > tt.answer; r.Truncated != want {
					t.Errorf("%s over %s: the answer to %d octets is truncated: %t, want %t", action, network, tt.query, r.Truncated, want)
				}
			}
		}
	}
}

// TestEDNSOptions sends options that call for one in the answer, which nobody
// here has to give: the answer has the reason and nothing else.
func TestEDNSOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options []dns.EDNS0
	}{
		{"cookie", []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"}}},
		{"NSID", []dns.EDNS0{&dns.EDNS0_NSID{Code: dns.EDNS0NSID}}},
		{"padding", []dns.EDNS0{&dns.EDNS0_PADDING{Padding: make([]byte, 64)}}},
		{"client subnet", []dns.EDNS0{&dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: net.IPv4(198, 51, 100, 0)}}},
		{"unknown", []dns.EDNS0{&dns.EDNS0_LOCAL{Code: dns.EDNS0LOCALSTART, Data: []byte{1, 2}}}},
	}
	server := harness.Start(t, harness.Config{Corefile: corefile("lookalike"), Upstream: harness.NewUpstream(t).Addr})
	for _, tt := range tests {
		q := harness.QueryEDNS("army.ml", dns.TypeMX, false)
		q.IsEdns0().Option = tt.options
		r := harness.Unpack(t, harness.UDP(t, server.Addr("DNS"), harness.Pack(t, q)))
		if err := checkNXDOMAIN(q, r, true, false); err != nil {
			t.Errorf("%s: %v\n%v", tt.name, err, r)
		}
	}
	q := harness.QueryEDNS("army.ml", dns.TypeMX, false)
	q.IsEdns0().SetVersion(1)
	if r := harness.Unpack(t, harness.UDP(t, server.Addr("DNS"), harness.Pack(t, q))); r.Rcode != dns.RcodeBadVers || len(r.Answer)+len(r.Ns) != 0 {
		t.Errorf("EDNS version 1: want BADVERS, got\n%v", r)
	}
}

// TestPipelining sends many queries over one connection without waiting, those
// that pass among those that do not. Each has its one reply.
func TestPipelining(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike") + overTLS(t, "lookalike"),
		Upstream: harness.NewUpstream(t).Addr,
	})
	const queries = 200
	names := []string{"army.ml", "example.ml", "MX.us-af.ml", "example.org"}
	for network, addr := range map[string]netip.AddrPort{"tcp": server.Addr("DNS"), "tcp-tls": server.Addr("TLS")} {
		messages := make([][]byte, queries)
		for i := range messages {
			q := harness.Query(names[i%len(names)], dns.TypeMX)
			q.Id = uint16(i)
			messages[i] = harness.Pack(t, q)
		}
		replies := harness.Pipeline(t, network, addr, messages, queries)
		answered := make(map[uint16]bool)
		for _, wire := range replies {
			r := harness.Unpack(t, wire)
			if want := names[int(r.Id)%len(names)] + "."; answered[r.Id] || r.Question[0].Name != want {
				t.Errorf("%s: reply %d is for %s, the second: %t; want the first for %s", network, r.Id, r.Question[0].Name, answered[r.Id], want)
			}
			answered[r.Id] = true
			if blocked := r.Id%2 == 0; isBlocked(r) != blocked {
				t.Errorf("%s: %s is blocked: %t, want %t", network, r.Question[0].Name, isBlocked(r), blocked)
			}
		}
		if len(answered) != queries {
			t.Errorf("%s: %d queries have a reply, want %d", network, len(answered), queries)
		}
	}
}

func texts(rrs []dns.RR) []string {
	list := make([]string, 0, len(rrs))
	for _, rr := range rrs {
		list = append(list, rr.String())
	}
	slices.Sort(list)
	return list
}

func records(t *testing.T, list []string) []string {
	t.Helper()
	rrs := make([]dns.RR, 0, len(list))
	for _, text := range list {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	return texts(rrs)
}
