package lookalike

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

// finding is what the lists say about a name that resembles a protected one.
type finding struct {
	qname   string // as it was asked for
	verdict *detect.Verdict
	allowed bool
}

// recent holds findings, each in the one place that the hash of its name gives
// it, where a newer one replaces it. It is safe for concurrent use.
type recent struct {
	seed     maphash.Seed
	findings [recentNames]atomic.Pointer[finding]
}

func newRecent() *recent { return &recent{seed: maphash.MakeSeed()} }

// find returns what the lists say about qname, nil for a name that resembles
// nothing.
func (l *lists) find(qname string) *finding {
	place := &l.recent.findings[maphash.String(l.recent.seed, qname)%recentNames]
	if f := place.Load(); f != nil && f.qname == qname {
		return f
	}
	v, ok := l.index.Match(qname)
	if !ok {
		return nil
	}
	f := &finding{qname, v, l.allow.Contains(qname)}
	if len(v.Matches) <= recentMatches {
		place.Store(f)
	}
	return f
}
