package group

import (
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

const (
	maxSamples   = 5
	maxMatches   = 8 // protected names, where more than one query is told of
	maxQtypes    = 8
	maxEnvelopes = 8  // in a record
	maxKnownVias = 16 // of a group: those behind them are no news
)

// window is what happened to a group since its last record. The sketches are
// keyed anew by each process, so they are not kept: after a crash a window's
// estimates begin again.
type window struct {
	Count  uint64
	hasDet bool              // the lists below have what State.Det says
	Qtypes [maxQtypes]uint16 // different ones, oldest first, then zeros
	Others bool              // there are more, or unknown ones
	Start  time.Time

	Samples   []string // different names, oldest first
	names     *sketch  // of all names, once Samples are full
	Clients   []netip.Addr
	addrs     *sketch // of all clients; roll-ups over clients only
	Envelopes []record.SMTP
	More      uint64 // envelopes that did not fit

	// The values in which detections differ, each once, oldest first.
	Protected, DidYouMean    []string
	Contexts                 []string
	Protocols, Blocks, Views []string
	Vias                     []string
	ViasMore                 uint64            // detections by way of others
	Exception                *record.Exception `json:",omitempty"` // the first
}

// addFew adds s to a list of different ones, unless it is empty or the list has
// most of them already.
func addFew(list []string, s string, most int) []string {
	if s == "" || len(list) >= most || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// addFacts adds what detections of one group may differ in.
func (w *window) addFacts(d *record.Detection) {
	w.addVerdict(d.Verdict)
	w.addWay(d)
}

// addVerdict adds what the name resembles.
func (w *window) addVerdict(v *detect.Verdict) {
	most := max(maxMatches, len(v.Matches))
	for i := range v.Matches {
		m := &v.Matches[i]
		w.Protected = addFew(w.Protected, m.Protected, most)
		w.DidYouMean = addFew(w.DidYouMean, m.DidYouMean, most)
	}
}

// addWay adds how the query came.
func (w *window) addWay(d *record.Detection) {
	w.Contexts = addFew(w.Contexts, d.Context, maxSamples)
	w.Protocols = addFew(w.Protocols, d.Protocol, maxSamples)
	w.Blocks = addFew(w.Blocks, d.ServerBlock, maxSamples)
	w.Views = addFew(w.Views, d.View, maxSamples)
	w.Vias = addFew(w.Vias, d.Via, maxSamples)
	if d.Via != "" && !slices.Contains(w.Vias, d.Via) {
		w.ViasMore++
	}
	if w.Exception == nil {
		w.Exception = d.Exception
	}
	if d.SMTP != nil { // nothing else says for certain that mail was on its way
		w.Contexts = addFew(w.Contexts, "delivery", maxSamples)
	}
}

// tell sets in a record what detections of one group may differ in.
func (w *window) tell(r *record.Record) {
	r.Protected, r.DidYouMean = w.Protected, w.DidYouMean
	r.Contexts, r.Protocols, r.ServerBlocks, r.Views = w.Contexts, w.Protocols, w.Blocks, w.Views
	r.Vias, r.ViasMore = w.Vias, w.ViasMore
	r.Exception = w.Exception
}

// addType adds a type. All unknown ones count as one, since a client may choose
// among 65,536.
func (w *window) addType(qtype uint16) {
	for i, has := range &w.Qtypes {
		switch has {
		case 0:
			if _, known := dns.TypeToString[qtype]; known && qtype != 0 {
				w.Qtypes[i] = qtype
			} else {
				w.Others = true
			}
			return
		case qtype:
			return
		}
	}
	w.Others = true
}

// types names the types.
func (w *window) types() []string {
	var all []string
	for _, t := range w.Qtypes {
		if t != 0 {
			all = append(all, typeName(t))
		}
	}
	if w.Others {
		all = append(all, "other")
	}
	return all
}

func (w *window) addName(t *Table, name string, hash uint64) {
	if w.names != nil {
		w.names.add(hash)
		return
	}
	if slices.Contains(w.Samples, name) {
		return
	}
	if len(w.Samples) < maxSamples {
		w.Samples = append(w.Samples, name)
		return
	}
	w.names = new(sketch)
	for _, s := range w.Samples {
		w.names.add(t.hashName(s))
	}
	w.names.add(hash)
}

func (w *window) addClient(client netip.Addr, hash uint64) {
	if w.addrs == nil {
		w.addrs = new(sketch)
	}
	w.addrs.add(hash)
	if len(w.Clients) < maxSamples && !slices.Contains(w.Clients, client) {
		w.Clients = append(w.Clients, client)
	}
}

// distinctNames is exact up to maxSamples, an estimate beyond.
func (w *window) distinctNames() uint64 {
	if w.names != nil {
		return max(w.names.estimate(), maxSamples+1)
	}
	return uint64(len(w.Samples))
}

func (w *window) distinctClients() uint64 {
	if w.addrs == nil {
		return 0
	}
	return max(w.addrs.estimate(), uint64(len(w.Clients)))
}
