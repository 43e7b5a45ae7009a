package detect

import (
	"slices"
	"strings"
)

// AnyTLD is the lookalike TLD that stands for every TLD.
const AnyTLD = "*"

// tld is a lookalike TLD.
type tld struct {
	label string // "ml", or AnyTLD
	any   bool

	// within has bit n set if a label of n octets before this TLD may be part of a
	// public suffix. This rules out most labels.
	within uint64
}

// lieUnder are TLDs whose labels nobody else uses as a name: what lies under mil.ml
// was meant to lie under mil.
var lieUnder = map[string]bool{"mil": true, "gov": true, "edu": true, "int": true}

// tldOf returns the last label of a name.
func tldOf(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// UnderTLD returns the TLDs of protected names that make every name below their copies
// TLDKept: mil, for names under mil.ml. all reports whether a whole TLD is protected.
// Then every name under a lookalike TLD resembles one below it.
func (x *Index) UnderTLD() (labels []string, all bool) {
	for label := range x.kept.labels {
		if lieUnder[label] {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels, len(x.bare) > 0
}

func (s *search) queriedTLD() []byte { return s.name.label(s.name.labels - 1) }

// ownTLD reports whether the queried name has the TLD of protected name id.
func (s *search) ownTLD(id uint32) bool {
	return tldOf(s.index.protected(id)) == string(s.queriedTLD())
}

// nearTLD reports whether the TLD of the queried name is one slip from that of
// protected name id: cm, co, om and con from com.
func (s *search) nearTLD(id uint32) bool {
	if tld := tldOf(s.index.protected(id)); tld != s.tldAsked {
		s.tldAsked, s.tldIsNear = tld, s.slipped(tld)
	}
	return s.tldIsNear
}

// slipped reports whether the TLD of the queried name is one slip from tld.
func (s *search) slipped(tld string) bool {
	var a aligner
	p, q := reversed(s.tldCells[0][:0], tld), reversed(s.tldCells[1][:0], s.queriedTLD())
	if !a.align(p, q, 1, false) || a.count != 1 {
		return false
	}
	switch a.found[0].kind {
	case inserted, replaced:
		return false
	}
	return true
}

// reversed appends the cells of an ASCII label, last character first.
func reversed[T string | []byte](cells []cell, label T) []cell {
	for i := len(label) - 1; i >= 0; i-- {
		cells = append(cells, cell{char: rune(label[i])})
	}
	return cells
}

// isRestricted reports whether registries check who registers a name below the
// suffix of the queried name: gov, gouv, edu, ac.
func (s *search) isRestricted() bool {
	n := &s.name
	if s.hi == n.labels-1 && !s.tld.any {
		return false
	}
	for i := s.hi; i < n.labels; i++ {
		switch label := string(n.label(i)); label {
		case "gov", "gouv", "gob", "govt", "edu", "mil":
			return true
		case "ac", "go":
			if i < n.labels-1 {
				return true
			}
		}
	}
	return string(s.queriedTLD()) == "int"
}

// suffixText returns the public suffix of the queried name.
func (s *search) suffixText() string { return s.name.text(s.hi, s.name.labels) }
