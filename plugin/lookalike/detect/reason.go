package detect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reason says in one sentence why a finding matches.
func (s *search) reason(f *finding) string {
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
	return s.labelReason(f)
}

// labelReason says why the labels of a finding resemble those of the protected
// name.
func (s *search) labelReason(f *finding) string {
	is, resembles := "label ", " resembles "
	if f.last-f.first > 1 {
		is, resembles = "labels ", " resemble "
	}
	return is + quote(s.name.text(f.first, f.last)) + resembles + quote(s.index.core(f.id)) + " of " +
		s.index.protected(f.id) + ": " + strings.Join(s.differences(f), "; ")
}

// differences says how the labels of a finding differ from the protected name.
func (s *search) differences(f *finding) []string {
	all := make([]string, 0, 4)
	say := func(words ...string) { all = append(all, strings.Join(words, " ")) }
	tail := f.how.affix.tail
	switch {
	case f.how.underTLD && tail == nil:
		say("the TLD", quote(s.keptTLD), "is kept")
	case tail != nil && f.how.affix.disguised:
		say("the TLD", quote(tail.suffix), "is kept, in letters that look like it")
	case tail != nil && f.class != Embedding:
		say("the TLD", quote(tail.suffix), "is kept")
	}
	switch f.how.class {
	case Separator:
		say("dots or hyphens are missing or changed")
	case Split:
		say("a dot or hyphen splits it")
	case Combosquat:
		say(quote(f.how.affix.text()), "is added")
	case Embedding:
		say("it stands inside the name")
		if tail != nil {
			say("followed by", quote(tail.suffix))
		}
	case DoubleTypo:
		say("it is two slips away")
	}
	if e := f.how.slip; e.op != noEdit {
		say(e.text(f.size))
	} else {
		all = append(all, s.glyphPairs(f)...)
	}
	if len(all) == 0 {
		say("the letters look alike")
	}
	return all
}

// text describes an edit of a protected name of size letters.
func (e slip) text(size int) string {
	at := " at letter " + strconv.Itoa(size-e.at)
	p, q := quote(string(e.p)), quote(letterText(e.q))
	switch e.op {
	case transposed:
		return q + " and " + p + " are transposed"
	case repeated:
		return q + " is typed twice"
	case omitted:
		return p + " is left out" + at
	case replaced:
		if adjacent(e.p, e.q) {
			return q + " is typed for " + p + ", a neighbouring key," + at
		}
		return q + " stands for " + p + at
	}
	return q + " is put in after letter " + strconv.Itoa(size-e.at)
}

// glyphPairs says which letters of a finding read as which.
func (s *search) glyphPairs(f *finding) []string {
	if f.how.class != Homoglyph && f.how.class != Split {
		return nil
	}
	p, q := s.readProtected(s.index, f.id), &s.part
	if f.how.affix.tail != nil {
		s.joined.read(&s.name, f.first, s.hi)
		q.cut(&s.joined, f.how.affix.letters)
	} else {
		q.read(&s.name, f.first, f.last)
	}
	return differentGlyphs(p.letters[:p.size], q.letters[:q.size])
}

// differentGlyphs lists, from the left, where p and q are written differently
// but read the same.
func differentGlyphs(p, q []rune) (pairs []string) {
	a := alignment{p: p, q: q}
	for i, j := 0, 0; a.next(); i, j = a.i, a.j {
		if was, is := p[i:a.i], q[j:a.j]; !slices.Equal(was, is) {
			pairs = append(pairs, quote(leftToRight(is))+" reads as "+quote(leftToRight(was)))
		}
	}
	if !a.done() {
		return nil
	}
	slices.Reverse(pairs)
	return pairs
}

// leftToRight writes letters, which are stored last one first, for people.
func leftToRight(letters []rune) string {
	var b strings.Builder
	for _, r := range slices.Backward(letters) {
		b.WriteString(letterText(r))
	}
	return b.String()
}

// letterText writes one letter for people.
func letterText(r rune) string {
	switch {
	case r > utf8.MaxRune:
		return string(appendByte(nil, byte(r-notUnicode)))
	case r < utf8.RuneSelf:
		return string(appendByte(nil, byte(r)))
	case !unicode.IsPrint(r):
		return fmt.Sprintf("U+%04X", r)
	}
	return string(r)
}

// quote puts quotation marks around a name, which has its own escapes.
func quote(s string) string { return `"` + s + `"` }
