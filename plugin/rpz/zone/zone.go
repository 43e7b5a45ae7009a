package zone

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// TTL is that of all records, in seconds, and the refresh time of secondaries.
const TTL = 60

// Zone holds the names of a response policy zone compactly: eight octets for
// each name, and its letters. It is immutable and safe for concurrent use.
type Zone struct {
	Passed int  // lookalikes left out because the directives do not block them
	AnyTLD bool // a directive is for every TLD, which no zone can list

	text     []byte
	entries  []entry
	policies []policy
}

// entry is a name whose text begins at index at.
type entry struct {
	at     uint32
	n      uint8
	policy uint8 // its number, or passes
	class  detect.Class
	wild   bool // covers only the names below it
}

// passes is the policy of names that pass.
const passes = 255

// policy is the treatment of a name.
type policy struct {
	action action.Action
	data   []dns.RR // without an owner name
	text   string   // the same, to compare
}

func newPolicy(a action.Action, data ...dns.RR) policy {
	p := policy{action: a, data: data}
	for _, rr := range data {
		p.text += rr.String() + "\n"
	}
	return p
}

// blocked has a row for each action that a zone can express, with the target of
// its CNAME record.
var blocked = [...]string{
	record.NXDomain: ".",
	record.NoData:   "*.",
	record.Refused:  "rpz-drop.", // mail is queued and tried again, as with the action itself
	record.Servfail: "rpz-drop.",
	record.Drop:     "rpz-drop.",
}

// pass permits a name.
var pass = newPolicy(action.Action{}, cname("rpz-passthru."))

func cname(target string) dns.RR {
	return &dns.CNAME{Hdr: header(dns.TypeCNAME), Target: target}
}

func header(rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Rrtype: rrtype, Class: dns.ClassINET, Ttl: TTL}
}

// policyOf returns the number of the policy for an action that blocks.
func (z *Zone) policyOf(a action.Action) uint8 {
	same := func(p policy) bool {
		return p.action.Kind == a.Kind && slices.Equal(p.action.Addresses, a.Addresses)
	}
	if i := slices.IndexFunc(z.policies, same); i >= 0 {
		return uint8(i) //nolint:gosec // there are a few dozen at most
	}
	z.policies = append(z.policies, newPolicy(a, recordsOf(a)...))
	return uint8(len(z.policies) - 1) //nolint:gosec // as above
}

// recordsOf returns the records that do what an action does, without an owner.
func recordsOf(a action.Action) (data []dns.RR) {
	switch a.Kind {
	case record.NullMX:
		return []dns.RR{&dns.MX{Hdr: header(dns.TypeMX), Mx: "."}}
	case record.Sinkhole:
		for _, address := range a.Addresses {
			if address.Is4() {
				data = append(data, &dns.A{Hdr: header(dns.TypeA), A: address.AsSlice()})
			} else {
				data = append(data, &dns.AAAA{Hdr: header(dns.TypeAAAA), AAAA: address.AsSlice()})
			}
		}
		return data
	}
	return []dns.RR{cname(blocked[a.Kind])}
}

// policy returns the policy of an entry.
func (z *Zone) policy(e entry) *policy {
	if e.policy == passes {
		return &pass
	}
	return &z.policies[e.policy]
}

func (z *Zone) name(e entry) string { return string(z.text[e.at : e.at+uint32(e.n)]) }

// Names returns the number of names.
func (z *Zone) Names() int { return len(z.entries) }

// Len returns the number of blocked names and of exceptions, each with the
// names below it.
func (z *Zone) Len() (blocked, passing int) {
	for _, e := range z.entries {
		if e.policy == passes {
			passing++
		}
	}
	return len(z.entries) - passing, passing
}

// byClass returns the number of blocked names of each class.
func (z *Zone) byClass() map[detect.Class]int {
	n := make(map[detect.Class]int)
	for _, e := range z.entries {
		if e.policy != passes {
			n[e.class]++
		}
	}
	return n
}

// Equal reports whether two zones treat all names alike.
func (z *Zone) Equal(o *Zone) bool {
	if len(z.entries) != len(o.entries) || !bytes.Equal(z.text, o.text) {
		return false
	}
	for i := range z.entries {
		if !z.same(z.entries[i], o, o.entries[i]) {
			return false
		}
	}
	return true
}

// same reports whether two entries of the same name have the same records.
func (z *Zone) same(e entry, o *Zone, f entry) bool {
	return e.wild == f.wild && z.policy(e).text == o.policy(f).text
}

// maxOwner is the most characters in the name of a record (RFC 1035 section
// 2.3.4), and wildcard the prefix of a wildcard's name.
const (
	maxOwner = 253
	wildcard = "*."
)

// fits reports whether the records of an entry have a name that is short enough.
func fits(e entry, origin string) bool {
	return len(wildcard)+int(e.n)+1+len(strings.TrimSuffix(origin, ".")) <= maxOwner
}

// records returns the records of an entry in the zone origin.
func (z *Zone) records(e entry, origin string) []dns.RR {
	if !fits(e, origin) {
		return nil
	}
	data := z.policy(e).data
	all := make([]dns.RR, 0, 2*len(data))
	owner := z.name(e) + "." + origin
	for _, name := range []string{owner, wildcard + owner} {
		if e.wild && name == owner {
			continue
		}
		for _, rr := range data {
			rr = dns.Copy(rr)
			rr.Header().Name = name
			all = append(all, rr)
		}
	}
	return all
}

// Records yields the records of each name in the zone origin, a name with a
// trailing dot, without the records of the apex. It leaves out names that would
// be too long.
func (z *Zone) Records(origin string) iter.Seq[[]dns.RR] {
	return func(yield func([]dns.RR) bool) {
		for _, e := range z.entries {
			if rrs := z.records(e, origin); len(rrs) > 0 && !yield(rrs) {
				return
			}
		}
	}
}

// Apex returns the records of the zone itself: SOA and NS (RFC 1035). No
// resolver queries the name server that they name.
func Apex(origin string, serial uint32) []dns.RR {
	soa := &dns.SOA{
		Hdr: header(dns.TypeSOA), Ns: "localhost.", Mbox: "hostmaster.localhost.",
		Serial: serial, Refresh: TTL, Retry: TTL / 2, Expire: 7 * 24 * 3600, Minttl: TTL,
	}
	ns := &dns.NS{Hdr: header(dns.TypeNS), Ns: "localhost."}
	soa.Hdr.Name, ns.Hdr.Name = origin, origin
	return []dns.RR{soa, ns}
}

// Minus returns the names of z that o lacks, or that have other records in o.
func (z *Zone) Minus(o *Zone) *Zone {
	rest := &Zone{policies: z.policies}
	for e := range z.diff(o) {
		name := z.name(e)
		e.at = uint32(len(rest.text)) //nolint:gosec // at most as many as z has
		rest.text = append(rest.text, name...)
		rest.entries = append(rest.entries, e)
	}
	return rest
}

// diff yields the entries of z that o lacks, or that differ in o.
func (z *Zone) diff(o *Zone) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		j := 0
		for _, e := range z.entries {
			order := -1
			for ; j < len(o.entries); j++ {
				if order = compareNames(o.name(o.entries[j]), z.name(e)); order >= 0 {
					break
				}
			}
			if j < len(o.entries) && order == 0 && z.same(e, o, o.entries[j]) {
				continue
			}
			if !yield(e) {
				return
			}
		}
	}
}

// compareNames compares two names by their labels, the last one first, so that
// a name comes right before the names below it.
func compareNames(a, b string) int {
	for a != "" && b != "" {
		i, j := strings.LastIndexByte(a, '.'), strings.LastIndexByte(b, '.')
		if order := cmp.Compare(a[i+1:], b[j+1:]); order != 0 {
			return order
		}
		a, b = a[:max(i, 0)], b[:max(j, 0)]
	}
	return cmp.Compare(len(a), len(b))
}

// String describes the size of the zone.
func (z *Zone) String() string {
	blocked, passing := z.Len()
	return fmt.Sprintf("%d names blocked, %d exceptions", blocked, passing)
}
