package lists

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// A mail server asks for the MX, A and AAAA records of one name, and again at
// every attempt to deliver. The lists remember what they found about the names
// that were asked for last, so that the same verdict is not written up again.
const (
	recentNames   = 1024 // remembered
	recentMatches = 16   // of a verdict that is remembered, at most; more would take much memory
)

// Finding is what the lists say about a name.
type Finding struct {
	qname   string          // as it was asked for
	Verdict *detect.Verdict // never nil in what Find returns
	Listed  bool            // it is on the allow list, which [Lists.Exception] looks into
}

// recent holds findings, each in the one place that the hash of its name gives
// it, where a newer one replaces it. It is safe for concurrent use.
type recent struct {
	seed     maphash.Seed
	findings [recentNames]atomic.Pointer[Finding]

	// A part of the hash of the last name with this place that resembled nothing.
	// Only who comes again is remembered: a flood of such names costs no memory
	// that way.
	passed [recentNames]atomic.Uint32
}

func newRecent() *recent { return &recent{seed: maphash.MakeSeed()} }

// Find returns what the lists say about qname, nil for a name that resembles
// nothing. Exact looks only for what reads as a protected name. It does not
// allocate for what it returns nil for, but where a name comes again.
func (l *Lists) Find(qname string, exact bool) *Finding { return l.current.Load().find(qname, exact) }

func (l *inForce) find(qname string, exact bool) *Finding {
	if exact {
		if v, ok := l.index.MatchExact(qname); ok {
			return &Finding{qname, v, l.allow.Contains(qname)}
		}
		return nil
	}
	hash := maphash.String(l.recent.seed, qname)
	place := &l.recent.findings[hash%recentNames]
	if f := place.Load(); f != nil && f.qname == qname {
		if f.Verdict == nil {
			return nil
		}
		return f
	}
	v, ok := l.index.Match(qname)
	if !ok {
		if mark := uint32(hash >> 32); l.recent.passed[hash%recentNames].Swap(mark) == mark {
			place.Store(&Finding{qname: qname})
		}
		return nil
	}
	f := &Finding{qname, v, l.allow.Contains(qname)}
	if len(v.Matches) <= recentMatches {
		place.Store(f)
	}
	return f
}
