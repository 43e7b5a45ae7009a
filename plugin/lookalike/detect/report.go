package detect

import "strings"

// verdict makes the verdict from the findings.
func (s *search) verdict() *Verdict {
	found := s.sorted()
	best := &found[0]
	n := &s.name
	slips := s.slips(best)
	v := &Verdict{
		Class:       best.class,
		Confidence:  best.confidence,
		Matches:     make([]Match, len(found)),
		Name:        n.text(0, n.labels),
		Registrable: n.text(s.hi-1, n.labels),
		Service:     n.text(0, s.lo),
		Unicode:     n.shown(),
		Reason:      s.reason(best, slips),
		Slips:       slips,
	}
	s.matches(v.Matches)
	return v
}

// brief makes the short verdict from the findings.
func (s *search) brief() Brief {
	found := s.sorted()
	b := Brief{found[0].class, found[0].confidence, make([]string, len(found)), s.name.text(s.hi-1, s.name.labels)}
	for i := range found {
		b.Protected[i] = s.protectedOf(&found[i])
	}
	return b
}

// protectedOf returns the protected name of a finding.
func (s *search) protectedOf(f *finding) string {
	if f.id == noName {
		return s.keptTLD
	}
	return s.index.protected(f.id)
}

// matches sets all, one for each finding, to the protected names and the names that
// were probably meant. All of these are parts of one text, since there may be many.
func (s *search) matches(all []Match) {
	var text strings.Builder
	for i := range all {
		f := &s.found[i]
		p := s.protectedOf(f)
		all[i] = Match{p, p}
		if before := s.before(f, len(p)); before != "" {
			if text.Len() == 0 {
				text.Grow((len(before) + 1 + len(p)) * (len(all) - i))
			}
			start := text.Len()
			text.WriteString(before)
			text.WriteByte('.')
			text.WriteString(p)
			all[i].DidYouMean = text.String()[start:]
		}
	}
}

// before returns the labels left of the resembling ones, or nothing if the name meant,
// which ends in a protected name of so many octets, would be too long.
func (s *search) before(f *finding, octets int) string {
	first := f.first
	if f.id == noName {
		first = s.hi - 1
	}
	octets++ // those of the length of each label count
	for i := s.lo; i < first; i++ {
		octets += len(s.name.label(i)) + 1
	}
	if first <= s.lo || f.id != noName && octets > maxOctets {
		return ""
	}
	return s.name.text(s.lo, first)
}

// shown returns the name in Unicode, or "" if that is the same.
func (n *name) shown() string {
	if n.allPlain() {
		return ""
	}
	if u := n.unicode(); u != n.text(0, n.labels) {
		return u
	}
	return ""
}

// unicode returns the name with A-labels and raw UTF-8 as Unicode, without
// code points that cannot be seen or that change the direction of writing.
// Labels that are neither stay in presentation form.
func (n *name) unicode() string {
	dst := make([]byte, 0, 2*maxOctets)
	for i := range n.labels {
		if i > 0 {
			dst = append(dst, '.')
		}
		var runes []rune
		foreign := !n.isPlain(i)
		if foreign {
			runes, foreign = n.decode(i)
		}
		if !foreign {
			dst = n.appendLabels(dst, i, i+1)
			continue
		}
		for _, r := range runes {
			if visible(r) {
				dst = appendRune(dst, plainRune(r))
			}
		}
	}
	return string(dst)
}
