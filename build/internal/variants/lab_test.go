package variants

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/time/rate"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// lab is an internet: a resolver that knows some names, and counts the queries.
type lab struct {
	addr   netip.AddrPort
	faults map[string]int // RCODEs, by the name that is asked for

	mu      sync.Mutex
	records map[string][]string // of each name that exists; "MX 0 ." and the like
	queries map[string]int
	refused int // so many of the first queries
}

func newLab(tb testing.TB, records map[string][]string, faults map[string]int) *lab {
	tb.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := net.Listen("tcp", packets.LocalAddr().String())
	if err != nil {
		tb.Fatal(err)
	}
	l := &lab{addr: packets.LocalAddr().(*net.UDPAddr).AddrPort(), records: records, faults: faults, queries: make(map[string]int)}
	for _, s := range []*dns.Server{{PacketConn: packets, Handler: l}, {Listener: listener, Handler: l}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		var ended sync.WaitGroup
		ended.Go(func() { _ = s.ActivateAndServe() })
		wait.For(tb, "the lab", started)
		tb.Cleanup(func() { _ = s.Shutdown(); ended.Wait() })
	}
	return l
}

func (l *lab) resolver() *Resolver { return &Resolver{l.addr, rate.NewLimiter(rate.Inf, 1)} }

// know has other names exist from now on.
func (l *lab) know(records map[string][]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = records
}

func (l *lab) asked() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, count := range l.queries {
		n += count
	}
	return n
}

// ServeDNS implements dns.Handler.
func (l *lab) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	name := strings.TrimSuffix(strings.ToLower(m.Question[0].Name), ".")
	l.mu.Lock()
	l.queries[name]++
	refuse := l.refused > 0
	l.refused--
	records, exists := l.records[name]
	l.mu.Unlock()
	reply := new(dns.Msg).SetReply(m)
	rcode, fault := l.faults[name]
	switch {
	case refuse:
		reply.Rcode = dns.RcodeServerFailure
	case fault && rcode == truncates:
		reply.Truncated = w.LocalAddr().Network() == "udp"
	case fault && rcode == filters:
		reply.Rcode = dns.RcodeNameError
		reply.SetEdns0(bufferSize, false)
		reply.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeFiltered}}
	case fault:
		reply.Rcode = rcode
	case !exists:
		reply.Rcode = dns.RcodeNameError
	}
	if !reply.Truncated && reply.Rcode == dns.RcodeSuccess {
		for _, text := range records {
			rr, err := dns.NewRR(name + ". 60 IN " + text)
			if err != nil {
				panic(err)
			}
			if rr.Header().Rrtype == m.Question[0].Qtype {
				reply.Answer = append(reply.Answer, rr)
			}
		}
	}
	_ = w.WriteMsg(reply)
}

// What a resolver may do besides RCODEs.
const (
	truncates = -1
	filters   = -2
)

// TestLookup asks for a name of each kind.
func TestLookup(t *testing.T) {
	l := newLab(t, map[string][]string{
		"mx.ml":       {"NS ns1.example.net.", "NS NS0.Example.Net.", "MX 20 mx2.example.net.", "MX 10 mx1.example.net.", "A 192.0.2.1"},
		"address.ml":  {"NS ns1.example.net.", "AAAA 2001:db8::1", "A 192.0.2.1"},
		"null.ml":     {"NS ns1.example.net.", "MX 0 .", "A 192.0.2.1"},
		"parked.ml":   {"NS ns1.example.net."},
		"long.ml":     {"NS ns1.example.net.", "MX 10 mx1.example.net."},
		"owner.ml":    {"NS ns1.example.net."},
		"us.owner.ml": {"MX 10 mx1.example.net."},
	}, map[string]int{"lame.ml": dns.RcodeServerFailure, "long.ml": truncates})
	for _, tc := range []struct {
		name, registrable string
		want              Answer
		queries           int
	}{
		{"mx.ml", "mx.ml", Answer{true, ByMX, []string{"ns0.example.net", "ns1.example.net"}, []string{"10 mx1.example.net", "20 mx2.example.net"}, []string{"192.0.2.1"}, ""}, 4},
		{"address.ml", "address.ml", Answer{true, ByAddress, []string{"ns1.example.net"}, nil, []string{"192.0.2.1", "2001:db8::1"}, ""}, 4},
		{"null.ml", "null.ml", Answer{true, NullMX, []string{"ns1.example.net"}, []string{"0 ."}, []string{"192.0.2.1"}, ""}, 4},
		{"parked.ml", "parked.ml", Answer{true, NoMail, []string{"ns1.example.net"}, nil, nil, ""}, 4},
		{"free.ml", "free.ml", Answer{false, NoMail, nil, nil, nil, ""}, 1},
		{"us.owner.ml", "owner.ml", Answer{true, ByMX, []string{"ns1.example.net"}, []string{"10 mx1.example.net"}, nil, ""}, 4},
		{"eu.owner.ml", "owner.ml", Answer{true, NoMail, []string{"ns1.example.net"}, nil, nil, ""}, 2},
		{"long.ml", "long.ml", Answer{true, ByMX, []string{"ns1.example.net"}, []string{"10 mx1.example.net"}, nil, ""}, 8},
		{"lame.ml", "lame.ml", Answer{false, NoMail, nil, nil, nil, "NS lame.ml: the resolver answers SERVFAIL"}, 3},
	} {
		before := l.asked()
		got, err := l.resolver().Lookup(t.Context(), tc.name, tc.registrable)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if got.Exists != tc.want.Exists || got.Mail != tc.want.Mail || got.Error != tc.want.Error ||
			!slices.Equal(got.NS, tc.want.NS) || !slices.Equal(got.MX, tc.want.MX) || !slices.Equal(got.Addresses, tc.want.Addresses) {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
		if n := l.asked() - before; n != tc.queries {
			t.Errorf("%s: %d queries, want %d", tc.name, n, tc.queries)
		}
	}
}

// TestLookupAgain: a query that fails is sent again.
func TestLookupAgain(t *testing.T) {
	l := newLab(t, map[string][]string{"mx.ml": {"NS ns1.example.net.", "MX 10 mx1.example.net."}}, nil)
	l.mu.Lock()
	l.refused = tries - 1
	l.mu.Unlock()
	if a, err := l.resolver().Lookup(t.Context(), "mx.ml", "mx.ml"); err != nil || !a.Exists || a.Mail != ByMX {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestParseServer(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"192.0.2.53", "192.0.2.53:53"},
		{"192.0.2.53:5353", "192.0.2.53:5353"},
		{"2001:db8::53", "[2001:db8::53]:53"},
		{"[2001:db8::53]", "[2001:db8::53]:53"},
		{"[2001:db8::53]:5353", "[2001:db8::53]:5353"},
		{"dns.example.net", ""},
		{"", ""},
	} {
		got, err := ParseServer(tc.text)
		if (err == nil) != (tc.want != "") || err == nil && got.String() != tc.want {
			t.Errorf("%q: %v, %v, want %q", tc.text, got, err, tc.want)
		}
	}
}
