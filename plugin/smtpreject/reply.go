package smtpreject

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// maxReply is how long a reply line may be, without CRLF: RFC 5321 section
// 4.5.3.1.5.
const maxReply = 510

const defaultReply = "<{recipient}>: not delivered: {domain} resembles {protected}; did you mean {suggestions}?"

// placeholders are what the text of a refusal may contain.
var placeholders = []string{"recipient", "domain", "protected", "suggestions"}

// template is the text of a refusal, in pieces: those with an odd index are
// placeholders.
type template []string

// parseTemplate reads a text with {placeholders}.
func parseTemplate(s string) (template, error) {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return nil, fmt.Errorf("reply %q: only printable ASCII can be sent to every mail server", s)
		}
	}
	var t template
	for {
		before, rest, found := strings.Cut(s, "{")
		t = append(t, before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("reply: no '}' after '{%s'", rest)
		}
		if !slices.Contains(placeholders, name) {
			return nil, fmt.Errorf("reply: unknown placeholder {%s}: want one of {%s}", name, strings.Join(placeholders, "}, {"))
		}
		t = append(t, name)
		s = after
	}
	if n := t.fixed(); n > maxReply/2 {
		return nil, fmt.Errorf("reply: %d octets of text are too many: at most %d leave room for the addresses", n, maxReply/2)
	}
	if len(t) == 1 && strings.TrimSpace(t[0]) == "" {
		return nil, errors.New("reply: the text is empty")
	}
	return t, nil
}

// fixed returns the length of the text without its placeholders.
func (t template) fixed() (n int) {
	for i := 0; i < len(t); i += 2 {
		n += len(t[i])
	}
	return n
}

// refusal returns the reply to a recipient whose domain resembles protected
// names. Its one line names them all or, where they do not fit, the best ones
// and the number of others.
func (t template) refusal(to path, v *detect.Verdict) string {
	const code = "550 5.1.2 "
	local := escape(to.local)
	for _, echo := range []int{maxReply, 64, 16} {
		for n := len(v.Matches); n > 0; n-- {
			if line := code + t.fill(to, local, v, echo, n); len(line) <= maxReply {
				return line
			}
		}
	}
	return text.Shorten(code+t.fill(to, text.Shorten(local, 64), v, 16, 1), maxReply)
}

// fill puts the best n matches into the text, and at most echo octets of what
// the client sent where it is only repeated.
func (t template) fill(to path, local string, v *detect.Verdict, echo, n int) string {
	var b strings.Builder
	for i, piece := range t {
		switch {
		case i%2 == 0:
			b.WriteString(piece)
		case piece == "recipient":
			b.WriteString(text.Shorten(local+"@"+escape(to.ascii), echo))
		case piece == "domain":
			b.WriteString(text.Shorten(escape(to.ascii), echo))
		case piece == "protected":
			b.WriteString(enumerate(v.Matches, n, "and", func(m detect.Match) string { return m.Protected }))
		case piece == "suggestions":
			b.WriteString(enumerate(v.Matches, n, "or", func(m detect.Match) string { return local + "@" + m.DidYouMean }))
		}
	}
	return b.String()
}

// enumerate writes the first n matches as "a, b or c", each text once, and how
// many others there are.
func enumerate(matches []detect.Match, n int, last string, of func(detect.Match) string) string {
	var items []string
	seen := make(map[string]bool, n)
	for _, m := range matches[:n] {
		if s := escape(of(m)); !seen[s] {
			seen[s] = true
			items = append(items, s)
		}
	}
	if more := len(matches) - n; more > 0 {
		items = append(items, strconv.Itoa(more)+" more")
	}
	return text.Join(items, last)
}

// stranger returns the reply to a recipient whose domain resembles nothing.
func stranger(to path) string {
	address := escape(to.local)
	if to.domain != "" {
		address += "@" + escape(to.ascii)
	}
	return "550 5.7.1 <" + text.Shorten(address, 320) + ">: not delivered: this server accepts no mail"
}

// escape writes what is not printable ASCII as \x{HEX}, as RFC 6533 section 3
// does where only ASCII can be shown.
func escape(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x{%02X}`, s[i])
		case r >= ' ' && r <= '~':
			b.WriteByte(s[i])
		default:
			fmt.Fprintf(&b, `\x{%02X}`, r)
		}
		i += size
	}
	return b.String()
}
