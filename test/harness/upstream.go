package harness

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// zone is what [Upstream] knows: real domains that must pass, and one lookalike
// that answers, so that a leak would be seen.
const zone = `
army.mil.        300 IN SOA   ns.army.mil. hostmaster.army.mil. 7 7200 900 1209600 300
army.mil.        300 IN NS    ns.army.mil.
army.mil.        300 IN MX    10 mx.army.mil.
army.mil.        300 IN MX    20 mx2.army.mil.
army.mil.        300 IN A     192.0.2.1
army.mil.        300 IN AAAA  2001:db8::1
army.mil.        300 IN TXT   "v=spf1 mx -all"
army.mil.        300 IN RRSIG MX 8 2 300 20361231000000 20260101000000 12345 army.mil. ZmFrZQ==
mx.army.mil.     300 IN A     192.0.2.2
mx2.army.mil.    300 IN AAAA  2001:db8::2
www.army.mil.    300 IN CNAME army.mil.
example.org.     300 IN SOA   ns.example.org. hostmaster.example.org. 7 7200 900 1209600 300
example.org.     300 IN MX    10 mx.example.org.
example.org.     300 IN A     192.0.2.3
example.org.     300 IN HTTPS 1 . alpn="h2,h3"
example.org.     300 IN TXT   "one" "two \"quoted\" \; \200"
mx.example.org.  300 IN A     192.0.2.4
gouv.ml.         300 IN SOA   ns.gouv.ml. hostmaster.gouv.ml. 7 7200 900 1209600 300
gouv.ml.         300 IN MX    10 mx.gouv.ml.
gouv.ml.         300 IN A     192.0.2.5
mx.gouv.ml.    300 IN A     192.0.2.6
example.ml.      300 IN SOA   ns.example.ml. hostmaster.example.ml. 7 7200 900 1209600 300
example.ml.      300 IN MX    10 mx.example.ml.
example.ml.      300 IN A     192.0.2.7
mx.example.ml.   300 IN A     192.0.2.8
army.ml.         300 IN SOA   ns.army.ml. hostmaster.army.ml. 7 7200 900 1209600 300
army.ml.         300 IN MX    10 mx.army.ml.
army.ml.         300 IN A     203.0.113.66
army.ml.         300 IN AAAA  2001:db8::66
mx.army.ml.      300 IN A     203.0.113.67
us.af.ml.        300 IN MX    10 mx.army.ml.
navy.ml.         300 IN MX    10 mx.army.ml.
navy.ml.         300 IN A     203.0.113.68
`

// Upstream is the resolver behind the server, and counts what reaches it. It
// writes names in full, as CoreDNS does when it passes an answer on, so that
// the bytes can be compared.
type Upstream struct {
	Addr netip.AddrPort

	records map[string][]dns.RR // by owner, lower case
	chain   *Chain              // signs the answers; nil in an unsigned one

	mu    sync.Mutex
	count map[dns.Question]int // names in lower case
}

// NewUpstream starts a resolver on 127.0.0.1 for UDP and TCP. It ends with the
// test.
func NewUpstream(tb testing.TB) *Upstream {
	tb.Helper()
	return newUpstream(tb, nil)
}

func newUpstream(tb testing.TB, c *Chain) *Upstream {
	tb.Helper()
	u, stop, err := serveUpstream(c, zone)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(stop)
	return u
}

// ServeUpstream is [NewUpstream] outside a test; the caller ends it with stop. It knows
// these records as well, those of "*." for all names that it does not know.
func ServeUpstream(records ...string) (u *Upstream, stop func(), err error) {
	return serveUpstream(nil, zone+strings.Join(records, "\n"))
}

func serveUpstream(c *Chain, zone string) (u *Upstream, stop func(), err error) {
	u = &Upstream{records: make(map[string][]dns.RR), chain: c, count: make(map[dns.Question]int)}
	parser := dns.NewZoneParser(strings.NewReader(zone), ".", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		name := rr.Header().Name
		u.records[name] = append(u.records[name], rr)
	}
	if err := parser.Err(); err != nil {
		return nil, nil, err
	}
	if c != nil {
		c.adopt(u.records)
	}

	packets, listener, err := listen()
	if err != nil {
		return nil, nil, err
	}
	u.Addr = packets.LocalAddr().(*net.UDPAddr).AddrPort()
	var serving, ended sync.WaitGroup
	servers := []*dns.Server{{PacketConn: packets, Handler: u}, {Listener: listener, Handler: u}}
	for _, s := range servers {
		serving.Add(1)
		s.NotifyStartedFunc = serving.Done
		ended.Go(func() { _ = s.ActivateAndServe() }) // ends by Shutdown
	}
	serving.Wait()
	return u, func() {
		for _, s := range servers {
			_ = s.Shutdown()
		}
		ended.Wait()
	}, nil
}

// ServeDNS implements [dns.Handler].
func (u *Upstream) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	q := r.Question[0]
	key := q
	key.Name = strings.ToLower(q.Name)
	u.mu.Lock()
	u.count[key]++
	u.mu.Unlock()
	m := u.answer(r, key)
	if u.chain != nil {
		u.sign(m, key)
	}
	_ = w.WriteMsg(m) // the asker may be gone
}

func (u *Upstream) answer(r *dns.Msg, q dns.Question) *dns.Msg {
	m := new(dns.Msg).SetReply(r)
	m.RecursionAvailable = true
	opt := r.IsEdns0()
	if opt != nil {
		m.SetEdns0(1232, opt.Do())
		m.AuthenticatedData = opt.Do()
	}
	owner := q.Name
	for range 2 {
		records := u.of(owner)
		if len(records) == 0 {
			m.Rcode = dns.RcodeNameError
		}
		cname := ""
		for _, rr := range records {
			t := rr.Header().Rrtype
			sig, signed := rr.(*dns.RRSIG)
			switch {
			case t == q.Qtype, q.Qtype == dns.TypeANY, signed && sig.TypeCovered == q.Qtype && opt != nil && opt.Do():
				m.Answer = append(m.Answer, rr)
			case t == dns.TypeCNAME:
				m.Answer, cname = append(m.Answer, rr), rr.(*dns.CNAME).Target
			}
		}
		if cname == "" {
			break
		}
		owner = cname
	}
	if len(m.Answer) == 0 {
		m.Ns = []dns.RR{u.apex(owner)}
	}
	return m
}

// of returns the records of a name.
func (u *Upstream) of(owner string) []dns.RR {
	records := u.records[owner]
	if records != nil {
		return records
	}
	for _, rr := range u.records["*."] {
		rr = dns.Copy(rr)
		rr.Header().Name = owner
		records = append(records, rr)
	}
	return records
}

// apex is the SOA record of the zone that name would be in.
func (u *Upstream) apex(name string) dns.RR {
	for i, end := 0, false; !end; i, end = dns.NextLabel(name, i) {
		for _, rr := range u.records[name[i:]] {
			if rr.Header().Rrtype == dns.TypeSOA {
				return rr
			}
		}
	}
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 300},
		Ns:  "a.root-servers.net.", Mbox: "nstld.verisign-grs.com.", Serial: 7, Minttl: 300,
	}
}

// Count is the number of queries for name and type that came through.
func (u *Upstream) Count(name string, qtype uint16) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count[dns.Question{Name: strings.ToLower(dns.Fqdn(name)), Qtype: qtype, Qclass: dns.ClassINET}]
}

// Below is the number of queries, of any type, for domain and names below it.
func (u *Upstream) Below(domain string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for q, count := range u.count {
		if dns.IsSubDomain(domain, q.Name) {
			n += count
		}
	}
	return n
}
