package smtpreject

import (
	"strings"
	"unicode/utf8"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
	"golang.org/x/net/idna"
)

// path is a mailbox in a MAIL or RCPT command (RFC 5321 section 4.1.2, RFC 6531
// section 3.3).
type path struct {
	local  string // as it was sent, with its quotes
	domain string // as it was sent; empty for the null sender and for "postmaster"
	ascii  string // domain, in lower case, with A-labels where that is possible
}

// String returns the mailbox without angle brackets, or "".
func (p path) String() string {
	if p.domain == "" {
		return p.local
	}
	return p.local + "@" + p.domain
}

// long reports whether the mailbox is too long for an alert.
func (p path) long() bool { return len(text.Visible(p.String())) > maxMailbox }

// parsePath reads "FROM:<path> [parameters]" or "TO:<path> [parameters]". Source
// routes are dropped (RFC 5321 appendix F.2), parameters are not looked at, and
// a space after the colon or missing angle brackets are forgiven, as clients
// with these faults are common. It returns false where there is no telling
// what the mailbox is.
func parsePath(arg, prefix string) (path, bool) {
	if len(arg) < len(prefix) || !strings.EqualFold(arg[:len(prefix)], prefix) {
		return path{}, false
	}
	arg = strings.TrimLeft(arg[len(prefix):], " ")
	mailbox, ok := bracketed(arg)
	if !ok || !utf8.ValidString(mailbox) || strings.ContainsFunc(mailbox, isControl) {
		return path{}, false
	}
	if strings.HasPrefix(mailbox, "@") {
		if _, mailbox, ok = strings.Cut(mailbox, ":"); !ok {
			return path{}, false
		}
	}
	return splitMailbox(mailbox)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }

// bracketed returns what stands between the angle brackets, or the first word
// where there are none. Brackets in a quoted string do not count.
func bracketed(s string) (string, bool) {
	if !strings.HasPrefix(s, "<") {
		word, _, _ := strings.Cut(s, " ")
		return word, word != "" && !strings.ContainsAny(word, "<>")
	}
	end := index(s[1:], '>')
	if end < 0 {
		return "", false
	}
	if rest := s[1+end+1:]; rest != "" && rest[0] != ' ' {
		return "", false
	}
	return s[1 : 1+end], true
}

// index returns where the first c outside a quoted string stands in s, or -1.
func index(s string, c byte) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == c && !quoted:
			return i
		}
	}
	return -1
}

// splitMailbox takes a mailbox apart at its at sign, of which there may be only
// one outside quotes.
func splitMailbox(mailbox string) (path, bool) {
	at := index(mailbox, '@')
	if at < 0 {
		return path{local: mailbox}, !strings.ContainsAny(mailbox, " <>")
	}
	p := path{local: mailbox[:at], domain: mailbox[at+1:]}
	if p.local == "" || p.domain == "" || len(p.domain) > 2*255 || strings.ContainsAny(p.domain, " <>@\\\"(),;:") && p.domain[0] != '[' {
		return path{}, false
	}
	p.ascii = toASCII(p.domain)
	return p, true
}

// toASCII maps a domain as a sender's program does before it asks DNS (UTS #46,
// nontransitional). One that has no such form stays as it is.
func toASCII(domain string) string {
	if a, err := mapping.ToASCII(domain); err == nil {
		return a
	}
	return strings.ToLower(domain)
}

var mapping = idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.Transitional(false), idna.BidiRule())
