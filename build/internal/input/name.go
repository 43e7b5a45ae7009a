// Package input reads names from people and lists: one per line, in any form that
// mail programs understand.
package input

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// maxShown is how many bytes of an offending text a message repeats.
const maxShown = 64

// idnaDots are the full stops that programs which know IDNA take for dots
// (RFC 3490 section 3.1).
var idnaDots = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

// Name returns the given text as a name in presentation form. Its error gives the
// cure. Like mail programs, Name maps text beyond ASCII by IDNA.
// Labels may have any octet, as in the DNS, but a TLD has only letters, digits
// and hyphens. If it could contain separators or quotes, a lookalike would pass
// for a name under another TLD.
func Name(given string) (string, error) {
	switch {
	case given == "":
		return "", errors.New("not a domain name: the text is empty")
	case strings.Contains(given, "\x00"):
		return "", errors.New("a NUL byte: separate names by line feeds, and save UTF-16 as UTF-8")
	case strings.Contains(given, "://"):
		return "", errors.New("a URL: give the domain name alone")
	case strings.ContainsFunc(given, unicode.IsSpace):
		return "", errors.New("more than one word: give one name")
	}
	name := domain(given)
	if !text.ASCII(name) {
		name = mapped(name)
	}
	if name == "" {
		return "", errors.New("a mail address without a domain: nothing follows the @")
	}
	if _, ok := dns.IsDomainName(name); !ok {
		return "", errors.New("not a domain name: write labels of 1 to 63 octets, separated by single dots, 255 octets in all")
	}
	if tld := lastLabel(name); strings.ContainsFunc(tld, notInTLD) {
		return "", fmt.Errorf("the last label is %q, but a TLD has only letters, digits and hyphens: give one name a line, nothing else", text.Shorten(tld, maxShown))
	}
	if bare(name, ",;") {
		return "", errors.New(`more than one name, or a comma or semicolon: give one name a line, and write \044 and \059 within labels`)
	}
	return name, nil
}

// domain returns the domain of a mail address, and any other text as it is.
func domain(given string) string {
	for i := len(given) - 1; i >= 0; i-- {
		if given[i] == '@' && (i == 0 || given[i-1] != '\\') {
			return given[i+1:]
		}
	}
	return given
}

// bare reports whether one of the characters stands in text without a
// backslash before it.
func bare(text, characters string) bool {
	for i := range len(text) {
		if strings.IndexByte(characters, text[i]) >= 0 && (i == 0 || text[i-1] != '\\') {
			return true
		}
	}
	return false
}

// mapped returns a name with its U-labels as A-labels. Where no IDNA rule can
// read it all, it does so for the last label alone, if it can.
func mapped(name string) string {
	if a, err := names.Canonical(name); err == nil {
		return a
	}
	name = idnaDots.Replace(name)
	tld := lastLabel(name)
	if a, err := names.Canonical(tld); err == nil {
		name = strings.TrimSuffix(strings.TrimSuffix(name, "."), tld) + a
	}
	return name
}

// lastLabel returns the last label of a name in presentation form.
func lastLabel(name string) string {
	at, _ := dns.PrevLabel(name, 1)
	return strings.TrimSuffix(name[at:], ".")
}

func notInTLD(r rune) bool {
	return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
