package detect

import (
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// kind is the kind of a slip.
type kind uint8

const (
	same kind = iota
	different
	strongGlyph
	weakGlyph
	similarGlyph
	strongPair
	weakPair
	alienGlyph
	dropped
	changed
	added
	moved
	transposed
	displaced
	repeated
	held
	omitted
	neighbour
	fatFinger
	inserted
	replaced
	wordAdded
	around
	below
	tldKept
	tldChanged
)

// kinds has a row for each kind of slip.
var kinds = [...]struct {
	name string
	fold bool   // the eye is deceived, or a dot or hyphen is concerned
	text string // for people: %p stands for From, %q for To, %n for the letter where it begins, %b for the one before, %c for a count
}{
	strongGlyph:  {"glyph", true, `%q reads as %p at letter %n`},
	weakGlyph:    {"glyph", true, `%q reads as %p at letter %n`},
	similarGlyph: {"glyph", false, `%q looks like %p at letter %n`},
	strongPair:   {"pair", true, `%q reads as %p at letter %n`},
	weakPair:     {"pair", true, `%q reads as %p at letter %n`},
	alienGlyph:   {"unicode", true, `%q reads as %p at letter %n`},
	dropped:      {"separator-dropped", true, `the %p after letter %b is missing`},
	changed:      {"separator-changed", true, `%q stands for the %p after letter %b`},
	added:        {"separator-added", true, `a %q is put in after letter %b`},
	moved:        {"separator-moved", true, `%q stands for %p at letter %n`},
	transposed:   {"transposition", false, `%p is typed as %q at letter %n`},
	displaced:    {"displacement", false, `%p is typed as %q at letter %n`},
	repeated:     {"repetition", false, `%q is typed once more at letter %n`},
	held:         {"held-key", false, `%q is typed %c times more at letter %n`},
	omitted:      {"omission", false, `%p is left out at letter %n`},
	neighbour:    {"neighbouring-key", false, `%q is typed for %p, a neighbouring key, at letter %n`},
	fatFinger:    {"fat-finger", false, `%q, a neighbouring key, is typed as well after letter %b`},
	inserted:     {"insertion", false, `%q is put in after letter %b`},
	replaced:     {"replacement", false, `%q stands for %p at letter %n`},
	wordAdded:    {"word", false, `%q is added`},
	around:       {"around", false, `%q stands beside it`},
	below:        {"below", false, ""},
	tldKept:      {"tld-kept", false, `its TLD is kept`},
	tldChanged:   {"tld", false, ""},
}

// String returns the name of the kind.
func (k kind) String() string { return kinds[k].name }

// Slip is one difference between a protected name and a queried one, which has To in
// the place of From. Code points beyond ASCII are not escaped, so both may contain some
// that control a terminal.
type Slip struct {
	Kind string // what went wrong: "omission", "tld"
	At   int    // how many octets of the protected name stand before it
	From string // nothing where To was put in
	To   string // nothing where From was left out

	kind  kind
	place int // letters of the protected name that stand before it
}

// Apply applies the slips to a protected name. They must be in the order of their
// places and must not overlap.
func Apply(protected string, slips []Slip) string {
	var b strings.Builder
	at := 0
	for _, s := range slips {
		b.WriteString(protected[at:s.At])
		b.WriteString(s.To)
		at = s.At + len(s.From)
	}
	b.WriteString(protected[at:])
	return b.String()
}

// text describes the slip for people. It is empty for a slip that needs no mention.
func (s *Slip) text() string { return string(s.appendText(nil)) }

// isTold reports whether text is not empty.
func (s *Slip) isTold() bool { return kinds[s.kind].text != "" }

// appendText appends what text returns.
func (s *Slip) appendText(dst []byte) []byte {
	from, to, count := s.From, s.To, 0
	switch s.kind {
	case wordAdded:
		to = strings.Trim(to, ".-_")
	case held:
		_, size := utf8.DecodeRuneInString(to)
		to, count = to[:size], len(to)/max(size, 1)
	}
	for text := kinds[s.kind].text; text != ""; {
		before, after, found := strings.Cut(text, "%")
		dst, text = append(dst, before...), after
		if !found {
			break
		}
		switch text[0] {
		case 'p':
			dst = appendQuoted(dst, from)
		case 'q':
			dst = appendQuoted(dst, to)
		case 'n':
			dst = strconv.AppendInt(dst, int64(s.place+1), 10)
		case 'b':
			dst = strconv.AppendInt(dst, int64(s.place), 10)
		case 'c':
			dst = strconv.AppendInt(dst, int64(count), 10)
		}
		text = text[1:]
	}
	return dst
}

// visible reports whether people see a code point, or its escape if it is ASCII or a
// byte that is not UTF-8. Fonts show code points for private use.
func visible(r rune) bool {
	switch {
	case r < utf8.RuneSelf, r > utf8.MaxRune:
		return true
	case r < visiblePlanes<<16:
		return visibleRunes()[r/64]>>(r%64)&1 != 0
	case r>>16 < 14: // planes without characters
		return false
	}
	return unicode.IsPrint(r) || unicode.Is(unicode.Co, r)
}

// visiblePlanes is how many planes visibleRunes covers: nearly all characters.
const visiblePlanes = 4

// visibleRunes is a set of visible code points. A name may have hundreds of code points,
// and the tables of package unicode cost a tenth of a microsecond for each.
var visibleRunes = sync.OnceValue(func() *[visiblePlanes << 16 / 64]uint64 {
	var set [visiblePlanes << 16 / 64]uint64
	for _, table := range append([]*unicode.RangeTable{unicode.Co}, unicode.PrintRanges...) {
		for _, r := range table.R16 {
			addRunes(set[:], rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range table.R32 {
			addRunes(set[:], rune(r.Lo), min(rune(r.Hi), visiblePlanes<<16-1), rune(r.Stride))
		}
	}
	return &set
})

func addRunes(set []uint64, lo, hi, stride rune) {
	for r := lo; r <= hi; r += stride {
		set[r/64] |= 1 << (r % 64)
	}
}

// printable returns a text with the number of each invisible code point in its place,
// such as U+200B for the zero-width space.
func printable(text string) string { return string(appendPrintable(nil, text)) }

// appendPrintable appends what printable returns.
func appendPrintable(dst []byte, text string) []byte {
	for _, r := range text {
		if visible(r) {
			dst = utf8.AppendRune(dst, r)
		} else {
			dst = appendNumber(dst, r)
		}
	}
	return dst
}

// appendNumber appends the number of a code point: U+ and at least four digits.
func appendNumber(dst []byte, r rune) []byte {
	dst = append(dst, "U+"...)
	for shift := 20; shift >= 0; shift -= 4 {
		if r>>shift != 0 || shift < 16 {
			dst = append(dst, "0123456789ABCDEF"[r>>shift&15])
		}
	}
	return dst
}

// appendQuoted appends a printable text between quotation marks.
func appendQuoted(dst []byte, text string) []byte {
	return append(appendPrintable(append(dst, '"'), text), '"')
}

// appendRune appends one code point of a spelling in presentation form.
func appendRune(dst []byte, r rune) []byte {
	if 0 <= r && r < utf8.RuneSelf && writtenOctets[r] == 1 {
		return append(dst, byte(r))
	}
	return appendUnplain(dst, r)
}

// appendUnplain is appendRune for all but the ASCII that stands as it is.
func appendUnplain(dst []byte, r rune) []byte {
	switch {
	case r == labelEnd:
		return append(dst, '.')
	case r > utf8.MaxRune:
		return appendByte(dst, byte(r-notUnicode))
	case r < utf8.RuneSelf:
		return appendByte(dst, byte(r))
	}
	return utf8.AppendRune(dst, r)
}

// runeOctets returns how many octets appendRune appends.
func runeOctets(r rune) int {
	switch {
	case r == labelEnd:
		return 1
	case r > utf8.MaxRune:
		return int(writtenOctets[byte(r-notUnicode)])
	case r < utf8.RuneSelf:
		return int(writtenOctets[byte(r)])
	}
	if n := utf8.RuneLen(r); n > 0 {
		return n
	}
	return utf8.RuneLen(utf8.RuneError) // in the place of a surrogate
}

// quote puts quotation marks around a name, which has its own escapes.
func quote(s string) string { return `"` + s + `"` }
