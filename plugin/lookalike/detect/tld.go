package detect

import (
	"slices"
	"strings"
)

// AnyTLD is the lookalike TLD that stands for every one.
const AnyTLD = "*"

// tld is a lookalike TLD.
type tld struct {
	label string // "ml", or AnyTLD
	any   bool

	// within has bit n set where a label of n octets before this TLD may be a part
	// of a public suffix; most are of no such length.
	within uint64
}

// lieUnder are the TLDs that nobody else has a name like: whatever lies under
// mil.ml is meant to lie under mil.
var lieUnder = map[string]bool{"mil": true, "gov": true, "edu": true, "int": true}

// tldOf returns the last label of a name.
func tldOf(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// UnderTLD returns the TLDs of protected names whose copies under a lookalike TLD make
// every name below them TLDKept: mil, for names under mil.ml. all is true if a TLD is
// protected as a whole: then every name under a lookalike TLD resembles one below it.
func (x *Index) UnderTLD() (labels []string, all bool) {
	for label := range x.kept.labels {
		if lieUnder[label] {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels, len(x.bare) > 0
}

// queriedTLD returns the TLD of the queried name.
func (s *search) queriedTLD() []byte { return s.name.label(s.name.labels - 1) }

// ownTLD reports whether the queried name lies under the TLD of protected name
// id.
func (s *search) ownTLD(id uint32) bool {
	return tldOf(s.index.protected(id)) == string(s.queriedTLD())
}

// nearTLD reports whether the TLD of the queried name is a slip of the finger or
// the eye away from that of protected name id: cm, co, om and con from com.
func (s *search) nearTLD(id uint32) bool {
	if tld := tldOf(s.index.protected(id)); tld != s.tldAsked {
		s.tldAsked, s.tldIsNear = tld, s.slipped(tld)
	}
	return s.tldIsNear
}

// slipped reports whether the TLD of the queried name is a slip away from another.
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

// isRestricted reports whether only those who are entitled to it can register a
// name below the suffix of the queried name: gov, gouv, edu, ac.
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
