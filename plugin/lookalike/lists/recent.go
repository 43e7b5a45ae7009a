package lists

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// A mail server asks for the MX, A and AAAA records of one name, and again at
// every attempt to deliver. The lists remember what they found about names that have
// been asked for at least twice. Whoever asks for one random name after another, below
// a lookalike or not, displaces nothing that way.
//
// A host below a known lookalike is searched for anew. Each label on the left may make it
// a lookalike of another name, or of a better class: us.af.ml is no host of af.ml where
// us.af.mil is protected. To rule that out takes the lookups that the search consists of.
const (
	recentNames   = 1024 // places, each for one name of a kind
	recentMatches = 16   // of a verdict that is remembered, at most; more would take much memory
)

// Finding is what the lists say about a name.
type Finding struct {
	qname   string          // as it was asked for
	Verdict *detect.Verdict // never nil
	Listed  bool            // it is on the allow list, which [Lists.Exception] looks into
}

// recent holds what was found about names, each in the one place that its hash gives it.
// It has no lock, and is safe for concurrent use.
//
// A name that resembles nothing is known by its hash alone: all 64 bits, with a seed that
// nobody outside knows. Such a name costs neither memory nor a copy.
type recent struct {
	seed     maphash.Seed
	asked    [recentNames]atomic.Uint64 // hashes of the names that were asked for last
	passed   [recentNames]atomic.Uint64 // hashes of names that came again and resemble nothing
	findings [recentNames]atomic.Pointer[Finding]
}

func newRecent() *recent { return &recent{seed: maphash.MakeSeed()} }

// hash returns the hash of a name, which is never 0, and its place.
func (r *recent) hash(qname string) (hash uint64, place int) {
	hash = maphash.String(r.seed, qname)
	return hash | 1, int(hash >> 32 % recentNames)
}

// Find returns what the lists say about qname, nil for a name that resembles
// nothing. Exact looks only for what reads as a protected name. It does not
// allocate if it returns nil.
func (l *Lists) Find(qname string, exact bool) *Finding { return l.current.Load().find(qname, exact) }

func (l *inForce) find(qname string, exact bool) *Finding {
	if exact {
		if v, ok := l.index.MatchExact(qname); ok {
			return &Finding{qname, v, l.allow.Contains(qname)}
		}
		return nil
	}
	r := l.recent
	hash, place := r.hash(qname)
	if r.passed[place].Load() == hash {
		return nil
	}
	if f := r.findings[place].Load(); f != nil && f.qname == qname {
		return f
	}
	v, ok := l.index.Match(qname)
	again := r.asked[place].Swap(hash) == hash
	if !ok {
		if again {
			r.passed[place].Store(hash)
		}
		return nil
	}
	f := &Finding{qname, v, l.allow.Contains(qname)}
	if again && len(v.Matches) <= recentMatches {
		r.findings[place].Store(f)
	}
	return f
}
