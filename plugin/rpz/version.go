package rpz

import (
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/internal/pool"
	"github.com/lookalike-dns/lookalike/plugin/rpz/zone"
)

// version is a zone at one point in time. It is immutable.
type version struct {
	zone   *zone.Zone
	serial uint32
	deltas []delta // the changes that lead to it, oldest first
}

// delta leads from one version to the next.
type delta struct {
	from, to       uint32
	removed, added *zone.Zone
}

// Limits of the deltas kept for secondaries that come late: the number of
// versions, and the number of names relative to the zone.
const (
	maxDeltas     = 16
	maxDeltaShare = 2
)

// since returns the records that update a secondary from a serial (0: none),
// and the kind of that transfer.
func (v *version) since(origin string, serial uint32) (records iter.Seq[[]dns.RR], kind string) {
	if serial != 0 && int32(serial-v.serial) >= 0 { //nolint:gosec // serials wrap (RFC 1982)
		return func(yield func([]dns.RR) bool) { yield(soa(origin, v.serial)) }, "current"
	}
	for i, d := range v.deltas {
		if serial != 0 && d.from == serial {
			return v.incremental(origin, v.deltas[i:]), "incremental"
		}
	}
	return v.full(origin), "full"
}

func soa(origin string, serial uint32) []dns.RR { return zone.Apex(origin, serial)[:1] }

// full yields the whole zone in the form of RFC 5936.
func (v *version) full(origin string) iter.Seq[[]dns.RR] {
	return func(yield func([]dns.RR) bool) {
		if !yield(zone.Apex(origin, v.serial)) {
			return
		}
		for rrs := range v.zone.Records(origin) {
			if !yield(rrs) {
				return
			}
		}
		yield(soa(origin, v.serial))
	}
}

// incremental yields the changes in the form of RFC 1995.
func (v *version) incremental(origin string, deltas []delta) iter.Seq[[]dns.RR] {
	return func(yield func([]dns.RR) bool) {
		if !yield(soa(origin, v.serial)) {
			return
		}
		for _, d := range deltas {
			for _, part := range []struct {
				serial uint32
				zone   *zone.Zone
			}{{d.from, d.removed}, {d.to, d.added}} {
				if !yield(soa(origin, part.serial)) {
					return
				}
				for rrs := range part.zone.Records(origin) {
					if !yield(rrs) {
						return
					}
				}
			}
		}
		yield(soa(origin, v.serial))
	}
}

// history is the served version of a zone. It survives a reload of the
// Corefile, so that the secondaries continue from their version. It is safe for
// concurrent use.
type history struct {
	origin string // of the zone; does not change

	mu  sync.Mutex
	now *version // nil until the first
}

// histories holds the histories of this process, by server block and zone.
var histories pool.Pool[string, *history]

func (h *history) version() *version {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// publish puts a zone in force. If it differs from the zone before, it gets a
// new serial, and publish returns true.
func (h *history) publish(z *zone.Zone, now time.Time) (v *version, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now == nil {
		h.now = &version{zone: z, serial: zone.NextSerial(0, now)}
		return h.now, true
	}
	if h.now.zone.Equal(z) {
		return h.now, false
	}
	old := h.now
	next := &version{zone: z, serial: zone.NextSerial(old.serial, now)}
	next.deltas = kept(append(slices.Clip(old.deltas),
		delta{old.serial, next.serial, old.zone.Minus(z), z.Minus(old.zone)}), z)
	h.now = next
	return next, true
}

// kept returns the newest deltas that are worth keeping: together they are much
// smaller than the zone.
func kept(deltas []delta, z *zone.Zone) []delta {
	room := z.Names() / maxDeltaShare
	first := len(deltas)
	for first > 0 && len(deltas)-first < maxDeltas {
		d := deltas[first-1]
		if room -= d.removed.Names() + d.added.Names(); room < 0 {
			break
		}
		first--
	}
	return deltas[first:]
}
