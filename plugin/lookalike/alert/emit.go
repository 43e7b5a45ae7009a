package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// entry is a record on its way out of the table.
type entry struct {
	*Record
	state *groupState // of the group, once this record is made; nil: it is no more
}

// newFirst makes the record of a new group's first detection.
func newFirst(a *announcement) *Record {
	r := &Record{Phase: First, Start: a.det.Time, End: a.det.Time, FirstSeen: a.det.Time}
	describe(r, &a.key, &a.det)
	r.Samples = []string{r.Name}
	r.DistinctNames = 1
	if a.det.SMTP != nil {
		r.SMTP = []SMTP{*a.det.SMTP}
		return r
	}
	r.Count, r.Total = 1, 1
	r.Qtypes = []TypeCount{{Type: r.Qtype, Count: 1}}
	return r
}

// newRecord makes a record of g's window.
func newRecord(g *group, phase Phase) *Record {
	w := &g.window
	r := &Record{Phase: phase, Start: w.start, End: w.end, FirstSeen: g.first}
	if r.Start.IsZero() {
		r.Start, r.End = g.last, g.last
	}
	describe(r, &g.key, &g.det)
	r.Count, r.Total = w.count, g.total
	for _, c := range w.qtypes {
		if c.count > 0 {
			r.Qtypes = append(r.Qtypes, TypeCount{Type: typeName(c.qtype), Count: c.count})
		}
	}
	if w.others > 0 {
		r.Qtypes = append(r.Qtypes, TypeCount{Type: "other", Count: w.others})
	}
	r.Samples = w.samples
	r.DistinctNames = w.distinctNames()
	r.Clients = w.clients
	r.DistinctClients = w.distinctClients()
	r.SMTP, r.SMTPMore = w.envelopes, w.more
	return r
}

// describe sets in r what is known from the key and one detection.
func describe(r *Record, k *key, d *Detection) {
	v := d.Verdict
	r.Group = groupID(k)
	r.Class, r.Confidence, r.Action, r.Reason = k.class, v.Confidence, k.action, strip(v.Reason)
	r.Client, r.Registrable = k.client, k.name
	if r.Client.IsValid() {
		r.ClientPort = d.Client.Port()
	}
	r.Server, r.Transport, r.Protocol = d.Server, d.Transport, d.Protocol
	if d.SMTP == nil {
		r.DNSID, r.Qtype = d.ID, typeName(d.Qtype)
		r.Rcode = rcodeName(d)
		r.Answers = d.Answers
	}
	r.Name, r.Unicode = v.Name, strip(v.Unicode)
	r.Protected = make([]string, len(v.Matches))
	r.DidYouMean = make([]string, len(v.Matches))
	for i, m := range v.Matches {
		r.Protected[i], r.DidYouMean[i] = m.Protected, m.DidYouMean
	}
	r.Context, r.Via = d.Context, d.Via
	r.ServerBlock, r.View = d.ServerBlock, d.View
}

// groupID names a group in the same way on every sensor, so that a SIEM can
// join what several resolvers saw.
func groupID(k *key) string {
	client := record.Any
	if k.client.IsValid() {
		client = k.client.String()
	}
	sum := sha256.Sum256([]byte(k.class.String() + "\x00" + client + "\x00" + k.name + "\x00" + k.action.String()))
	return hex.EncodeToString(sum[:8])
}

func typeName(qtype uint16) string {
	if s, ok := dns.TypeToString[qtype]; ok {
		return s
	}
	return "TYPE" + strconv.Itoa(int(qtype)) // RFC 3597 section 5
}

func rcodeName(d *Detection) string {
	if !d.Action.WritesRcode() {
		return ""
	}
	if s, ok := dns.RcodeToString[d.Rcode]; ok {
		return s
	}
	return "RCODE" + strconv.Itoa(d.Rcode)
}

// strip leaves out of a text what could reorder or hide a part of it on a screen.
func strip(s string) string {
	return strings.Map(func(c rune) rune {
		if unsafeRune(c) {
			return -1
		}
		return c
	}, s)
}
