package names

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Lengths of RFC 1035 section 2.3.4. A name of 253 characters takes 255
// octets on the wire.
const (
	maxLabel = 63
	maxName  = 253
)

// Parse returns an entry of a list in canonical form: a name with a dot in it,
// or a whole TLD, which is written *.mil and returned as mil. A name without a
// dot is an error: it is more often half a name than a TLD, and would guard
// every name there is. The error says what is wrong and what to write instead;
// it does not repeat text.
func Parse(text string) (string, error) {
	if tld, ok := strings.CutPrefix(text, "*."); ok {
		return parseTLD(tld)
	}
	if err := checkShape(text); err != nil {
		return "", err
	}
	if r, ok := stray(text); ok {
		return "", fmt.Errorf("%s (%U) is not allowed in a name: remove it", strconv.QuoteRuneToGraphic(r), r)
	}
	name, err := Canonical(text)
	if err == nil && !strings.Contains(name, ".") {
		return "", errNoDot(name)
	}
	return name, err
}

// stray returns a character that programs for texts put into a name or beside it:
// quotes, dashes, an ellipsis, or a joiner of letters beside one of ASCII, which
// nobody sees. Taken for a letter, it would make another name, and leave the one
// that was meant unguarded.
func stray(text string) (rune, bool) {
	before := rune('a')
	for _, r := range text {
		joins := r == '\u200c' || r == '\u200d'
		if r >= utf8.RuneSelf && unicode.IsPunct(r) && !strings.ContainsRune(allowedPunctuation, r) || joins && before < utf8.RuneSelf {
			return r, true
		}
		before = r
	}
	return 0, false
}

// allowedPunctuation is that of names: what RFC 5892 section 2.6 and appendix A
// lay down, and the full stops of RFC 3490 section 3.1.
const allowedPunctuation = "\u00b7\u05f3\u05f4\u30fb\u3002\uff0e\uff61"

// parseTLD reads what stands behind "*.".
func parseTLD(text string) (string, error) {
	if err := checkShape(text); err != nil {
		return "", err
	}
	name, err := Canonical(text)
	if err == nil && strings.Contains(name, ".") {
		return "", errWildcard
	}
	return name, err
}

var errWildcard = errors.New("wildcard: write the name without *, the names below it are included anyway")

// errNoDot says what was probably meant by a label that stands alone. Labels of
// two or three letters are taken for the TLDs that they are; army and navy are
// TLDs, too, but nobody means those.
func errNoDot(label string) error {
	if len(label) <= 3 && isTLD(label) {
		return fmt.Errorf("no dot: write *.%s for every name under .%[1]s, or one name such as example.%[1]s", label)
	}
	return fmt.Errorf("no dot: write %s.mil, or *.mil for every name under .mil", label)
}

// Canonical returns text as a name in canonical form. It accepts upper case, one
// trailing dot, a single label, and U-labels, which become A-labels as UTS #46
// lays down. Its errors are as those of [Parse].
func Canonical(text string) (string, error) {
	if err := checkShape(text); err != nil {
		return "", err
	}
	s := strings.TrimSuffix(text, ".")
	if needsIDNA(s) {
		a, err := toASCII(s)
		if err != nil {
			return "", err
		}
		s = strings.TrimSuffix(a, ".")
	} else {
		s = strings.ToLower(s)
	}
	if err := checkLabels(s); err != nil {
		return "", err
	}
	return s, nil
}

// checkShape finds what people write by mistake in place of a name, and says
// what to write.
func checkShape(s string) error {
	switch {
	case s == "" || s == ".":
		return errors.New("not a name: write a domain name such as army.mil, or *.mil for every name under .mil")
	case !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError): // which caddy makes of it
		return errors.New("not UTF-8: save the file as UTF-8, or write the name with A-labels (xn--...)")
	case strings.Contains(s, "://"):
		return errors.New("a URL: write the domain name alone")
	case strings.Contains(s, "*"):
		return errWildcard
	case s == builtIn:
		return errors.New("the built-in list, which a list cannot include: write it after protect in the Corefile")
	case strings.Contains(s, "@"):
		return errors.New("a mail address: write only the part after the @")
	case strings.HasPrefix(s, "."):
		return errors.New("leading dot: write the name without it, the names below it are included anyway")
	case strings.ContainsFunc(s, unicode.IsSpace):
		return errors.New("more than one word: write one name per line, notes after a #")
	}
	return nil
}

// needsIDNA reports whether s has a U-label, or a label with an ACE prefix
// that may be broken.
func needsIDNA(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return true
		}
		if (i == 0 || s[i-1] == '.') && len(s)-i >= 4 && strings.EqualFold(s[i:i+4], "xn--") {
			return true
		}
	}
	return false
}

// lenient reads labels that browsers refuse (a leading mark, a mixture of
// writing directions, joiners out of place) but that can be registered
// somewhere, and hence queried.
var lenient = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.ValidateLabels(false),
	idna.CheckHyphens(false),
	idna.CheckJoiners(false),
)

func toASCII(s string) (string, error) {
	if a, err := idna.Lookup.ToASCII(s); err == nil {
		return a, nil
	}
	a, err := lenient.ToASCII(s)
	if err != nil {
		return "", fmt.Errorf("no IDNA rule can read it (%w): check its letters, or the label after xn--", err)
	}
	if r, ok := hidden(s); ok {
		return "", fmt.Errorf("no IDNA rule can read it (%U is invisible): remove that character", r)
	}
	return a, nil
}

// hidden returns a character of s that cannot be seen, other than those that
// IDNA maps to nothing or lets join letters.
func hidden(s string) (rune, bool) {
	for _, r := range s {
		switch r {
		case '\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff':
		default:
			if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
				return r, true
			}
		}
	}
	return 0, false
}

// checkLabels holds a lower-case ASCII name against the rules for host names
// (RFC 1123 section 2.1), with the underscore of service labels allowed.
func checkLabels(s string) error {
	if len(s) > maxName {
		return fmt.Errorf("%d characters: a name has at most %d", len(s), maxName)
	}
	label := s
	for rest, more := s, true; more; {
		label, rest, more = strings.Cut(rest, ".")
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	if strings.Trim(label, "0123456789") == "" {
		return errors.New("the last label is a number: write a domain name, not an address")
	}
	return nil
}

func checkLabel(label string) error {
	switch {
	case label == "":
		return errors.New("empty label: write single dots between the labels")
	case len(label) > maxLabel:
		return fmt.Errorf("label of %d characters: a label has at most %d", len(label), maxLabel)
	case label[0] == '-' || label[len(label)-1] == '-':
		return errors.New("a label begins or ends with a hyphen: remove it")
	}
	for i := range len(label) {
		c := label[i]
		if c-'a' < 26 || c-'0' < 10 || c == '-' || c == '_' {
			continue
		}
		return fmt.Errorf("character %s: a name has letters, digits, hyphens, underscores and dots", strconv.QuoteRuneToASCII(rune(c)))
	}
	return nil
}
