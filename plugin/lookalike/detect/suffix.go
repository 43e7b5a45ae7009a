package detect

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// secondLevel are the longer labels that registries use for the categories
// below their TLD. The public suffix list cannot be enumerated through its
// package, only asked, so New asks it for these and for every label of up to
// three letters.
var secondLevel = strings.Fields(`
	aero aeroport agro architectes arts assn asso assoc assur avocat avoues barreau barro belau bodo
	busin chambagri chirurgiens conf cong coop ebiz econo educ edunet experts ferrari fiesta firm forum
	game games gendarme geometre gouv govt greta group health hotel http huissier info inst intl iris
	isla jeunes k12 lawyer lodz maori medecin media militar mobi moda museum mutuelle name natural
	nieruchomosci nome notaires office other palace parliament parti perso pharmacien phone police port
	post press presse priv prof psych publ radio recht school shop social spons sport stat store system
	tourism trader trading travel trust turystyka univ veterinaire village virtual wiki work
`)

// commonSuffixes are the categories that are stripped below a TLD for which
// the public suffix list has a wildcard: there it knows no names.
var commonSuffixes = strings.Fields("ac co com edu go gob gov gouv info ne net nom or org")

// labelSet is a set of labels. Most labels that are not in it are of no length
// that occurs in it.
type labelSet struct {
	labels  map[string]struct{}
	lengths uint64 // bit n is set when a label of n octets is in the set
}

func (s *labelSet) add(label string) {
	if s.labels == nil {
		s.labels = make(map[string]struct{})
	}
	s.labels[label] = struct{}{}
	s.lengths |= 1 << len(label)
}

func (s *labelSet) has(label []byte) bool {
	if s.lengths>>len(label)&1 == 0 {
		return false
	}
	_, ok := s.labels[string(label)]
	return ok
}

// suffixesBelow returns the labels that form an ICANN public suffix together
// with tld: com, gouv, ... for ml.
func suffixesBelow(tld string) (found labelSet) {
	wildcard := isSuffix("no-such-category", tld)
	ask := func(label string) {
		if isSuffix(label, tld) {
			found.add(label)
		}
	}
	if wildcard {
		for _, label := range commonSuffixes {
			ask(label)
		}
		return found
	}
	const letters = "abcdefghijklmnopqrstuvwxyz"
	for _, a := range letters {
		ask(string(a))
		for _, b := range letters {
			ask(string([]rune{a, b}))
			for _, c := range letters {
				ask(string([]rune{a, b, c}))
			}
		}
	}
	for _, label := range secondLevel {
		ask(label)
	}
	return found
}

// isSuffix reports whether label.tld is an ICANN public suffix.
func isSuffix(label, tld string) bool {
	suffix, icann := publicsuffix.PublicSuffix("a." + label + "." + tld)
	return icann && len(suffix) == len(label)+1+len(tld)
}

// tailOf returns where the public suffix of a protected name begins: 5 for
// army.mil, 8 for example.co.uk. Suffixes of the private section do not count.
// A name of one label is all suffix. A suffix of several labels that is itself
// protected, such as gouv.fr, keeps what stands before its TLD.
func tailOf(protected string) int {
	suffix, icann := publicsuffix.PublicSuffix(protected)
	for !icann {
		_, parent, ok := strings.Cut(suffix, ".")
		if !ok {
			break
		}
		suffix, icann = publicsuffix.PublicSuffix(parent)
	}
	if len(suffix) == len(protected) {
		return strings.LastIndexByte(protected, '.') + 1
	}
	return len(protected) - len(suffix)
}
