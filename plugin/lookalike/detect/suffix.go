package detect

import (
	"math/bits"
	"strings"
	"sync"
)

//go:generate go run -C internal/gensuffix . -o ../../suffix_table.go

// labelSet is a set of labels. It knows their lengths, which rule out most labels
// that are not in it.
type labelSet struct {
	labels  map[string]struct{}
	lengths uint64 // bit n is set when a label of n octets is in the set
}

func (s *labelSet) add(label string) {
	if s.labels == nil {
		s.labels = make(map[string]struct{})
	}
	s.labels[label] = struct{}{}
	s.lengths |= 1 << (len(label) & 63)
}

func (s *labelSet) has(label []byte) bool {
	if s.lengths>>(len(label)&63)&1 == 0 {
		return false
	}
	_, ok := s.labels[string(label)]
	return ok
}

// ruleFlags says what the Public Suffix List makes of a run of rightmost labels.
type ruleFlags uint64

const (
	suffixRule      ruleFlags = 1 << iota // a suffix
	suffixWildcard                        // with any label before it, a suffix
	suffixException                       // no suffix, in spite of a wildcard
	suffixPrivate                         // of the private section
	suffixWithin                          // a part of a longer one
	suffixFlags     = 1<<iota - 1
)

// suffixes is a hash table of the rules of suffixTable. In each slot, the flags
// replace the low bits of the hash; 0 is free.
type suffixes struct{ slots []uint64 }

// publicSuffixes returns the rules. The first call reads them in.
var publicSuffixes = sync.OnceValue(func() *suffixes {
	const room = 1 << 14 // slots, less than two thirds full
	s := &suffixes{slots: make([]uint64, room)}
	for line := range strings.Lines(suffixTable) {
		tld, rules, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		for rule := range strings.FieldsSeq(rules) {
			s.add(tld, rule)
		}
	}
	return s
})

// add adds a rule of suffixTable.
func (s *suffixes) add(tld, rule string) {
	flags := suffixRule
	if rest, ok := strings.CutPrefix(rule, "*"); ok {
		rule, flags = rest, suffixWildcard
	} else if rest, ok := strings.CutPrefix(rule, "!"); ok {
		rule, flags = rest, suffixException
	}
	if rest, ok := strings.CutPrefix(rule, "~"); ok {
		rule, flags = rest, flags|suffixPrivate
	}
	h := hashLabel(0, tld)
	for rule != "" {
		s.mark(h, suffixWithin)
		dot := strings.LastIndexByte(rule, '.')
		h = hashLabel(h, rule[dot+1:])
		rule = rule[:max(dot, 0)]
	}
	s.mark(h, flags)
}

// hashLabel adds a label to the hash of the labels to its right.
func hashLabel[T string | []byte](h uint64, label T) uint64 {
	const odd = 0x9e3779b97f4a7c15
	h = bits.RotateLeft64(h^uint64(len(label)), 23)
	word := uint64(0)
	for i := range len(label) {
		word = word<<8 | uint64(label[i])
		if i&7 == 7 {
			h = bits.RotateLeft64((h^word)*odd, 29)
			word = 0
		}
	}
	return bits.RotateLeft64((h^word)*odd, 29) * odd
}

func (s *suffixes) mark(h uint64, flags ruleFlags) {
	at := s.place(h)
	s.slots[at] = h&^suffixFlags | s.slots[at]&suffixFlags | uint64(flags)
}

// place returns the slot of a hash, or the free one that it would get.
func (s *suffixes) place(h uint64) int {
	at := int(h >> 40 % uint64(len(s.slots)))
	for s.slots[at] != 0 && (s.slots[at]^h)&^suffixFlags != 0 {
		if at++; at == len(s.slots) {
			at = 0
		}
	}
	return at
}

func (s *suffixes) flags(h uint64) ruleFlags {
	return ruleFlags(s.slots[s.place(h)]) & suffixFlags
}

// within returns the lengths of the labels before a TLD in public suffixes: bit n
// for n octets. All bits are set where any label may stand there.
func within(tld string) (lengths uint64) {
	for line := range strings.Lines(suffixTable) {
		label, rules, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if label != tld && tld != AnyTLD {
			continue
		}
		for rule := range strings.FieldsSeq(rules) {
			last := strings.TrimLeft(rule[strings.LastIndexByte(rule, '.')+1:], "*!~")
			if last == "" {
				return ^uint64(0)
			}
			lengths |= 1 << len(last)
		}
	}
	return lengths
}

// SuffixesUnder returns the public suffixes below a TLD that the Public Suffix List
// names in the registries' section: com.ml for ml.
func SuffixesUnder(tld string) (all []string) {
	for line := range strings.Lines(suffixTable) {
		label, rules, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if label != tld {
			continue
		}
		for rule := range strings.FieldsSeq(rules) {
			if !strings.ContainsAny(rule, "*!~") {
				all = append(all, rule+"."+tld)
			}
		}
	}
	return all
}

// common reports whether a label is a usual category of registries. Below a TLD for
// which the list has a wildcard, only these count as suffixes.
func common(label []byte) bool {
	switch string(label) {
	case "ac", "co", "com", "edu", "go", "gob", "gov", "gouv", "info", "ne", "net", "nom", "or", "org":
		return true
	}
	return false
}

// of returns how many rightmost labels of n are its public suffix: one at least,
// the TLD. A name that is itself a suffix of the private section is somebody's
// name, so only the registries' section counts for it.
func (s *suffixes) of(n *name) int {
	labels, public := 1, 1 // in the suffix, and in that of the registries' own section
	h := hashLabel(0, n.label(n.labels-1))
	flags := s.flags(h)
	for at := 2; at <= n.labels && flags&(suffixWithin|suffixWildcard) != 0; at++ {
		label := n.label(n.labels - at)
		h = hashLabel(h, label)
		wild := flags & (suffixWildcard | suffixPrivate)
		flags = s.flags(h)
		switch {
		case flags&suffixException != 0:
			labels = at - 1
			if flags&suffixPrivate == 0 {
				public = labels
			}
			flags = 0
		case flags&suffixRule != 0 || wild&suffixWildcard != 0 && (at > 2 || common(label)):
			labels = at
			if flags&suffixRule != 0 && flags&suffixPrivate == 0 || flags&suffixRule == 0 && wild&suffixPrivate == 0 {
				public = at
			}
		}
	}
	if labels == n.labels {
		labels = public
	}
	return labels
}

// tailOf returns how many labels the public suffix of a protected name has: 1 for
// army.mil, 2 for example.co.uk. A name of one label is all suffix. For a suffix of
// several labels that is itself protected, such as gouv.fr, only the TLD counts.
func tailOf(n *name) (labels int) {
	labels = publicSuffixes().of(n)
	if labels == n.labels {
		return 1
	}
	return labels
}
