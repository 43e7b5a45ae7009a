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
	all := make([]string, 0, len(slips))
	for i := range slips {
		if text := slips[i].text(); text != "" {
			all = append(all, text)
		}
	}
	return is + quote(n.text(f.first, f.last)) + resembles + quote(s.index.core(f.id)) + " of " + p + ": " + strings.Join(all, "; ")
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
	b := slipper{q: s.writing(), suffix: s.index.suffix(f.id), ending: "." + s.shown(s.hi, s.name.labels)}
	b.p = s.spellProtected(f.id)
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
	var one spelling
	one.spell(&s.name, lo, hi)
	return writeOut(one.raw) // not the cells: marks alone have none
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
	first, end int    // the cells of q that resemble p
	suffix     string // of the protected name
	ending     string // of the queried one, with the dot
	word       kind   // of the text before or after the match
	all        []Slip
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
	var steps []step
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
		if st.kind == same {
			st.kind = alienGlyph
		}
		pEnd, qEnd := int(st.p+st.pn), b.first+int(st.q+st.qn)
		b.add(st.kind, len(b.p.text(pEnd, len(b.p.cells))), letterCount(b.p.cells[pEnd:]),
			b.p.text(int(st.p), pEnd), b.q.text(b.first+int(st.q), qEnd))
	}
}

// behind lists the text after the match of the labels before the public suffix.
func (b *slipper) behind(f *finding) {
	core := b.p.text(0, len(b.p.cells))
	letters := letterCount(b.p.cells)
	rest := b.q.text(0, b.first)
	if f.how.underTLD && f.how.affix.tail == nil {
		if rest == "."+b.suffix {
			b.add(tldKept, len(core)+1+len(b.suffix), letters, "", b.ending)
		} else {
			b.add(tldKept, len(core), letters, "."+b.suffix, rest+b.ending)
		}
		return
	}
	if f.how.affix.tail == nil {
		b.add(b.word, len(core), letters, "", rest)
		b.add(tldChanged, len(core)+1, letters, b.suffix, b.ending[1:])
		return
	}
	from := int(b.q.at[f.from-f.how.affix.letters])
	rest = b.q.text(0, from)
	b.kept(core, letters, b.q.cells[from:b.first], from)
	b.add(b.word, len(core)+1+len(b.suffix), letters, "", rest)
	b.add(tldKept, len(core)+1+len(b.suffix), letters, "", b.ending)
}

// kept lists the changes to the dot and the public suffix, which q spells.
func (b *slipper) kept(core string, letters int, q []cell, from int) {
	var whole name
	whole.parse(b.suffix)
	var suffix spelling
	suffix.spell(&whole, 0, whole.labels)
	suffix.raw = append(suffix.raw, labelEnd)
	suffix.cell(labelEnd, false)
	var steps []step
	var t tally
	walk(suffix.cells, q, &t, func(st step) { steps = append(steps, st) })
	for _, st := range slices.Backward(steps) {
		if st.kind == same {
			st.kind = alienGlyph
		}
		pEnd, qEnd := int(st.p+st.pn), from+int(st.q+st.qn)
		b.add(st.kind, len(core)+len(suffix.text(pEnd, len(suffix.cells))), letters+letterCount(suffix.cells[pEnd:]),
			suffix.text(int(st.p), pEnd), b.q.text(from+int(st.q), qEnd))
	}
}
