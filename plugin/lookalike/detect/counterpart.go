package detect

import (
	"maps"
	"slices"
)

// maxCounterparts limits the TLDs that Counterparts returns.
const maxCounterparts = 8

// Counterparts returns the verdicts for a name under a lookalike TLD as if its
// counterparts were protected. It returns one verdict of class TLDSwap for each TLD of
// the protected names, in alphabetical order, at most eight. The caller has to check
// that the protected name of a verdict exists. It returns nil for other names, and for
// names that belong to the owner of a protected one. It allocates, and is safe for
// concurrent use.
func (x *Index) Counterparts(qname string) []*Verdict {
	t := x.lookalikeTLD(qname)
	if t == nil {
		return nil
	}
	s := newSearch(x)
	defer s.release()
	if !s.start(t, qname) || s.isExempt() {
		return nil
	}
	tlds := slices.Sorted(maps.Keys(x.kept.labels))
	verdicts := make([]*Verdict, 0, min(len(tlds), maxCounterparts))
	for _, tld := range tlds[:cap(verdicts)] {
		if v := s.counterpart(tld); v != nil {
			verdicts = append(verdicts, v)
		}
	}
	return verdicts
}

// counterpart returns the verdict that the name was meant to end in tld, or nil if
// that would be too long for a name.
func (s *search) counterpart(tld string) *Verdict {
	n := &s.name
	octets := len(tld) + 1
	for i := s.lo; i < s.hi; i++ {
		octets += len(n.label(i)) + 1
	}
	if octets > maxOctets {
		return nil
	}
	protected := n.text(s.hi-1, s.hi) + "." + tld
	v := &Verdict{
		Class:       TLDSwap,
		Confidence:  High,
		Matches:     []Match{{Protected: protected, DidYouMean: n.text(s.lo, s.hi) + "." + tld}},
		Name:        n.text(0, n.labels),
		Registrable: n.text(s.hi-1, n.labels),
		Service:     n.text(0, s.lo),
		Unicode:     n.shown(),
	}
	v.Reason = v.Registrable + " resembles " + protected + ", which exists (verified)"
	return v
}
