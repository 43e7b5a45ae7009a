package detect

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// how says how a finding came about, for people to read.
type how struct {
	slip     slip  // the edit, if there is one
	affix    affix // what was cut off
	underTLD bool  // the name lies below the TLD of protected names
}

// verdict writes the findings up.
func (s *search) verdict() *Verdict {
	found := s.sorted()
	best := &found[0]
	n := &s.name
	v := &Verdict{
		Class:       best.class,
		Confidence:  best.confidence,
		Matches:     make([]Match, len(found)),
		Name:        n.text(0, n.labels),
		Registrable: n.text(s.hi-1, n.labels),
		Service:     n.text(0, s.lo),
		Reason:      s.reason(best),
	}
	for i := range found {
		v.Matches[i] = s.match(&found[i])
	}
	if u := n.unicode(); u != v.Name {
		v.Unicode = u
	}
	return v
}

// match returns the protected name of a finding and the name that was probably
// meant: the labels left of the resembling ones, and the protected name.
func (s *search) match(f *finding) Match {
	if f.id == noName {
		tld := s.name.text(s.hi-1, s.hi)
		return Match{tld, s.name.text(s.lo, s.hi)}
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

// reason says in one sentence why a finding matches.
func (s *search) reason(f *finding) string {
	if f.id == noName {
		return fmt.Sprintf("%q lies under %q, which resembles the TLD %q", s.name.text(s.lo, s.name.labels),
			s.name.text(s.hi-1, s.name.labels), s.name.text(s.hi-1, s.hi))
	}
	p, core := s.index.protected(f.id), s.index.core(f.id)
	if core == "" {
		return fmt.Sprintf("%q resembles a name under the TLD %q", s.name.text(s.lo, s.name.labels), p)
	}
	what := "labels"
	if f.last-f.first == 1 {
		what = "label"
	}
	return fmt.Sprintf("%s %q %s %q of %s: %s", what, s.name.text(f.first, f.last), "resembles", core, p, s.difference(f))
}

// difference says how the labels of a finding differ from the protected name.
func (s *search) difference(f *finding) string {
	var parts []string
	if f.how.underTLD || f.class == TLDKept {
		parts = append(parts, fmt.Sprintf("the TLD %q is kept", s.keptSuffix(f)))
	} else if t := f.how.affix.tail; t != nil && f.class != Embedding {
		parts = append(parts, fmt.Sprintf("%q is kept", t.suffix))
	}
	switch f.class {
	case TLDSwap:
		parts = append(parts, "only the TLD differs")
	case IDNHomoglyph:
		parts = append(parts, "the letters look alike")
	case Separator:
		parts = append(parts, "dots or hyphens are missing or changed")
	case Split:
		parts = append(parts, "a dot or hyphen splits it")
	case Combosquat:
		parts = append(parts, fmt.Sprintf("%q is added", f.how.affix.keyword))
	case Embedding:
		if t := f.how.affix.tail; t != nil {
			parts = append(parts, fmt.Sprintf("it stands inside the name, followed by %q", t.suffix))
		} else {
			parts = append(parts, "it stands inside the name")
		}
	case DoubleTypo:
		parts = append(parts, "two slips apart")
	}
	if f.how.slip.op != noEdit {
		parts = append(parts, f.how.slip.text(f.size))
	} else if f.class == Homoglyph || f.class == Split {
		parts = append(parts, s.glyphPairs(f)...)
	}
	return strings.Join(parts, "; ")
}

// keptSuffix returns the TLD that a name kept.
func (s *search) keptSuffix(f *finding) string {
	if t := f.how.affix.tail; t != nil {
		return t.suffix
	}
	return s.name.text(s.hi-1, s.hi)
}

// text describes an edit of a protected name of size letters.
func (e slip) text(size int) string {
	switch e.op {
	case transposed:
		return fmt.Sprintf("%q and %q are transposed", e.q, e.p)
	case repeated:
		return fmt.Sprintf("%q is typed twice", e.q)
	case omitted:
		return fmt.Sprintf("%q is left out at letter %d", e.p, size-e.at)
	case replaced:
		if adjacent(e.p, e.q) {
			return fmt.Sprintf("%q is typed for its neighbour %q at letter %d", e.q, e.p, size-e.at)
		}
		return fmt.Sprintf("%q stands for %q at letter %d", e.q, e.p, size-e.at)
	}
	return fmt.Sprintf("%q is put in after letter %d", e.q, size-e.at)
}

// glyphPairs says which letters of a finding read as which.
func (s *search) glyphPairs(f *finding) []string {
	p := s.index.protectedReading(f.id)
	var q reading
	q.read(&s.name, f.first, f.last)
	if t := f.how.affix.tail; t != nil {
		q = q.cut(len(t.letters))
	}
	for st := range styles {
		if pairs, ok := differentGlyphs(p.letters[:p.size], q.letters[:q.size], st); ok {
			return pairs
		}
	}
	return nil
}

// differentGlyphs lists, from the left, where p and q are written differently
// but read the same in style st.
func differentGlyphs(p, q []rune, st style) (pairs []string, ok bool) {
	a, b := glyphReader{letters: p}, glyphReader{letters: q}
	fromA, fromB := 0, 0
	for {
		x, okA := a.next(st)
		y, okB := b.next(st)
		if okA != okB || x != y {
			return nil, false
		}
		if !okA {
			break
		}
		if a.between() && b.between() {
			if was, is := leftToRight(p[fromA:a.at]), leftToRight(q[fromB:b.at]); was != is {
				pairs = append(pairs, fmt.Sprintf("%q reads as %q", is, was))
			}
			fromA, fromB = a.at, b.at
		}
	}
	for i, j := 0, len(pairs)-1; i < j; i, j = i+1, j-1 {
		pairs[i], pairs[j] = pairs[j], pairs[i]
	}
	return pairs, true
}

// leftToRight writes letters, which are stored last one first, for people.
func leftToRight(letters []rune) string {
	var b strings.Builder
	for i := len(letters) - 1; i >= 0; i-- {
		b.WriteRune(letters[i])
	}
	return b.String()
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
			switch {
			case r > utf8.MaxRune:
				dst = appendByte(dst, byte(r-notUnicode))
			case r < utf8.RuneSelf:
				dst = appendByte(dst, byte(r))
			case unicode.IsPrint(r) || unicode.Is(unicode.Co, r):
				dst = utf8.AppendRune(dst, r)
			}
		}
	}
	return string(dst)
}
