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

// id reads the id of a message before ": ". It has letters and digits, and is
// no word: one that begins with a small letter has a digit.
func id(b []byte, least, most int) (id, rest []byte, ok bool) {
	word := true
	for i, c := range b {
		switch {
		case c-'0' <= 9, c >= 'A' && c <= 'Z' && i == 0:
			word = false
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		case c == ':' && i >= least && !word && i+1 < len(b) && b[i+1] == ' ':
			return b[:i], b[i+2:], true
		default:
			return nil, b, false
		}
		if i >= most {
			return nil, b, false
		}
	}
	return nil, b, false
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}
