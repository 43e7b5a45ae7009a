package group

import (
	"encoding/json"
	"net/netip"
	"slices"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

const (
	maxSamples   = 5
	maxQtypes    = 8
	maxEnvelopes = 8 // in a record
)

// window is what happened to a group since its last record. The sketches are
// keyed anew by each process, so they are not kept: after a crash a window's
// estimates begin again.
type window struct {
	Count      uint64
	Start, End time.Time

	Qtypes typeCounts
	Others uint64 // queries of types that did not fit

	Samples   []string // different names, oldest first
	names     *sketch  // of all names, once Samples are full
	Clients   []netip.Addr
	addrs     *sketch // of all clients; roll-ups over clients only
	Envelopes []record.SMTP
	More      uint64 // envelopes that did not fit
}

type typeCounts [maxQtypes]typeCount

type typeCount struct {
	Type  uint16
	Count uint64
}

// MarshalJSON leaves out the places that are not in use.
func (all typeCounts) MarshalJSON() ([]byte, error) {
	return json.Marshal(slices.DeleteFunc(all[:], func(c typeCount) bool { return c.Count == 0 }))
}

func (w *window) addType(qtype uint16) { w.addTypes(qtype, 1) }

func (w *window) addTypes(qtype uint16, n uint64) {
	for i := range w.Qtypes {
		c := &w.Qtypes[i]
		if c.Type == qtype || c.Count == 0 {
			c.Type = qtype
			c.Count += n
			return
		}
	}
	w.Others += n
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
