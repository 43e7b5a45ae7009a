package detect

import "unicode/utf8"

// Limits of RFC 1035 section 3.1: 63 octets a label, 255 octets a name with
// its length octets and the root label.
const (
	maxLabel  = 63
	maxLabels = 127
	maxOctets = 254 // label octets and length octets, without the root's
)

// name is a domain name taken apart: its labels as bytes, lower-cased, without
// escapes.
type name struct {
	bytes  [maxOctets]byte
	ends   [maxLabels]uint8 // ends[i] is where label i ends in bytes
	labels int
	octets byte // bitwise or of all octets: 128 or more if one is not ASCII

	// runes holds the code points of decoded labels, each label at its place in bytes.
	// decoded holds how many a label has: 0 if it has not been decoded. The bit
	// isForeign marks an A-label or raw UTF-8.
	runes   [maxOctets]rune
	decoded [maxLabels]uint8

	// written is the presentation form, from the first call of text on. All texts
	// are parts of it.
	written string
}

// parse reads the presentation form s (RFC 1035 section 5.1), with or without a
// trailing dot. Escapes are \DDD and \X; bytes of 128 and more need none. parse
// reports whether s can occur in the DNS and is not the root.
func (n *name) parse(s string) bool {
	n.labels, n.written, n.octets = 0, "", 0
	at, start, octets := 0, 0, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			if !n.endLabel(start, at) {
				return false
			}
			start = at
			continue
		}
		if c == '\\' {
			var used int
			if c, used = unescape(s[i+1:]); used == 0 {
				return false
			}
			i += used
		}
		if at == maxOctets {
			return false
		}
		octets |= c
		n.bytes[at] = lowered[c]
		at++
	}
	if at > start && !n.endLabel(start, at) {
		return false
	}
	n.octets = octets
	return n.labels > 0
}

// endLabel ends the label bytes[start:end]. It reports whether the label and the
// name so far are within the limits.
func (n *name) endLabel(start, end int) bool {
	if end == start || end-start > maxLabel || end+n.labels+1 > maxOctets {
		return false
	}
	n.ends[n.labels], n.decoded[n.labels] = uint8(end), 0
	n.labels++
	return true
}

const isForeign = 128

// decode returns the code points of label i, as decodeLabel does. They stay valid until
// the next parse.
func (n *name) decode(i int) (runes []rune, foreign bool) {
	start := n.start(i)
	if n.decoded[i] == 0 {
		runes, foreign = decodeLabel(n.runes[start:start:n.ends[i]], n.label(i))
		n.decoded[i] = uint8(len(runes))
		if foreign {
			n.decoded[i] |= isForeign
		}
	}
	return n.runes[start : start+int(n.decoded[i]&^isForeign)], n.decoded[i]&isForeign != 0
}

// unescape reads the rest of an escape, after its backslash. It returns the byte
// and the number of characters that it used: 0 for a broken escape.
func unescape(s string) (c byte, used int) {
	if s == "" {
		return 0, 0
	}
	if !isDigit(s[0]) {
		return s[0], 1
	}
	if len(s) < 3 || !isDigit(s[1]) || !isDigit(s[2]) {
		return 0, 0
	}
	v := int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
	if v > 255 {
		return 0, 0
	}
	return byte(v), 3
}

// start returns where label i begins in bytes.
func (n *name) start(i int) int {
	if i == 0 {
		return 0
	}
	return int(n.ends[i-1])
}

// label returns the bytes of label i, counted from the left.
func (n *name) label(i int) []byte { return n.bytes[n.start(i):n.ends[i]] }

// appendLabels appends the presentation form of the labels lo to hi-1.
func (n *name) appendLabels(dst []byte, lo, hi int) []byte {
	for i := lo; i < hi; i++ {
		if i > lo {
			dst = append(dst, '.')
		}
		label := n.label(i)
		if isWrittenPlainly(label) {
			dst = append(dst, label...)
			continue
		}
		for _, c := range label {
			dst = appendByte(dst, c)
		}
	}
	return dst
}

// text returns the presentation form of the labels lo to hi-1.
func (n *name) text(lo, hi int) string {
	if lo == hi {
		return ""
	}
	if n.written == "" {
		n.written = string(n.appendLabels(make([]byte, 0, n.offset(n.labels)), 0, n.labels))
	}
	return n.written[n.offset(lo) : n.offset(hi)-1]
}

// offset returns where label i begins in the presentation form.
func (n *name) offset(i int) int {
	if len(n.written) == n.start(n.labels)+n.labels-1 { // no octet is escaped
		return n.start(i) + i
	}
	at := i // dots
	for _, c := range n.bytes[:n.start(i)] {
		at += int(writtenOctets[c])
	}
	return at
}

// isWrittenPlainly reports whether a label needs no escape.
func isWrittenPlainly(label []byte) bool {
	for _, c := range label {
		if writtenOctets[c] > 1 {
			return false
		}
	}
	return true
}

// writtenOctets holds how many octets appendByte appends for each octet.
var writtenOctets = func() (table [256]uint8) {
	for c := range table {
		table[c] = uint8(len(appendByte(nil, byte(c))))
	}
	return table
}()

// isPlain reports whether label i is neither an A-label nor raw UTF-8.
func (n *name) isPlain(i int) bool {
	label := n.label(i)
	return !hasACEPrefix(label) && (n.octets < utf8.RuneSelf || isASCII(label))
}

func (n *name) allPlain() bool {
	for i := range n.labels {
		if !n.isPlain(i) {
			return false
		}
	}
	return true
}

// appendByte appends one byte of a label in presentation form. It escapes the bytes
// that github.com/miekg/dns escapes.
func appendByte(dst []byte, c byte) []byte {
	switch c {
	case '.', ' ', '\'', '@', ';', '(', ')', '"', '\\':
		return append(dst, '\\', c)
	}
	if c < ' ' || c > '~' {
		return append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	}
	return append(dst, c)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// lowered tabulates lower.
var lowered = func() (table [256]byte) {
	for c := range table {
		table[c] = lower(byte(c))
	}
	return table
}()

// lower folds the case of ASCII letters only, as the DNS does (RFC 4343).
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
