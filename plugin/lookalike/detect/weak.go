package detect

import (
	"slices"
	"strings"
)

// Weakness is a property of a protected name that makes honest names resemble it more
// often. A greater value is worse.
type Weakness uint8

// The weaknesses.
const (
	NotWeak   Weakness = iota
	Word               // a word of a dictionary
	Short              // at most shortLetters letters
	UsualHost          // a label that hosts of all kinds carry
	WholeTLD           // every name below a TLD
)

// shortLetters is how many letters of its own a short name has at most.
const shortLetters = 3

var weaknesses = [...]struct{ name, reason string }{
	NotWeak:   {"", ""},
	Word:      {"word", "a dictionary word: honest names contain it, or differ from it by one letter"},
	Short:     {"short", "at most 3 letters of its own: one slip makes another short name of it"},
	UsualHost: {"host", "a usual host label: hosts of all kinds carry it"},
	WholeTLD:  {"tld", "a whole TLD: every name below the lookalike TLD resembles one below it"},
}

// String returns a word for the weakness, and nothing for NotWeak.
func (w Weakness) String() string { return weaknesses[w].name }

// Reason explains why honest names resemble a name with this weakness.
func (w Weakness) Reason() string { return weaknesses[w].reason }

// Weak returns the greatest weakness of a name that is protected, or could be.
// The name is written as those of a Config.
func Weak(protected string) Weakness {
	var n name
	if !n.parse(protected) {
		return NotWeak
	}
	if n.labels == 1 {
		return WholeTLD
	}
	return weakCore(protected[:n.offset(n.labels-tailOf(&n))-1])
}

// weakCore returns the weakness of what stands before a public suffix. Leading
// labels of usual hosts are no evidence, so they do not make a name longer.
func weakCore(core string) Weakness {
	if core == "" {
		return WholeTLD
	}
	own := core
	for usualHost([]byte(first(own))) {
		_, rest, more := strings.Cut(own, ".")
		if !more {
			return UsualHost
		}
		own = rest
	}
	switch {
	case lettersOf(own) <= shortLetters:
		return Short
	case plainWord(own):
		return Word
	}
	return NotWeak
}

// first returns the first label of a name.
func first(name string) string {
	label, _, _ := strings.Cut(name, ".")
	return label
}

// lettersOf returns how many letters a name has, in Unicode where it has A-labels.
func lettersOf(core string) int {
	if !strings.Contains(core, "xn--") {
		return len(core) - strings.Count(core, ".") - strings.Count(core, "-")
	}
	var n name
	if !n.parse(core) {
		return len(core)
	}
	var r reading
	r.read(&n, 0, n.labels, new(storage))
	return r.size
}

// Weak returns the protected names of at least this weakness, the weakest first.
func (x *Index) Weak(least Weakness) (protected []string) {
	var by [len(weaknesses)][]string
	for id := range uint32(len(x.cores)) {
		if x.isRepeated(id) {
			continue
		}
		if w := weakCore(x.core(id)); w >= max(least, Word) {
			by[w] = append(by[w], x.protected(id))
		}
	}
	slices.Reverse(by[:])
	return slices.Concat(by[:]...)
}
