package detect

import (
	"fmt"
	"slices"
	"strings"
)

// maxExplained is how many protected names Explain goes into.
const maxExplained = 5

// Explain returns, step by step and for people, how Match takes qname apart
// and why it matches or not. It is safe for concurrent use.
func (x *Index) Explain(qname string) []string {
	t := x.lookalikeTLD(qname)
	if t == nil {
		all := make([]string, 0, len(x.tlds))
		for i := range x.tlds {
			all = append(all, x.tlds[i].label)
		}
		return []string{"it does not lie under a lookalike TLD (" + strings.Join(all, ", ") + ")"}
	}
	s := newSearch(x)
	defer s.release()
	if !s.name.parse(qname) {
		return []string{"it is not a domain name: a label has 1 to 63 octets, a name at most 255"}
	}
	if !s.start(t, qname) {
		return []string{"nothing is left to compare before " + quote(s.name.text(s.hi, s.name.labels))}
	}
	steps := s.explainName()
	if s.isExempt() {
		return append(steps, "it is left alone: a name of the same owner is protected")
	}
	s.run()
	if len(s.found) == 0 {
		return append(steps, fmt.Sprintf("none of %d protected names is the same but for its TLD, reads the same, is within the slips "+
			"that its length allows, or stands in it", x.Len()))
	}
	found := s.sorted()
	for i := range found {
		if i == maxExplained {
			more := fmt.Sprintf("and %d more protected names at the same class", len(found)-i)
			if len(found) == MaxMatches {
				more = fmt.Sprintf("and %d or more other protected names at the same class", len(found)-i)
			}
			steps = append(steps, more)
			break
		}
		steps = append(steps, s.reason(&found[i], s.slips(&found[i])), s.explainConfidence(&found[i]))
	}
	return steps
}

// explainName says how the name is taken apart.
func (s *search) explainName() []string {
	n := &s.name
	steps := []string{"it lies under the lookalike TLD " + quote(n.text(n.labels-1, n.labels))}
	if s.hi < n.labels-1 {
		steps = append(steps, quote(n.text(s.hi, n.labels))+" is a public suffix and left out like the TLD")
	}
	if s.lo > 0 {
		steps = append(steps, quote(n.text(0, s.lo))+" names a service and is set aside")
	}
	for i := s.lo; i < s.hi; i++ {
		if _, foreign := n.decode(i); !foreign {
			continue
		}
		one := name{labels: 1, octets: 255}
		one.ends[0] = uint8(copy(one.bytes[:], n.label(i)))
		r := &s.joined
		r.read(&one, 0, 1, &s.joinedText)
		steps = append(steps, fmt.Sprintf("label %s is %s in Unicode and reads as %s", quote(n.text(i, i+1)), quote(one.unicode()),
			quote(leftToRight(r.letters[:r.size]))))
	}
	var runs []string
	for i := s.hi - 1; i >= max(s.lo, s.hi-compareLabels); i-- {
		runs = append(runs, quote(n.text(i, s.hi)))
	}
	return append(steps, "compared with the protected names: "+strings.Join(runs, ", "))
}

// explainConfidence says why a finding has its class and confidence.
func (s *search) explainConfidence(f *finding) string {
	if f.id == noName || s.index.core(f.id) == "" {
		return fmt.Sprintf("%s is %s: every name below the TLD is", f.class, f.confidence)
	}
	text := fmt.Sprintf("%s counts as %d letters", quote(s.index.core(f.id)), f.letters())
	if f.how.idle > 0 {
		text += ", without those of a label that hosts of all kinds carry"
	}
	text += fmt.Sprintf(": %s is %s", f.how.class, f.how.rule())
	if f.how.cap != "" {
		text += "; " + strings.Replace(f.how.cap, suffixWanted, quote(s.suffixText()), 1)
	}
	if f.class != f.how.class {
		text += fmt.Sprintf("; as %s it is %s", f.class, f.confidence)
	}
	return text
}

// rule returns the confidences of the class by length.
func (h *how) rule() string {
	switch {
	case h.class <= TLDKept:
		return "high at any length"
	case h.class == Combosquat:
		return fmt.Sprintf("medium from %d letters, from %d without a separator", classes[Combosquat].floor.medium, combosquatGlued)
	case h.class == Embedding:
		return fmt.Sprintf("medium where the TLD follows, low from %d letters", classes[Embedding].floor.low)
	case h.class == DoubleTypo:
		return fmt.Sprintf("%s, where a fold or a dot or hyphen is one of the slips %s", classes[DoubleTypo].floor, foldedFloor)
	case h.class == Homoglyph && h.weak:
		return weakFloor.String() + " where letters are only similar"
	}
	return classes[h.class].floor.String()
}

// leftToRight writes letters, which are stored last one first, for people.
func leftToRight(letters []rune) string {
	var b []byte
	for _, r := range slices.Backward(letters) {
		b = appendRune(b, r)
	}
	return printable(string(b))
}
