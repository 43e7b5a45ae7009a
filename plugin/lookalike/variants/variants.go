// Package variants lists the lookalikes of protected names. It generates them from
// the detector's own rules and keeps those that the detector finds.
package variants

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Options select the lookalikes to list.
type Options struct {
	TLDs    []string       // the lookalike TLDs, lower-case A-labels; detect.AnyTLD is none
	Classes []detect.Class // nil for all of detect.Listable
	NoWords bool           // leaves out names of class tld-kept with a keyword
}

// List lists the lookalikes of protected names. It is safe for concurrent use.
type List struct {
	index   *detect.Index
	options Options
	tlds    []string // with, for tld-swap, their public suffixes: com.ml
	names   []string // the protected names, without duplicates
}

// New returns the list for protected, which x must protect. The names are written as
// in a detect.Config.
func New(x *detect.Index, protected []string, o Options) *List {
	if o.Classes == nil {
		o.Classes = detect.Listable()
	}
	l := &List{index: x, options: o, tlds: slices.Clone(o.TLDs)}
	for _, tld := range o.TLDs {
		l.tlds = append(l.tlds, detect.SuffixesUnder(tld)...)
	}
	seen := make(map[string]struct{}, len(protected))
	for _, p := range protected {
		if _, again := seen[p]; !again {
			seen[p] = struct{}{}
			l.names = append(l.names, p)
		}
	}
	return l
}

// Names returns the number of protected names, without duplicates.
func (l *List) Names() int { return len(l.names) }

// Variant is a lookalike of a protected name. Its names are lower-case A-labels
// without a trailing dot, except Unicode.
type Variant struct {
	Name        string
	Unicode     string // Name in Unicode, empty if that equals Name
	Protected   string // the protected name that it resembles most
	Registrable string // the registrable name that contains it
	Class       detect.Class
	Confidence  detect.Confidence
}

// All yields each lookalike once, in the order of the protected names and then of the
// classes. It leaves out names below another lookalike of the list, because the same
// registrant holds both. It keeps the candidates of one protected name and class in
// memory. It may be called again, also concurrently, and yields the same.
func (l *List) All() iter.Seq[Variant] {
	return func(yield func(Variant) bool) {
		seen := make(map[string]struct{})
		for _, p := range l.names {
			for _, class := range l.options.Classes {
				clear(seen)
				if !l.ofClass(p, class, seen, yield) {
					return
				}
			}
		}
	}
}

// ofClass yields the lookalikes of one protected name and class.
func (l *List) ofClass(p string, class detect.Class, seen map[string]struct{}, yield func(Variant) bool) bool {
	for candidate := range l.candidates(p, class) {
		if _, again := seen[candidate]; again {
			continue
		}
		seen[candidate] = struct{}{}
		labels, ok := registrable(candidate)
		if !ok {
			continue
		}
		for _, tld := range l.tlds {
			if class != detect.TLDSwap && strings.Contains(tld, ".") {
				continue
			}
			if v, ok := l.variant(labels+"."+tld, candidate, p, class); ok && !yield(v) {
				return false
			}
		}
	}
	return true
}

// candidates yields the labels before the TLD that class may find for p.
func (l *List) candidates(p string, class detect.Class) iter.Seq[string] {
	return detect.Candidates(class, p, !l.options.NoWords)
}

// variant describes name, which begins with a candidate for p. It reports false if
// name is of another class, is listed for a protected name that it resembles more, or
// lies below a listed name.
func (l *List) variant(name, candidate, p string, class detect.Class) (v Variant, ok bool) {
	if len(name) > maxName {
		return v, false
	}
	b, ok := l.index.Brief(name)
	if !ok || b.Class != class || l.below(name, b.Registrable) {
		return v, false
	}
	for _, better := range b.Protected {
		if better == p {
			break
		}
		if l.makes(better, class, candidate) {
			return v, false
		}
	}
	v = Variant{Name: name, Protected: p, Registrable: b.Registrable, Class: class, Confidence: b.Confidence}
	if strings.Contains(name, "xn--") {
		v.Unicode, _ = idna.Punycode.ToUnicode(name) // name was encoded from it
	}
	return v, true
}

// makes reports whether p is listed and has the same candidate.
func (l *List) makes(p string, class detect.Class, candidate string) bool {
	if !slices.Contains(l.names, p) {
		return false
	}
	for s := range l.candidates(p, class) {
		if s == candidate {
			return true
		}
	}
	return false
}

// below reports whether a parent of name, up to registrable, is listed.
func (l *List) below(name, registrable string) bool {
	for name != registrable {
		_, name, _ = strings.Cut(name, ".")
		if b, ok := l.index.Brief(name); ok && slices.Contains(l.options.Classes, b.Class) {
			return true
		}
	}
	return false
}

// maxName is the longest name in characters (RFC 1035 section 2.3.4).
const maxName = 253

// registrable returns the labels before a TLD as A-labels, and false if no registry
// accepts them: letters outside IDNA 2008, a hyphen at either end, hyphens in the
// third and fourth place, or labels that are empty or too long.
func registrable(labels string) (string, bool) {
	if strings.IndexFunc(labels, func(r rune) bool { return r >= 0x80 }) >= 0 {
		a, err := idna.Registration.ToASCII(labels)
		if err != nil {
			return "", false
		}
		labels = a
	}
	for label := range strings.SplitSeq(labels, ".") {
		n := len(label)
		if n == 0 || n > 63 || label[0] == '-' || label[n-1] == '-' {
			return "", false
		}
		if n > 3 && label[2:4] == "--" && label[:2] != "xn" {
			return "", false
		}
	}
	return labels, true
}

// Counts are numbers of lookalikes by class.
type Counts map[detect.Class]int

// Count counts the lookalikes that All yields, and takes as long as All.
func (l *List) Count() Counts {
	n := make(Counts)
	for v := range l.All() {
		n[v.Class]++
	}
	return n
}

// Sum returns the number of all lookalikes.
func (c Counts) Sum() (sum int) {
	for _, n := range c {
		sum += n
	}
	return sum
}

// Classes returns the classes that have lookalikes, in the order of detect.Classes.
func (c Counts) Classes() []detect.Class {
	var classes []detect.Class
	for class, n := range c {
		if n > 0 {
			classes = append(classes, class)
		}
	}
	slices.SortFunc(classes, func(a, b detect.Class) int { return cmp.Compare(a, b) })
	return classes
}
