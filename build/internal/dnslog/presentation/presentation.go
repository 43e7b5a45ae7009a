// Package presentation writes and checks names in the format that people and
// logs write them in (RFC 1035 section 5.1): labels with dots between them, other
// octets behind a backslash.
package presentation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

const (
	// MaxName is how many octets a name has at most, with the lengths of its
	// labels (RFC 1035 section 2.3.4).
	MaxName = 255
	// MaxLabel is how many octets a label has at most.
	MaxLabel = 63

	maxType = 16 // letters of a query type
)

// Valid reports whether b is a name in presentation format, with or without the
// final dot.
func Valid(b []byte) bool {
	if len(b) == 1 && b[0] == '.' {
		return true
	}
	size, label := 1, 0 // the root, and the octets of the label so far
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			size, label = size+1+label, 0
			continue
		case c <= ' ' || c == 0x7f:
			return false
		case c == '\\':
			n := escape(b[i+1:])
			if n == 0 {
				return false
			}
			i += n
		}
		if label++; label > MaxLabel {
			return false
		}
	}
	if label > 0 {
		size += 1 + label
	}
	return size > 1 && size <= MaxName
}

// escape returns the length of the escape that follows a backslash: three
// digits or one other character. It is 0 for one that is broken.
func escape(b []byte) int {
	switch {
	case len(b) == 0:
		return 0
	case !digit(b[0]):
		return 1
	case len(b) < 3 || !digit(b[1]) || !digit(b[2]):
		return 0
	case int(b[0]-'0')*100+int(b[1]-'0')*10+int(b[2]-'0') > 255:
		return 0
	}
	return 3
}

// End returns where the name at the start of b ends: at the first end that no
// backslash stands before. It returns -1 where there is none. An empty end is
// that of b.
func End(b []byte, end string) int {
	if end == "" {
		return len(b)
	}
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' {
			i++
		} else if b[i] == end[0] && string(b[i:min(len(b), i+len(end))]) == end {
			return i
		}
	}
	return -1
}

// Plain reports whether no octet of b needs an escape. Dots are what separates
// labels.
func Plain(b []byte) bool { return !slices.ContainsFunc(b, special) }

// Append appends a name whose octets stand as they are, with dots between labels
// only.
func Append(to, name []byte) []byte {
	for _, c := range name {
		to = appendOctet(to, c)
	}
	return to
}

// AppendLabel appends a label, whose dots are its own, and the dot that ends it.
func AppendLabel(to, label []byte) []byte {
	for _, c := range label {
		if c == '.' {
			to = append(to, '\\')
		}
		to = appendOctet(to, c)
	}
	return append(to, '.')
}

func appendOctet(b []byte, c byte) []byte {
	switch {
	case c <= ' ' || c > '~':
		return append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	case special(c):
		return append(b, '\\', c)
	}
	return append(b, c)
}

// special reports whether an octet needs an escape.
func special(c byte) bool {
	return c <= ' ' || c > '~' || strings.IndexByte(`"'();@\`, c) >= 0
}

// Type returns the mnemonic of a query type that a log names by its mnemonic or
// its number, as 65, TYPE65 (RFC 3597) or type=65. It is empty for what is
// neither.
func Type(s string) string {
	if len(s) > maxType {
		return ""
	}
	s = strings.ToUpper(s)
	number := strings.TrimPrefix(strings.TrimPrefix(s, "TYPE"), "=")
	if n, err := strconv.ParseUint(number, 10, 16); err == nil {
		return dns.Type(n).String()
	}
	for _, c := range s {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return ""
		}
	}
	return s
}

func digit(c byte) bool { return c-'0' < 10 }
