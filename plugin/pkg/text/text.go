// Package text makes text from outside safe to show in a log, on a terminal, or
// in an alert.
package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Unsafe reports characters that end lines, move cursors, or hide or reorder
// text on a screen: the categories Cc, Cf, Zl and Zp.
func Unsafe(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// Escape writes bytes that are not UTF-8, and those of characters that are bad,
// as the DNS writes octets in names: \DDD (RFC 1035 section 5.1). A backslash
// in s is not doubled unless it is bad.
func Escape(s string, bad func(rune) bool) string {
	var b []byte
	kept := 0
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		if c == utf8.RuneError && n == 1 || bad(c) {
			b = append(b, s[kept:i]...)
			for _, octet := range []byte(s[i : i+n]) {
				b = append(b, '\\', '0'+octet/100, '0'+octet/10%10, '0'+octet%10)
			}
			kept = i + n
		}
		i += n
	}
	if kept == 0 {
		return s
	}
	return string(append(b, s[kept:]...))
}

// Visible escapes what is Unsafe.
func Visible(s string) string { return Escape(s, Unsafe) }

// Strip removes what is Unsafe. Bytes that are not UTF-8 become U+FFFD.
func Strip(s string) string {
	return strings.Map(func(c rune) rune {
		if Unsafe(c) {
			return -1
		}
		return c
	}, s)
}

// EscapeJSON writes characters that are bad as \uXXXX in a JSON text, whose
// meaning stays the same. JSON itself escapes no control character above
// U+001F. Bad must not hold for the characters that JSON is made of; bytes
// that are not UTF-8 become U+FFFD.
func EscapeJSON(body []byte, bad func(rune) bool) []byte {
	const hex = "0123456789abcdef"
	var b []byte
	kept := 0
	for i := 0; i < len(body); {
		c, n := utf8.DecodeRune(body[i:])
		if c >= utf8.RuneSelf-1 && (c == utf8.RuneError && n == 1 || bad(c)) {
			b = append(b, body[kept:i]...)
			units := []rune{c}
			if c >= 0x10000 {
				units = []rune{0xd800 + (c-0x10000)>>10, 0xdc00 + (c-0x10000)&0x3ff}
			}
			for _, u := range units {
				b = append(b, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
			}
			kept = i + n
		}
		i += n
	}
	if kept == 0 {
		return body
	}
	return append(b, body[kept:]...)
}

// maxClean is how many bytes of a text from outside a log line repeats.
const maxClean = 512

// Clean makes a text from outside fit for a log line: visible, and at most 512
// bytes long.
func Clean(s string) string {
	if len(s) > maxClean {
		s = s[:maxClean+1] // enough to see that it is too long
	}
	return Shorten(Visible(s), maxClean)
}

// Shorten cuts s to at most n bytes, at the end of a character, and ends it in
// "..." where it did. Below 3, n leaves no room for the dots.
func Shorten(s string, n int) string {
	const mark = "..."
	if len(s) <= n {
		return s
	}
	end := max(n-len(mark), 0)
	for back := end; back > 0 && back > end-utf8.UTFMax; back-- {
		if utf8.RuneStart(s[back]) {
			end = back
			break
		}
	}
	return s[:end] + mark[:min(len(mark), max(n, 0))]
}

// Join writes items as "a, b and c", where last is "and".
func Join(items []string, last string) string {
	n := len(items) - 1
	if n < 1 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:n], ", ") + " " + last + " " + items[n]
}

// ASCII reports whether s has no octet above 127.
func ASCII(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return c >= utf8.RuneSelf })
}

// Unescape reads what follows a backslash in the presentation form of a name,
// X or DDD (RFC 1035 section 5.1). It returns the octet that this stands for
// and how many characters it takes, 0 where it is broken.
func Unescape(s string) (octet byte, used int) {
	switch {
	case s == "":
		return 0, 0
	case !digit(s[0]):
		return s[0], 1
	case len(s) < 3 || !digit(s[1]) || !digit(s[2]):
		return 0, 0
	}
	v := int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
	if v > 255 {
		return 0, 0
	}
	return byte(v), 3 //nolint:gosec // below 256
}

func digit(c byte) bool { return c-'0' < 10 }
