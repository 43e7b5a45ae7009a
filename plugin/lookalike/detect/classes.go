package detect

import (
	"fmt"
	"strings"
)

// Class is the way in which a queried name resembles a protected one. The zero value
// is no resemblance. The others are in the order in which Match tries them; the
// first that matches wins.
type Class uint8

// The classes, strongest evidence first.
const (
	None Class = iota
	TLDSwap
	TLDKept
	IDNHomoglyph
	Separator
	Homoglyph
	Typo
	Split
	Edit
	Combosquat
	Embedding
	DoubleTypo
)

// classes has a row for each class, with all its texts and floors.
var classes = [...]struct {
	name    string
	title   string // of a detection rule for the class
	meaning string // the difference, in words
	floor   floor
}{
	TLDSwap: {"tld-swap", "Protected name under another TLD",
		"the name under another TLD", floor{high: 1}},
	TLDKept: {"tld-kept", "Protected name with its TLD kept, under another TLD",
		"the name with its own TLD, and another behind it", floor{high: 1}},
	IDNHomoglyph: {"idn-homoglyph", "Internationalised name that looks like a protected one",
		"letters with marks or of other scripts, that look alike", floor{high: 3, medium: 2}},
	Separator: {"separator", "Protected name with labels joined",
		"dots or hyphens left out, or one for the other", floor{high: 4}},
	Homoglyph: {"homoglyph", "Name with characters that look like those of a protected one",
		"characters that look alike, such as 0 and o, rn and m", floor{high: 3, medium: 2}}, // see weakFloor
	Typo: {"typo", "Typing slip of a protected name",
		"a common slip: letters swapped, doubled, left out, or a key beside", floor{high: 5, medium: 3}}, // see typoFloor
	Split: {"split", "Protected name split into parts",
		"a dot or hyphen too many", floor{medium: 5, low: 4}},
	Edit: {"edit", "One character away from a protected name",
		"one letter more, less or other", floor{high: 6, medium: 5, low: 4}}, // see changeFloor
	Combosquat: {"combosquat", "Protected name with a word added",
		"the name with a word such as mail or www", floor{medium: 4}}, // combosquatGlued without a separator
	Embedding: {"embedding", "Protected name inside a longer one",
		"the name within a longer one", floor{low: embeddingLetters}}, // medium at any length where the TLD follows
	DoubleTypo: {"double-typo", "Two typing slips away from a protected name",
		"two slips", floor{low: doubleMin}}, // see foldedFloor
}

// String returns the class as it is written in Corefiles and alerts; None is
// the empty string.
func (c Class) String() string { return classes[c].name }

// Title returns the title of a detection rule for the class, for a SOC.
func (c Class) Title() string { return classes[c].title }

// Meaning returns in a few words how names of the class differ from the
// protected one.
func (c Class) Meaning() string { return classes[c].meaning }

// Classes returns every class but None, in the order in which they are tried.
func Classes() []Class {
	all := make([]Class, 0, len(classes)-1)
	for c := TLDSwap; int(c) < len(classes); c++ {
		all = append(all, c)
	}
	return all
}

// ParseClass is the inverse of String. It does not accept the empty string.
func ParseClass(s string) (Class, error) {
	for c := TLDSwap; int(c) < len(classes); c++ {
		if classes[c].name == s {
			return c, nil
		}
	}
	return None, fmt.Errorf("unknown class %q", s)
}

// MarshalText writes the class as String does.
func (c Class) MarshalText() ([]byte, error) {
	if int(c) >= len(classes) {
		return nil, fmt.Errorf("no class has the number %d", c)
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (c *Class) UnmarshalText(text []byte) (err error) {
	if *c = None; len(text) > 0 {
		*c, err = ParseClass(string(text))
	}
	return err
}

// floor holds the fewest letters for each confidence, 0 for never.
type floor struct{ high, medium, low int }

func (f floor) confidence(size int) Confidence {
	switch {
	case f.high > 0 && size >= f.high:
		return High
	case f.medium > 0 && size >= f.medium:
		return Medium
	case f.low > 0 && size >= f.low:
		return Low
	}
	return Unsure
}

// String lists the fewest letters for each confidence.
func (f floor) String() string {
	var all []string
	for _, c := range []struct {
		name string
		from int
	}{{"high", f.high}, {"medium", f.medium}, {"low", f.low}} {
		if c.from > 0 {
			all = append(all, fmt.Sprintf("%s from %d letters", c.name, c.from))
		}
	}
	return strings.Join(all, ", ")
}

// confidenceOf returns the confidence of a class for a protected name of size
// letters. Below the floor of the class it is Unsure.
func confidenceOf(c Class, size int) Confidence {
	return classes[c].floor.confidence(size)
}
