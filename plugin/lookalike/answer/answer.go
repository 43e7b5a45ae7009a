// Package answer writes what mail servers get to hear about blocked names.
package answer

import (
	"net/netip"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/miekg/dns"
)

var log = clog.NewWithPlugin("lookalike")

// Answer is what a query gets.
type Answer struct {
	Action  action.Action
	Verdict *detect.Verdict
	TTL     uint32 // seconds, of every record

	// Type is that of the record that leads to the name of Verdict, where the name
	// asked for is another; else it is dns.TypeNone.
	Type uint16
}

// Write writes the one reply that the action asks for, or none for drop, and
// returns its RCODE. Whatever goes wrong on the way, the client gets NXDOMAIN:
// anything else would let the mail be queued and leave later.
func (a *Answer) Write(w dns.ResponseWriter, r *dns.Msg) (rcode int) {
	if a.Action.Kind == record.Drop {
		return dns.RcodeSuccess
	}
	if m := a.build(r); m != nil && w.WriteMsg(m) == nil {
		return m.Rcode
	}
	// Nothing of the verdict is used, since that may be what went wrong.
	m, owner := empty(r, dns.RcodeNameError), soa(r.Question[0].Name, a.TTL)
	m.Ns = []dns.RR{&owner}
	if err := w.WriteMsg(m); err != nil {
		log.Debugf("sending a reply for %q failed: %v", r.Question[0].Name, err)
	}
	return dns.RcodeNameError
}

// build returns the answer to r, or nil where making it fails.
func (a *Answer) build(r *dns.Msg) (m *dns.Msg) {
	defer guard.Recover("answer")
	answer := a.compose(r)
	a.explain(answer)
	return answer
}

// compose returns the answer to r that the action asks for. Every type of
// question gets an answer that is consistent with the others: an address that
// still resolves beside a blocked MX is a leak.
func (a *Answer) compose(r *dns.Msg) *dns.Msg {
	if a.Type != dns.TypeNone {
		if m := a.composeVia(r); m != nil {
			return m
		}
	}
	switch a.Action.Kind {
	case record.NoData:
		return a.negative(r, dns.RcodeSuccess)
	case record.NullMX:
		return a.positive(r, nullMX(r.Question[0], a.TTL))
	case record.Sinkhole:
		return a.positive(r, sinkhole(r.Question[0], a.Action.Addresses, a.TTL))
	case record.Refused:
		return empty(r, dns.RcodeRefused)
	case record.Servfail:
		return empty(r, dns.RcodeServerFailure)
	default:
		return a.negative(r, dns.RcodeNameError)
	}
}

// composeVia returns the answer to a question whose answer leads to a
// lookalike, or nil where it is the same as for the lookalike. The name itself
// is none, so its other types are left alone, unless it is an alias of one,
// which leads there with every type and gets the action itself. A blocked MX must
// not send the mail to the name's address. It becomes a null MX, after which no
// address is tried (RFC 7505 section 3), or leads to the sinkhole, as the target
// does.
func (a *Answer) composeVia(r *dns.Msg) *dns.Msg {
	q := r.Question[0]
	mail := q.Qtype == dns.TypeMX || q.Qtype == dns.TypeANY
	alias := a.Type == dns.TypeCNAME || a.Type == dns.TypeDNAME
	switch kind := a.Action.Kind; {
	case mail && kind == record.Sinkhole:
		return a.positive(r, []dns.RR{&dns.MX{
			Hdr: header(q.Name, dns.TypeMX, a.TTL), Preference: 10, Mx: dns.Fqdn(a.Verdict.Name),
		}})
	case alias:
		return nil
	case mail && (kind == record.NXDomain || kind == record.NoData || kind == record.NullMX):
		return a.positive(r, nullMX(q, a.TTL))
	case kind == record.NXDomain:
		return a.negative(r, dns.RcodeSuccess)
	}
	return nil
}

// positive returns an answer with these records, or NODATA without any.
func (a *Answer) positive(r *dns.Msg, rrs []dns.RR) *dns.Msg {
	if len(rrs) == 0 {
		return a.negative(r, dns.RcodeSuccess)
	}
	m := empty(r, dns.RcodeSuccess)
	m.Answer = rrs
	return m
}

// negative returns an answer without records that caches in front of us keep
// for the TTL.
func (a *Answer) negative(r *dns.Msg, rcode int) *dns.Msg {
	n := new(struct { // one allocation, since this is what most blocked queries get
		dns.Msg
		authority [1]dns.RR
		soa       dns.SOA
	})
	n.soa = soa(ancestor(r.Question[0].Name, a.Verdict.Registrable), a.TTL)
	n.authority[0] = &n.soa
	n.Ns = n.authority[:]
	return begin(&n.Msg, r, rcode)
}

// empty returns an answer without any record.
func empty(r *dns.Msg, rcode int) *dns.Msg { return begin(new(dns.Msg), r, rcode) }

// begin makes m an answer to r, with an OPT only for a client that sent one (RFC
// 6891 section 7). RA is set, since glibc takes an empty answer without it for a
// lame referral and asks the next server.
func begin(m, r *dns.Msg, rcode int) *dns.Msg {
	m.SetRcode(r, rcode)
	m.RecursionAvailable = true
	if o := r.IsEdns0(); o != nil {
		// Less than 512 means 512 (RFC 6891 section 6.2.3). The server puts the size
		// of the query into every answer, so that is where it is mended.
		o.SetUDPSize(max(o.UDPSize(), dns.MinMsgSize))
		m.SetEdns0(o.UDPSize(), o.Do())
	}
	return m
}

// maxEDEText keeps the answer for a name of 255 octets within the 512 octets
// that every client takes over UDP.
const maxEDEText = 150

// explain says in an Extended DNS Error (RFC 8914) why m is what it is, where
// the client understands EDNS.
func (a *Answer) explain(m *dns.Msg) {
	o := m.IsEdns0()
	if o == nil {
		return
	}
	text := a.Verdict.Registrable + " resembles " + a.Verdict.Matches[0].Protected + " (" + a.Verdict.Class.String() + ")"
	o.Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeFiltered, ExtraText: text[:min(len(text), maxEDEText)]}}
}

// soa returns the SOA that makes a negative answer cacheable for ttl seconds:
// its own TTL is equal to its MINIMUM (RFC 2308 sections 3 and 5).
func soa(owner string, ttl uint32) dns.SOA {
	return dns.SOA{
		Hdr:     header(owner, dns.TypeSOA, ttl),
		Ns:      "blocked.invalid.",
		Mbox:    ".", // there is no mailbox
		Serial:  1,
		Refresh: ttl,
		Retry:   ttl,
		Expire:  ttl,
		Minttl:  ttl,
	}
}

// ancestor returns the part of qname that has as many labels as name, which is
// qname or an ancestor of it, in the case in which it was asked.
func ancestor(qname, name string) string {
	i, _ := dns.PrevLabel(qname, dns.CountLabel(name))
	return qname[i:]
}

// nullMX says that the domain accepts no mail (RFC 7505).
func nullMX(q dns.Question, ttl uint32) []dns.RR {
	if q.Qtype != dns.TypeMX && q.Qtype != dns.TypeANY {
		return nil
	}
	return []dns.RR{&dns.MX{Hdr: header(q.Name, dns.TypeMX, ttl), Preference: 0, Mx: "."}}
}

// sinkhole leads mail and everything else to the addresses.
func sinkhole(q dns.Question, addrs []netip.Addr, ttl uint32) []dns.RR {
	var rrs []dns.RR
	if q.Qtype == dns.TypeMX || q.Qtype == dns.TypeANY {
		rrs = append(rrs, &dns.MX{Hdr: header(q.Name, dns.TypeMX, ttl), Preference: 10, Mx: exchange(q.Name)})
	}
	for _, addr := range addrs {
		switch {
		case addr.Is4() && (q.Qtype == dns.TypeA || q.Qtype == dns.TypeANY):
			rrs = append(rrs, &dns.A{Hdr: header(q.Name, dns.TypeA, ttl), A: addr.AsSlice()})
		case addr.Is6() && (q.Qtype == dns.TypeAAAA || q.Qtype == dns.TypeANY):
			rrs = append(rrs, &dns.AAAA{Hdr: header(q.Name, dns.TypeAAAA, ttl), AAAA: addr.AsSlice()})
		}
	}
	return rrs
}

// exchange returns the mail exchange of a sinkholed name. It is a name below
// it, which is sinkholed as well, or the name itself where a longer one would
// exceed 255 octets (RFC 1035 section 2.3.4).
func exchange(qname string) string {
	const label = "mx."
	wire := make([]byte, 256)
	if n, err := dns.PackDomainName(qname, wire, 0, nil, false); err != nil || n+len(label) > 255 {
		return qname
	}
	return label + qname
}

func header(name string, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}
