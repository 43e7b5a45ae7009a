package group

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// First returns the record of a first detection that no table has counted.
func First(d *record.Detection) *record.Record {
	k := keyOf(d)
	return newFirst(&k, d)
}

// newFirst makes the record of the first detection of group k.
func newFirst(k *key, d *record.Detection) *record.Record {
	r := &record.Record{Phase: record.First, Start: d.Time, End: d.Time, FirstSeen: d.Time}
	describe(r, k, d)
	r.Samples = []string{r.Name}
	r.DistinctNames = 1
	var w window
	w.addFacts(d)
	w.tell(r)
	if d.SMTP != nil {
		r.SMTP = []record.SMTP{*d.SMTP}
		return r
	}
	r.Count, r.Total = 1, 1
	w.addType(d.Qtype)
	r.Qtypes = w.types()
	return r
}

// newRecord makes a record of g's window.
func newRecord(g *group, phase record.Phase) *record.Record {
	w := &g.Window
	r := &record.Record{Phase: phase, Start: w.Start, End: g.Last, FirstSeen: g.First}
	if r.Start.IsZero() {
		r.Start = g.Last
	}
	describe(r, &g.key, &g.Det)
	r.Count, r.Total = w.Count, g.Total
	r.Qtypes = w.types()
	facts := w
	if w.Start.IsZero() { // nothing has happened: what is known is of the last detection
		facts = new(window)
		facts.addFacts(&g.Det)
	}
	facts.tell(r)
	r.Samples = w.Samples
	r.DistinctNames = w.distinctNames()
	r.Clients = w.Clients
	r.DistinctClients = w.distinctClients()
	r.SMTP, r.SMTPMore = w.Envelopes, w.More
	return r
}

// describe sets in r what is known from the key and one detection.
func describe(r *record.Record, k *key, d *record.Detection) {
	v := d.Verdict
	r.Group = k.id()
	r.Class, r.Confidence, r.Action, r.Reason = k.Class, v.Confidence, k.Action, text.Strip(v.Reason)
	r.Client, r.Registrable = k.Client, k.Name
	if r.Client.IsValid() {
		r.ClientPort = d.Client.Port()
	}
	r.Server, r.Transport = d.Server, d.Transport
	if d.SMTP == nil {
		r.DNSID, r.Qtype = d.ID, typeName(d.Qtype)
		r.Rcode = rcodeName(d)
		r.Answers = d.Answers
	}
	r.Name, r.Unicode = v.Name, text.Strip(v.Unicode)
}

// id names a group in the same way on every sensor, so that a SIEM can
// join what several resolvers saw.
func (k *key) id() string {
	client := record.Any
	if k.Client.IsValid() {
		client = k.Client.String()
	}
	sum := sha256.Sum256([]byte(k.Class.String() + "\x00" + client + "\x00" + k.Name + "\x00" + k.Action.String()))
	return hex.EncodeToString(sum[:8])
}

func typeName(qtype uint16) string {
	if s, ok := dns.TypeToString[qtype]; ok {
		return s
	}
	return "TYPE" + strconv.Itoa(int(qtype)) // RFC 3597 section 5
}

func rcodeName(d *record.Detection) string {
	if !d.Action.WritesRcode() {
		return ""
	}
	if s, ok := dns.RcodeToString[d.Rcode]; ok {
		return s
	}
	return "RCODE" + strconv.Itoa(d.Rcode)
}
