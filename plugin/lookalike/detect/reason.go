package detect

import (
	"slices"
	"strings"
)

// reason explains in one sentence why a finding matches. slips are the changes from
// the protected name to the queried name.
func (s *search) reason(f *finding, slips []Slip) string {
	n := &s.name
	if f.id == noName {
		return quote(n.text(s.lo, n.labels)) + " lies under " + quote(n.text(s.hi-1, n.labels)) +
			", which resembles the TLD " + quote(s.keptTLD)
	}
	p := s.index.protected(f.id)
	switch {
	case s.index.core(f.id) == "":
		return quote(n.text(s.lo, n.labels)) + " resembles a name under the TLD " + quote(p)
	case f.how.class == TLDSwap && !f.how.underTLD:
		return quote(n.text(f.first, n.labels)) + " resembles " + p + ": only the TLD differs"
	}
	is, resembles := "label ", " resembles "
	if f.last-f.first > 1 {
		is, resembles = "labels ", " resemble "
	}
	b := append(s.text[:0], is...)
	b = appendQuoted(b, n.text(f.first, f.last))
	b = append(b, resembles...)
	b = appendQuoted(b, s.index.core(f.id))
	b = append(append(b, " of "...), p...)
	between := ": "
	for i := range slips {
		if slips[i].isTold() {
			b = slips[i].appendText(append(b, between...))
			between = "; "
		}
	}
	s.text = b
	return string(b)
}

// slips lists the changes from the protected name of f to the queried name. It
// spells the protected name.
func (s *search) slips(f *finding) []Slip {
	switch {
	case f.id == noName:
		return s.slipsUnder(s.keptTLD, s.shown(0, s.hi-1), s.shown(s.hi-1, s.hi))
	case s.index.core(f.id) == "":
		return s.slipsUnder(s.index.protected(f.id), s.shown(0, s.hi), "")
	}
	b := slipper{q: s.writing(), scratch: &s.scratch, suffix: s.index.suffix(f.id), ending: "." + s.shown(s.hi, s.name.labels)}
	b.p = s.spellProtected(f.id)
	b.all, b.walked = make([]Slip, 0, 4), s.walked[:0]
	b.first, b.end = b.q.span(f.from, f.to)
	if f.how.class == Embedding {
		b.first, b.end = int(b.q.at[f.from]), int(b.q.at[f.to-1])+1
	}
	b.word = around
	if f.how.affix.count > 0 {
		b.word = wordAdded
	}
	front := s.shown(0, s.lo)
	if front != "" {
		front += "."
	}
	b.before(front + b.q.text(b.end, len(b.q.cells)))
	b.core(f)
	b.behind(f)
	s.walked = b.walked
	return b.all
}

// slipsUnder lists the changes from a TLD that is protected as a whole to the queried
// name: the labels before it and, if the TLD is kept, its form kept.
func (s *search) slipsUnder(tld, before, kept string) []Slip {
	var all []Slip
	if before != "" {
		all = append(all, Slip{To: before + ".", kind: below})
	}
	ending := s.shown(s.hi, s.name.labels)
	switch kept {
	case "":
		all = append(all, Slip{From: tld, To: ending, kind: tldChanged})
	case tld:
		all = append(all, Slip{At: len(tld), To: "." + ending, kind: tldKept})
	default:
		all = append(all, Slip{From: tld, To: kept + "." + ending, kind: tldKept})
	}
	return named(all)
}

// shown returns the labels from lo up to hi, with Unicode unfolded.
func (s *search) shown(lo, hi int) string {
	var buf [maxOctets]byte
	return string(s.name.appendShown(buf[:0], lo, hi))
}

// appendShown appends what shown returns.
func (n *name) appendShown(dst []byte, lo, hi int) []byte {
	for i := lo; i < hi; i++ {
		if i > lo {
			dst = append(dst, '.')
		}
		if n.isPlain(i) {
			dst = n.appendLabels(dst, i, i+1)
			continue
		}
		runes, _ := n.decode(i)
		for _, r := range runes {
			dst = appendRune(dst, plainRune(r))
		}
	}
	return dst
}

// named sets the name of the kind of each slip.
func named(all []Slip) []Slip {
	for i := range all {
		all[i].Kind = all[i].kind.String()
	}
	return all
}

// slipper lists slips from the first character of the protected name on.
type slipper struct {
	p, q       *spelling
	scratch    *scratch
	first, end int    // the cells of q that resemble p
	suffix     string // of the protected name
	ending     string // of the queried one, with the dot
	word       kind   // of the text before or after the match
	all        []Slip
	walked     []step // room
}

func (b *slipper) add(k kind, at, place int, from, to string) {
	if from != to {
		b.all = append(b.all, Slip{Kind: k.String(), At: at, From: from, To: to, kind: k, place: place})
	}
}

// before lists the text before the match.
func (b *slipper) before(text string) {
	dot := strings.LastIndexByte(text, '.') + 1
	b.add(below, 0, 0, "", text[:dot])
	b.add(b.word, 0, 0, "", text[dot:])
}

// core lists the differences before the public suffix.
func (b *slipper) core(f *finding) {
	p, q := b.p.cells, b.q.cells[b.first:b.end]
	steps := b.walked[:0]
	note := func(st step) { steps = append(steps, st) }
	if f.how.count == 0 {
		var t tally
		walk(p, q, &t, note)
	} else {
		i, j := 0, 0
		for _, st := range f.how.steps[:f.how.count] {
			for i < int(st.p) {
				note(step{same, uint16(i), uint16(j), 1, 1})
				i, j = i+1, j+1
			}
			note(st)
			i, j = i+int(st.pn), j+int(st.qn)
		}
		for ; i < len(p); i, j = i+1, j+1 {
			note(step{same, uint16(i), uint16(j), 1, 1})
		}
	}
	b.walked = steps
	b.steps(steps)
}

// steps lists steps, which come last character first. If one code point stands for
// several letters, it merges the steps of these letters.
func (b *slipper) steps(steps []step) {
	for i := len(steps) - 1; i >= 0; i-- {
		st := steps[i]
		for i > 0 && (!b.p.whole(int(st.p)) || !b.q.whole(b.first+int(st.q))) {
			i--
			next := steps[i]
			if st.kind == same {
				st.kind = next.kind
			}
			st.p, st.q, st.pn, st.qn = next.p, next.q, st.pn+next.pn, st.qn+next.qn
		}
		pEnd, qEnd := int(st.p+st.pn), b.first+int(st.q+st.qn)
		if st.kind == same {
			if slices.Equal(b.p.written(int(st.p), pEnd), b.q.written(b.first+int(st.q), qEnd)) {
				continue
			}
			st.kind = alienGlyph
		}
		b.add(st.kind, b.p.octets(pEnd, len(b.p.cells)), letterCount(b.p.cells[pEnd:]),
			b.p.text(int(st.p), pEnd), b.q.text(b.first+int(st.q), qEnd))
	}
}

// behind lists the text after the match of the labels before the public suffix.
func (b *slipper) behind(f *finding) {
	core := b.p.octets(0, len(b.p.cells))
	letters := letterCount(b.p.cells)
	rest := b.q.text(0, b.first)
	if f.how.underTLD && f.how.affix.tail == nil {
		if rest == "."+b.suffix {
			b.add(tldKept, core+1+len(b.suffix), letters, "", b.ending)
		} else {
			b.add(tldKept, core, letters, "."+b.suffix, rest+b.ending)
		}
		return
	}
	if f.how.affix.tail == nil {
		b.add(b.word, core, letters, "", rest)
		b.add(tldChanged, core+1, letters, b.suffix, b.ending[1:])
		return
	}
	from := int(b.q.at[f.from-f.how.affix.letters])
	rest = b.q.text(0, from)
	b.kept(core, letters, b.q.cells[from:b.first], from)
	b.add(b.word, core+1+len(b.suffix), letters, "", rest)
	b.add(tldKept, core+1+len(b.suffix), letters, "", b.ending)
}

// kept lists the changes to the dot and the public suffix, which q spells.
func (b *slipper) kept(core, letters int, q []cell, from int) {
	suffix := &b.scratch.tail
	b.scratch.core.parse(b.suffix)
	suffix.spell(&b.scratch.core, 0, b.scratch.core.labels)
	suffix.raw = append(suffix.raw, labelEnd)
	suffix.cell(labelEnd, false)
	steps := b.walked[:0]
	var t tally
	walk(suffix.cells, q, &t, func(st step) { steps = append(steps, st) })
	b.walked = steps
	for _, st := range slices.Backward(steps) {
		if st.kind == same {
			st.kind = alienGlyph
		}
		pEnd, qEnd := int(st.p+st.pn), from+int(st.q+st.qn)
		b.add(st.kind, core+suffix.octets(pEnd, len(suffix.cells)), letters+letterCount(suffix.cells[pEnd:]),
			suffix.text(int(st.p), pEnd), b.q.text(from+int(st.q), qEnd))
	}
}
