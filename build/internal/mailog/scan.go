package mailog

import (
	"bytes"
	"strings"
)

var (
	colonSpace = []byte(": ")
	commaSpace = []byte(", ")
)

// angle reads an address behind its "<", and returns the rest behind its ">".
// A quoted local part can contain everything (RFC 5321 section 4.1.2), and
// older servers log local parts without their quotes: then the ">" counts that
// one of the given separators follows, or nothing.
func angle(b []byte, separators string) (addr, rest []byte, ok bool) {
	from := 0
	if len(b) > 0 && b[0] == '"' {
		from = quoted(b)
	}
	for at := from; ; at++ {
		i := bytes.IndexByte(b[at:], '>')
		if i < 0 {
			return nil, b, false
		}
		at += i
		if after := b[at+1:]; len(after) == 0 || strings.IndexByte(separators, after[0]) >= 0 {
			return b[:at], after, true
		}
	}
}

// quoted returns the length of the quoted text with which b begins, 0 where its
// end is missing.
func quoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// between returns what stands between two texts.
func between(b []byte, open, end string) ([]byte, bool) {
	i := bytes.Index(b, []byte(open))
	if i < 0 {
		return nil, false
	}
	b = b[i+len(open):]
	i = bytes.Index(b, []byte(end))
	if i < 0 {
		return nil, false
	}
	return b[:i], true
}

// inID are the letters and digits that ids have: 1 for small letters, 2 for the
// others.
var inID = func() (in [256]uint8) {
	for c := range in {
		switch {
		case c >= 'a' && c <= 'z':
			in[c] = 1
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			in[c] = 2
		}
	}
	return in
}()

// id reads the id of a message before ": ". It has letters and digits, and is
// no word: one that begins with a small letter has a digit.
func id(b []byte, least, most int) (id, rest []byte, ok bool) {
	n := 0
	for n < len(b) && inID[b[n]] != 0 {
		n++
	}
	if n < least || n > most || n+1 >= len(b) || b[n] != ':' || b[n+1] != ' ' {
		return nil, b, false
	}
	if inID[b[0]] == 1 && !bytes.ContainsAny(b[:n], "0123456789") {
		return nil, b, false
	}
	return b[:n], b[n+2:], true
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// begins reports whether a text begins with one of several.
func begins(b []byte, prefixes []string) bool {
	for _, p := range prefixes {
		if hasPrefix(b, p) {
			return true
		}
	}
	return false
}

// hostOf returns the name of a server without its address, port and final dot:
// "mail.example.ml[198.51.100.30]:25" is mail.example.ml. A server without a
// name is its address.
func hostOf(relay []byte) []byte {
	if i := bytes.IndexByte(relay, '['); i > 0 {
		relay = relay[:i]
	} else if i == 0 {
		return address(relay)
	}
	return bytes.TrimSuffix(bytes.TrimRight(relay, " "), []byte("."))
}

// address returns what stands in the first brackets, and the text itself
// without any.
func address(host []byte) []byte {
	_, inner, ok := bytes.Cut(host, []byte("["))
	if !ok {
		return host
	}
	inner, _, _ = bytes.Cut(inner, []byte("]"))
	return inner
}

// loopback reports whether an address is of the host itself.
func loopback(addr []byte) bool {
	return bytes.HasPrefix(addr, []byte("127.")) || string(addr) == "::1" || string(addr) == "IPv6:::1"
}
