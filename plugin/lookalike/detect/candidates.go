package detect

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// This file generates the names that a class would find for a protected name. It
// reverses the rules of the other files. It only proposes names: Match decides on
// their class.

// Listable returns the classes whose names can be listed, in the order of Classes.
// The others, Embedding and DoubleTypo, have too many names.
func Listable() []Class {
	return slices.DeleteFunc(Classes(), func(c Class) bool { return len(proposals[c]) == 0 })
}

// Candidates yields the labels before a lookalike TLD that may make Match find a
// protected name in that class. The protected name is written as in a Config. The
// caller has to filter: some candidates are of another class or none, are not domain
// names, or are repeated. Those of IDNHomoglyph are in Unicode.
//
// Each has the fewest slips that make its class, with these limits. A homoglyph has at
// most two slips. A letter of another script replaces one letter or all. A held key
// adds at most three letters. With words, names with one keyword are among those of
// TLDKept. A whole TLD has no candidates.
func Candidates(class Class, protected string, words bool) iter.Seq[string] {
	o, ok := newOriginal(protected)
	return func(yield func(string) bool) {
		if !ok {
			return
		}
		for _, p := range proposals[class] {
			if p.words && class != Combosquat && !words {
				continue
			}
			for s := range p.of(o) {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// original is a protected name: what stands before its public suffix, in
// Unicode, and the suffix.
type original struct {
	core   []rune
	suffix string // co.uk
}

// newOriginal takes a protected name apart. It reports false for a whole TLD,
// and for what is no name or not written in letters that have a meaning.
func newOriginal(protected string) (original, bool) {
	var n name
	if !n.parse(protected) || n.labels == 1 {
		return original{}, false
	}
	labels := n.labels - tailOf(&n)
	o := original{suffix: n.text(labels, n.labels)}
	for i := range labels {
		if i > 0 {
			o.core = append(o.core, '.')
		}
		runes, _ := n.decode(i)
		o.core = append(o.core, runes...)
	}
	return o, !slices.ContainsFunc(o.core, func(r rune) bool { return r > unicode.MaxRune })
}

// proposal makes the candidates of one kind.
type proposal struct {
	of    func(original) iter.Seq[string]
	words bool // they have a keyword
}

// proposals has the proposals of each class.
var proposals = [...][]proposal{
	TLDSwap:      {{of: original.swapped}},
	TLDKept:      {{of: original.kept}, {of: original.keptWords, words: true}},
	IDNHomoglyph: {{of: original.unicodes}, {of: original.scripts}, {of: original.glyphsBesideUnicode}},
	Separator:    {{of: original.marksChanged}},
	Homoglyph:    {{of: original.glyphs}, {of: original.glyphsOfTLD}},
	Typo:         {{of: original.moves}, {of: original.keysBeside}},
	Split:        {{of: original.marksAdded}},
	Edit:         {{of: original.edits}},
	Combosquat:   {{of: original.words, words: true}},
	DoubleTypo:   {}, // so that there is a row for each class
}

// with returns the name with the characters from i up to j replaced.
func (o original) with(i, j int, text string) string {
	return string(o.core[:i]) + text + string(o.core[j:])
}

// swapped is the name as it is, and with the beginning of its public suffix: eb,
// and eb.mil for eb.mil.br.
func (o original) swapped() iter.Seq[string] {
	return func(yield func(string) bool) {
		head := strings.TrimSuffix(o.suffix, tldOf(o.suffix))
		if yield(string(o.core)) && head != "" {
			yield(string(o.core) + "." + strings.TrimSuffix(head, "."))
		}
	}
}

// kept is the name with its public suffix, with a dot, a hyphen or nothing before it.
func (o original) kept() iter.Seq[string] {
	return func(yield func(string) bool) {
		core := string(o.core)
		_ = yield(core+"."+o.suffix) && yield(core+o.glued()) && yield(core+"-"+o.hyphenated())
	}
}

func (o original) glued() string      { return strings.ReplaceAll(o.suffix, ".", "") }
func (o original) hyphenated() string { return strings.ReplaceAll(o.suffix, ".", "-") }

// keptWords is the name with its public suffix and a keyword.
func (o original) keptWords() iter.Seq[string] {
	return func(yield func(string) bool) {
		core := string(o.core)
		for _, kept := range []string{core + o.glued(), core + "-" + o.hyphenated()} {
			for _, w := range keywords {
				if !yield(kept+"-"+w) || !yield(w+"-"+kept) {
					return
				}
			}
		}
	}
}

// words is the name with a keyword before or behind it.
func (o original) words() iter.Seq[string] {
	return func(yield func(string) bool) {
		core := string(o.core)
		for _, w := range keywords {
			for _, s := range []string{core + "-" + w, w + "-" + core, core + w, w + core} {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// foldsBack holds the lower-case code points by the glyphs of what they fold to.
var foldsBack = sync.OnceValue(func() map[string][]rune {
	back := make(map[string][]rune)
	for _, f := range foldsTo {
		if !unicode.IsUpper(f.r) && !unicode.IsTitle(f.r) {
			key := glyphsOf([]rune(f.to))
			back[key] = append(back[key], f.r)
		}
	}
	return back
})

// maxFold is how many ASCII characters a code point folds to at most that
// candidates are made of.
const maxFold = 3

// glyphsOf returns a text with each letter as the one that stands for it.
func glyphsOf(text []rune) string {
	to := make([]rune, len(text))
	for i, c := range text {
		to[i] = glyph(c)
	}
	return string(to)
}

// unicodes is the name with one letter, or what reads as one, in Unicode.
func (o original) unicodes() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, c := range o.core {
			if isMark(c) {
				continue
			}
			for n := 1; n <= min(maxFold, len(o.core)-i); n++ {
				for _, r := range foldsBack()[glyphsOf(o.core[i:i+n])] {
					if !yield(o.with(i, i+n, string(r))) {
						return
					}
				}
			}
		}
	}
}

// scripts is the name with every letter in another script. Of several that read
// as the same letter it takes the first, which has no marks.
func (o original) scripts() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, script := range otherScripts {
			if s, ok := o.in(script); ok && !yield(s) {
				return
			}
		}
	}
}

// otherScripts are those with letters for many of ASCII.
var otherScripts = []*unicode.RangeTable{unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Lisu}

// in writes the name in a script, if that has all its letters.
func (o original) in(script *unicode.RangeTable) (string, bool) {
	var b strings.Builder
	for _, c := range o.core {
		if !isMark(c) && !isASCIIDigit(c) {
			at := slices.IndexFunc(foldsBack()[glyphsOf([]rune{c})], func(r rune) bool {
				to, _ := foldRune(r)
				return to == string(c) && unicode.Is(script, r)
			})
			if at < 0 {
				return "", false
			}
			c = foldsBack()[glyphsOf([]rune{c})][at]
		}
		b.WriteRune(c)
	}
	return b.String(), b.String() != string(o.core)
}

func isASCIIDigit(c rune) bool { return '0' <= c && c <= '9' }

// marksChanged is the name with one dot or hyphen left out, or the other.
func (o original) marksChanged() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, c := range o.core {
			other := map[rune]string{'.': "-", '-': "."}[c]
			if other != "" && (!yield(o.with(i, i+1, "")) || !yield(o.with(i, i+1, other))) {
				return
			}
		}
	}
}

// marksAdded is the name with a dot or hyphen more, or with one that has changed
// places with a letter.
func (o original) marksAdded() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 1; i < len(o.core); i++ {
			if !yield(o.with(i, i, ".")) || !yield(o.with(i, i, "-")) {
				return
			}
			a, b := o.core[i-1], o.core[i]
			if isMark(a) != isMark(b) && !yield(o.with(i-1, i+1, string([]rune{b, a}))) {
				return
			}
		}
	}
}

// typed is what one types in names, apart from dots and hyphens.
const typed = "abcdefghijklmnopqrstuvwxyz0123456789"

// readAs returns the letter of ASCII that a character reads as, if there is one.
func readAs(c rune) rune {
	if to, ok := foldRune(c); ok && len(to) == 1 {
		return rune(to[0])
	}
	return c
}

// stand is a text that stands for n characters from place at on.
type stand struct {
	at, n  int
	text   string
	strong bool // the two are hardly told apart
}

// pairsFor holds the pairs of letters that read as one.
var pairsFor = func() map[rune][]string {
	pairs := make(map[rune][]string)
	for _, a := range typed {
		for _, b := range typed {
			if c, ok := together(a, b); ok {
				pairs[c] = append(pairs[c], string([]rune{a, b}))
			}
		}
	}
	return pairs
}()

// stands returns what may stand in core for characters that look like it.
func stands(core []rune) (all []stand) {
	for i, c := range core {
		if to, ok := foldRune(c); ok && len(to) > 1 {
			all = append(all, stand{i, 1, to, false})
		}
		written := c
		c = readAs(c)
		for _, d := range typed {
			if d != written && (glyph(c) == glyph(d) || similar(c, d)) {
				all = append(all, stand{i, 1, string(d), glyph(c) == glyph(d) && glyphKind(c) == strongGlyph})
			}
		}
		for _, pair := range pairsFor[c] {
			all = append(all, stand{i, 1, pair, false})
		}
		if i+1 < len(core) {
			if one, ok := together(c, core[i+1]); ok {
				all = append(all, stand{i, 2, string(one), false})
			}
		}
	}
	return all
}

// glyphs is the name with characters that look alike: one, or two of which one is
// hardly told apart from what it stands for.
func (o original) glyphs() iter.Seq[string] {
	return func(yield func(string) bool) {
		all := stands(o.core)
		for i, a := range all {
			if !yield(o.with(a.at, a.at+a.n, a.text)) {
				return
			}
			for _, b := range all[i+1:] {
				if b.at < a.at+a.n || !a.strong && !b.strong {
					continue
				}
				two := string(o.core[:a.at]) + a.text + string(o.core[a.at+a.n:b.at]) + b.text + string(o.core[b.at+b.n:])
				if !yield(two) {
					return
				}
			}
		}
	}
}

// glyphsBesideUnicode is glyphs for a name that is itself in Unicode.
func (o original) glyphsBesideUnicode() iter.Seq[string] {
	if !slices.ContainsFunc(o.core, func(c rune) bool { return c > unicode.MaxASCII }) {
		return func(func(string) bool) {}
	}
	return o.glyphs()
}

// glyphsOfTLD is the name with a public suffix of one label in characters that
// look like it: army.mi1, armymi1 and army-mi1.
func (o original) glyphsOfTLD() iter.Seq[string] {
	return func(yield func(string) bool) {
		if len(o.suffix) < tailDisguised || strings.Contains(o.suffix, ".") {
			return
		}
		core, tld := string(o.core), original{core: []rune(o.suffix)}
		for s := range tld.glyphs() {
			if !yield(core+"."+s) || !yield(core+s) || !yield(core+"-"+s) {
				return
			}
		}
	}
}

// maxHeld is how many times more a held key is typed.
const maxHeld = 3

// moves is the name with letters in another order, once more or left out.
func (o original) moves() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, c := range o.core {
			if isMark(c) {
				continue
			}
			ok := yield(o.with(i, i+1, ""))
			for n := 1; n <= maxHeld; n++ {
				ok = ok && yield(o.with(i, i, strings.Repeat(string(c), n)))
			}
			for _, order := range [][]int{{1, 0}, {1, 2, 0}, {2, 0, 1}} {
				if i+len(order) > len(o.core) {
					continue
				}
				moved := make([]rune, len(order))
				for to, from := range order {
					moved[to] = o.core[i+from]
				}
				ok = ok && yield(o.with(i, i+len(order), string(moved)))
			}
			if !ok {
				return
			}
		}
	}
}

// keysBeside is the name with a key beside the right one, or both.
func (o original) keysBeside() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, c := range o.core {
			c = readAs(c)
			for _, d := range typed {
				if adjacent(c, d) && (!yield(o.with(i, i+1, string(d))) || !yield(o.with(i, i, string(d))) || !yield(o.with(i+1, i+1, string(d)))) {
					return
				}
			}
		}
	}
}

// edits is the name with one letter more, or another one.
func (o original) edits() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(o.core) + 1 {
			for _, d := range typed {
				if !yield(o.with(i, i, string(d))) || i < len(o.core) && !isMark(o.core[i]) && !yield(o.with(i, i+1, string(d))) {
					return
				}
			}
		}
	}
}
