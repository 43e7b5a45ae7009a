// Command genfold writes the table that folds Unicode code points to the ASCII
// letters, digits and hyphens that they resemble.
//
// Its sources, in this order: the few letters of overrides; the confusables of
// UTS #39, read from the JSON file of Debian's python3-confusable-homoglyphs;
// the names of the Unicode Character Database, for Latin and Cyrillic letters that
// UTS #39 leaves out; compatibility decomposition; and once more UTS #39, one step
// further. Marks and format characters fold to nothing.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"log"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/runenames"
)

// overrides are letters for which UTS #39 has no ASCII prototype, or one that
// only looks alike in upper case, and whose names do not tell either.
var overrides = map[rune]string{
	// Cyrillic
	'к': "k", 'т': "t", 'м': "m", 'н': "h", 'в': "b", 'ь': "b", 'ъ': "b", 'ы': "bl",
	'и': "u", 'ц': "u", 'ш': "w", 'щ': "w", 'э': "e", 'є': "e", 'з': "3", 'ч': "4",
	'я': "r", 'ю': "lo", 'ф': "o", 'д': "d", 'ԏ': "t", 'ҭ': "t", 'қ': "k", 'ҡ': "k",
	'ӄ': "k", 'ң': "h", 'ӊ': "h", 'ӈ': "h", 'ԟ': "k", 'ҟ': "k", 'ғ': "f", 'ѳ': "o",
	'ґ': "r", 'ҝ': "k", 'џ': "u", 'ђ': "h", 'ҽ': "e", 'ҿ': "e", 'ԋ': "h", 'ԗ': "p",
	// Greek
	'β': "b", 'δ': "d", 'ε': "e", 'ζ': "z", 'κ': "k", 'μ': "u", 'π': "n", 'τ': "t",
	'φ': "o", 'χ': "x", 'ω': "w", 'θ': "o", 'ξ': "e", 'ς': "c", 'Ω': "o", 'Σ': "e",
	'Δ': "a", 'Λ': "a", 'Π': "n", 'Γ': "r", 'Θ': "o", 'Φ': "o", 'Ξ': "e",
	// Latin
	'ß': "ss", 'ð': "d", 'þ': "p", 'ŋ': "n", 'ə': "e", 'ɜ': "3", 'ƅ': "b", 'ƽ': "s",
	'ĸ': "k", 'ʍ': "m", 'ɯ': "w", 'ɥ': "u", 'ʇ': "t", 'ɐ': "a", 'ɔ': "c", 'ʌ': "v",
	'ƨ': "s", 'ɩ': "i", 'ɿ': "r", 'ƕ': "h",
	// Dots, which separate a label for the eye only.
	'·': "-", '‧': "-", '・': "-", '･': "-", '。': "-", '．': "-", '｡': "-", '․': "-",
}

// latin finds the base letter in the name of a Latin letter.
var latin = regexp.MustCompile(`^(?:LATIN|MODIFIER) (?:SUBSCRIPT )?(?:SMALL |CAPITAL )?LETTER (?:SMALL CAPITAL |SMALL |CAPITAL )?` +
	`(?:(?:OPEN|SCRIPT|DOTLESS|BARRED|STRETCHED|INSULAR|BLACKLETTER|LONG|CLOSED|REVERSED|SIDEWAYS|TAILLESS|MIDDLE-WELSH) )*` +
	`([A-Z]{1,2})(?: ROTUNDA| BAR)?(?: WITH .*)?$`)

// cyrillic finds the base letter in the name of a Cyrillic letter with a hook, a
// descender, a stroke.
var cyrillic = regexp.MustCompile(`^(CYRILLIC (?:SMALL|CAPITAL) LETTER .+) WITH .*$`)

// cyrillicLetters maps the names of Cyrillic letters to them.
var cyrillicLetters = func() map[string]rune {
	letters := make(map[string]rune)
	for r := rune(0x400); r <= 0x52f; r++ {
		letters[runenames.Name(r)] = r
	}
	return letters
}()

// symbol finds the letter in the name of a symbol that has no decomposition:
// registries of some TLDs, .ml among them, have taken emoji.
var symbol = regexp.MustCompile(`^(?:(?:CROSSED )?NEGATIVE (?:SQUARED|CIRCLED) LATIN CAPITAL|REGIONAL INDICATOR SYMBOL) LETTER ([A-Z])$`)

type folder struct {
	prototypes map[rune]string   // code points with an ASCII prototype in UTS #39
	neighbours map[rune][]string // all that UTS #39 connects a code point with
}

func main() {
	source := flag.String("confusables", "/usr/lib/python3/dist-packages/confusable_homoglyphs/confusables.json",
		"`file` with the confusables of UTS #39, as JSON")
	out := flag.String("o", "unicode_table.go", "`file` to write")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("genfold: ")
	f, err := load(*source)
	if err != nil {
		log.Fatalf("%v (on Debian: apt-get install python3-confusable-homoglyphs)", err)
	}
	if err := os.WriteFile(*out, f.table(), 0o644); err != nil { //nolint:gosec // source code is for all to read
		log.Fatal(err)
	}
}

// load reads the JSON file: for each string, everything that it is confusable
// with in one step, in either direction.
func load(file string) (*folder, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var pairs map[string][]struct {
		Char string `json:"c"`
	}
	if err := json.Unmarshal(data, &pairs); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	f := &folder{prototypes: make(map[rune]string), neighbours: make(map[rune][]string)}
	for _, key := range slices.Sorted(maps.Keys(pairs)) { // the same table each time
		from := plain(key)
		for _, to := range pairs[key] {
			to.Char = plain(to.Char)
			if r, ok := single(from); ok {
				f.neighbours[r] = append(f.neighbours[r], to.Char)
			}
			r, ok := single(to.Char)
			if target, ascii := asciiOf(from); ok && ascii && r >= utf8.RuneSelf {
				f.prototypes[r] = target
			}
		}
	}
	return f, nil
}

// plain takes off the left-to-right marks that the file puts around letters
// which are written from right to left.
func plain(s string) string { return strings.Trim(s, "\u200e") }

func single(s string) (rune, bool) {
	r, size := utf8.DecodeRuneInString(s)
	return r, size == len(s)
}

// asciiOf returns s as letters, digits and hyphens, without marks and in lower
// case, and whether it can be written so.
func asciiOf(s string) (string, bool) {
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case ignorable(r):
		case r == '.' || r == '_' || r == '-':
			b.WriteByte('-')
		case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(unicode.ToLower(r))
		default:
			return "", false
		}
	}
	if b.String() == "rn" { // the prototype of m
		return "m", true
	}
	return b.String(), b.Len() > 0
}

// ignorable reports whether r adds no letter of its own.
func ignorable(r rune) bool {
	switch r {
	case 0x115f, 0x1160, 0x3164, 0xffa0: // Hangul fillers, which are letters by category
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// fold returns what r resembles, and whether it resembles anything.
func (f *folder) fold(r rune) (string, bool) {
	if ignorable(r) {
		return "", true
	}
	if s, ok := f.direct(r); ok {
		return s, true
	}
	if s, ok := f.each(norm.NFD.String(string(r)), f.direct); ok {
		return s, true
	}
	if s, ok := f.each(norm.NFKD.String(string(r)), f.direct); ok {
		return s, true
	}
	for _, next := range f.neighbours[r] {
		if s, ok := f.each(norm.NFD.String(next), f.direct); ok {
			return s, true
		}
	}
	if l := unicode.ToLower(r); l != r {
		return f.fold(l)
	}
	if unicode.Is(unicode.Cherokee, r) { // its small letters are its capitals, smaller
		return f.direct(unicode.ToUpper(r))
	}
	return "", false
}

// direct folds by one step.
func (f *folder) direct(r rune) (string, bool) {
	if s, ok := overrides[r]; ok {
		return s, true
	}
	if s, ok := asciiOf(string(r)); ok {
		return s, true
	}
	if s, ok := f.prototypes[r]; ok {
		return s, true
	}
	if m := cyrillic.FindStringSubmatch(runenames.Name(r)); m != nil {
		if base, ok := cyrillicLetters[m[1]]; ok {
			return f.fold(base)
		}
	}
	for _, names := range []*regexp.Regexp{latin, symbol} {
		if m := names.FindStringSubmatch(runenames.Name(r)); m != nil {
			return strings.ToLower(m[1]), true
		}
	}
	return "", false
}

// each folds every code point of s but the ignorable ones.
func (f *folder) each(s string, fold func(rune) (string, bool)) (string, bool) {
	var b strings.Builder
	for _, r := range s {
		if ignorable(r) {
			continue
		}
		to, ok := fold(r)
		if !ok {
			return "", false
		}
		b.WriteString(to)
	}
	return b.String(), b.Len() > 0
}

// table returns the source of the table. Ranges of ignorable code points come
// first, then one entry for each code point that folds to something.
func (f *folder) table() []byte {
	var b bytes.Buffer
	b.WriteString("// Code generated by internal/genfold; DO NOT EDIT.\n" +
		"// Derived from Unicode data; see LICENSE-UNICODE.\n\npackage detect\n\n" +
		"// foldsTo lists the code points that resemble ASCII letters, digits or hyphens.\n" +
		"var foldsTo = [...]foldEntry{\n")
	var drop [][2]rune
	count := 0
	for r := rune(utf8.RuneSelf); r <= unicode.MaxRune; r++ {
		to, ok := f.fold(r)
		switch {
		case !ok:
		case to == "":
			if n := len(drop); n > 0 && drop[n-1][1] == r-1 {
				drop[n-1][1] = r
			} else {
				drop = append(drop, [2]rune{r, r})
			}
		case len(to) <= 3:
			fmt.Fprintf(&b, "{0x%04x, %q},", r, to)
			if count++; count%6 == 0 {
				b.WriteByte('\n')
			}
		}
	}
	b.WriteString("\n}\n\n// foldsAway lists the code points that add no letter: marks and format characters.\n" +
		"var foldsAway = [...]runeRange{\n")
	for i, d := range drop {
		fmt.Fprintf(&b, "{0x%04x, 0x%04x},", d[0], d[1])
		if i%6 == 5 {
			b.WriteByte('\n')
		}
	}
	b.WriteString("\n}\n")
	src, err := format.Source(b.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	return src
}
