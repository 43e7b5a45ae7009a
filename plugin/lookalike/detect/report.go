package detect

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
	for i := range found {
		v.Matches[i] = s.match(&found[i])
	}
	return v
}

// brief makes the short verdict from the findings.
func (s *search) brief() Brief {
	found := s.sorted()
	b := Brief{found[0].class, found[0].confidence, make([]string, len(found)), s.name.text(s.hi-1, s.name.labels)}
	for i := range found {
		b.Protected[i] = s.match(&found[i]).Protected
	}
	return b
}

// match returns the protected name of a finding and the name that was probably
// meant: the labels left of the resembling ones, and the protected name.
func (s *search) match(f *finding) Match {
	if f.id == noName {
		if s.lo == s.hi-1 {
			return Match{s.keptTLD, s.keptTLD}
		}
		return Match{s.keptTLD, s.name.text(s.lo, s.hi-1) + "." + s.keptTLD}
	}
	p := s.index.protected(f.id)
	octets := len(p) + 1 // of the name meant, its length octets included
	for i := s.lo; i < f.first; i++ {
		octets += len(s.name.label(i)) + 1
	}
	if f.first <= s.lo || octets > maxOctets {
		return Match{p, p}
	}
	return Match{p, s.name.text(s.lo, f.first) + "." + p}
}

// shown returns the name in Unicode, or "" if that is the same.
func (n *name) shown() string {
	if n.plain() {
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
	var dst []byte
	var buf [maxRunes]rune
	for i := range n.labels {
		if i > 0 {
			dst = append(dst, '.')
		}
		runes, foreign := decodeLabel(buf[:0], n.label(i))
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
