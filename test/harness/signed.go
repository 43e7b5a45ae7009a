package harness

import (
	"crypto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Chain is the keys of a signed root and of signed TLDs below it, for resolvers that
// validate.
type Chain struct {
	zones map[string]*zoneKey // by apex
}

// zoneKey signs one zone.
type zoneKey struct {
	public  *dns.DNSKEY
	private crypto.Signer
}

// NewChain makes keys for the root and for TLDs, each in full: "ml.".
func NewChain(tb testing.TB, tlds ...string) *Chain {
	tb.Helper()
	c := &Chain{make(map[string]*zoneKey)}
	for _, apex := range append([]string{"."}, tlds...) {
		key := &dns.DNSKEY{
			Hdr:   dns.RR_Header{Name: apex, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 300},
			Flags: dns.ZONE | dns.SEP, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
		}
		private, err := key.Generate(256)
		if err != nil {
			tb.Fatal(err)
		}
		c.zones[apex] = &zoneKey{key, private.(crypto.Signer)}
	}
	return c
}

// Anchor is the trust anchor of the root: the data of its DS record.
func (c *Chain) Anchor() string {
	return strings.TrimPrefix(c.ds(".").String(), c.ds(".").Hdr.String())
}

func (c *Chain) ds(apex string) *dns.DS { return c.zones[apex].public.ToDS(dns.SHA256) }

// NewSignedUpstream starts a resolver like [NewUpstream] whose answers are signed.
// All names lie in the root or in a TLD of the chain: there is no other zone.
// Names that do not exist have no data instead, which takes one NSEC record.
func NewSignedUpstream(tb testing.TB, c *Chain) *Upstream {
	tb.Helper()
	return newUpstream(tb, c)
}

// adopt makes the zones of the chain of records, by owner. What tells of other
// zones has no place in them.
func (c *Chain) adopt(records map[string][]dns.RR) {
	for owner, rrs := range records {
		records[owner] = slices.DeleteFunc(rrs, func(rr dns.RR) bool {
			return slices.Contains([]uint16{dns.TypeSOA, dns.TypeNS, dns.TypeRRSIG}, rr.Header().Rrtype)
		})
	}
	for apex, key := range c.zones {
		records[apex] = []dns.RR{key.public, c.ds(apex), soaOf(apex)}
	}
}

func soaOf(apex string) *dns.SOA {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 300},
		Ns:  "ns.example.", Mbox: "hostmaster.example.", Serial: 7, Refresh: 7200, Retry: 900, Expire: 1209600, Minttl: 300,
	}
}

// zoneOf is the apex of the zone that has the records of the type at the name.
func (c *Chain) zoneOf(name string, qtype uint16) string {
	labels := dns.SplitDomainName(name)
	if n := len(labels); n > 1 || n == 1 && qtype != dns.TypeDS {
		if tld := labels[n-1] + "."; c.zones[tld] != nil {
			return tld
		}
	}
	return "."
}

// sign signs an answer, for those who want it signed. Where it cannot, the
// answer is SERVFAIL.
func (u *Upstream) sign(m *dns.Msg, q dns.Question) {
	opt := m.IsEdns0()
	if len(m.Answer) == 0 {
		m.Rcode = dns.RcodeSuccess
		m.Ns = []dns.RR{soaOf(u.chain.zoneOf(q.Name, q.Qtype))}
		if opt != nil && opt.Do() {
			m.Ns = append(m.Ns, u.nothingElse(q.Name))
		}
	}
	if opt == nil || !opt.Do() {
		return
	}
	for _, section := range []*[]dns.RR{&m.Answer, &m.Ns} {
		sets := make(map[dns.Question][]dns.RR)
		for _, rr := range *section {
			h := rr.Header()
			set := dns.Question{Name: h.Name, Qtype: h.Rrtype}
			sets[set] = append(sets[set], rr)
		}
		for set, rrs := range sets {
			sig, err := u.chain.signature(u.chain.zoneOf(set.Name, set.Qtype), rrs)
			if err != nil {
				m.Rcode = dns.RcodeServerFailure
				return
			}
			*section = append(*section, sig)
		}
	}
}

func (c *Chain) signature(apex string, rrs []dns.RR) (*dns.RRSIG, error) {
	key := c.zones[apex]
	sig := &dns.RRSIG{
		Hdr:        dns.RR_Header{Ttl: rrs[0].Header().Ttl},
		Algorithm:  key.public.Algorithm,
		Inception:  uint32(time.Now().Add(-time.Hour).Unix()),
		Expiration: uint32(time.Now().Add(time.Hour).Unix()),
		KeyTag:     key.public.KeyTag(),
		SignerName: apex,
	}
	return sig, sig.Sign(key.private, rrs)
}

// nothingElse says which types a name has, and that no name follows it closely.
func (u *Upstream) nothingElse(name string) *dns.NSEC {
	types := []uint16{dns.TypeRRSIG, dns.TypeNSEC}
	for _, rr := range u.records[name] {
		if rr.Header().Rrtype == dns.TypeDS {
			continue // above the cut
		}
		types = append(types, rr.Header().Rrtype)
	}
	slices.Sort(types)
	return &dns.NSEC{
		Hdr:        dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 300},
		NextDomain: `\000.` + strings.TrimPrefix(name, "."),
		TypeBitMap: slices.Compact(types),
	}
}
