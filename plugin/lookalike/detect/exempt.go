package detect

import "slices"

// Sparing returns an index with the protected names of x that also never flags the
// protected names of others, nor other names of their owners. A server with several
// directives needs this. The result shares memory with x, which does not change. It is
// x itself if the others protect no name below a lookalike TLD.
func (x *Index) Sparing(others ...*Index) *Index {
	exempt := x.owners(slices.Concat(others, []*Index{x})...)
	if len(exempt.slots) == len(x.exempt.slots) {
		return x
	}
	spares := *x
	spares.exempt = exempt
	return &spares
}

// owners returns whom the protected names of several indexes belong to, as far as
// they lie below a lookalike TLD of x: their registrable names, or a public suffix
// that is itself protected.
func (x *Index) owners(of ...*Index) suffixes {
	owned := make(map[uint64]struct{})
	var n name
	for _, y := range of {
		for id := range uint32(len(y.cores)) {
			if p := y.protected(id); x.watchesTLD(tldOf(p)) && n.parse(p) {
				owned[x.ownerOf(&n)] = struct{}{}
			}
		}
	}
	if len(owned) == 0 {
		return suffixes{}
	}
	set := suffixes{slots: make([]uint64, 2*len(owned)+1)}
	for h := range owned {
		set.mark(h, suffixRule)
	}
	return set
}

func (x *Index) ownerOf(n *name) uint64 {
	h, labels := uint64(0), min(n.labels, x.suffixes.of(n)+1)
	for i := 1; i <= labels; i++ {
		h = hashLabel(h, n.label(n.labels-i))
	}
	return h
}

// watchesTLD reports whether a label is a lookalike TLD.
func (x *Index) watchesTLD(label string) bool {
	for i := range x.tlds {
		if x.tlds[i].any || x.tlds[i].label == label {
			return true
		}
	}
	return false
}

// isExempt reports whether the queried name belongs to somebody whose names are
// protected: its registrable name is that of a protected name, by this index or by
// one that it spares, or it lies below a public suffix that is protected.
func (s *search) isExempt() bool {
	exempt := &s.index.exempt
	if len(exempt.slots) == 0 {
		return false
	}
	n := &s.name
	h := uint64(0)
	for i := n.labels - 1; i >= s.hi-1; i-- {
		h = hashLabel(h, n.label(i))
		if exempt.flags(h) != 0 {
			return true
		}
	}
	return false
}
