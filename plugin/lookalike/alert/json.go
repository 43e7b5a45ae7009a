package alert

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// tree is the nesting of a JSON object, with fields for leaves.
type tree struct {
	name     string
	children []*tree
	leaf     *field
}

// newTree nests the fields that have a path; the dots of a path are levels.
func newTree(path func(*field) string) *tree {
	root := new(tree)
	for i := range fields {
		p := path(&fields[i])
		if p == "" {
			continue
		}
		at := root
		for name := range strings.SplitSeq(p, ".") {
			at = at.child(name)
		}
		at.leaf = &fields[i]
	}
	return root
}

func (t *tree) child(name string) *tree {
	for _, c := range t.children {
		if c.name == name {
			return c
		}
	}
	c := &tree{name: name}
	t.children = append(t.children, c)
	return c
}

// appendJSON appends r as an object; empty fields and objects are left out.
func (t *tree) appendJSON(b []byte, r *Record) []byte {
	b = append(b, '{')
	start := len(b)
	for _, c := range t.children {
		mark := len(b)
		if mark > start {
			b = append(b, ',')
		}
		b = appendString(b, c.name)
		b = append(b, ':')
		value := len(b)
		if c.leaf != nil {
			b = appendValue(b, c.leaf.value(r))
		} else if b = c.appendJSON(b, r); len(b)-value == len("{}") {
			b = b[:value]
		}
		if len(b) == value {
			b = b[:mark]
		}
	}
	return append(b, '}')
}

// appendValue appends v, or nothing when v is empty.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		if v != "" {
			b = appendString(b, v)
		}
	case int:
		b = strconv.AppendInt(b, int64(v), 10)
	case uint64:
		b = strconv.AppendUint(b, v, 10)
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			b = strconv.AppendFloat(b, v, 'f', -1, 64)
		}
	case bool:
		b = strconv.AppendBool(b, v)
	case time.Time:
		if !v.IsZero() {
			b = appendString(b, v.UTC().Format(timeFormat))
		}
	case time.Duration:
		b = strconv.AppendInt(b, int64(v), 10)
	case netip.Addr:
		if v.IsValid() {
			b = appendString(b, v.String())
		}
	case []string:
		b = appendList(b, v, appendString)
	case []netip.Addr:
		b = appendList(b, v, func(b []byte, a netip.Addr) []byte { return appendString(b, a.String()) })
	case []SMTP:
		b = appendList(b, v, appendEnvelope)
	case []TypeCount:
		b = appendCounts(b, v)
	}
	return b
}

func appendList[T any](b []byte, list []T, one func([]byte, T) []byte) []byte {
	if len(list) == 0 {
		return b
	}
	for i, v := range list {
		b = append(b, "[,"[min(i, 1)])
		b = one(b, v)
	}
	return append(b, ']')
}

func appendCounts(b []byte, counts []TypeCount) []byte {
	if len(counts) == 0 {
		return b
	}
	for i, c := range counts {
		b = append(b, "{,"[min(i, 1)])
		b = appendString(b, c.Type)
		b = append(b, ':')
		b = strconv.AppendUint(b, c.Count, 10)
	}
	return append(b, '}')
}

func appendEnvelope(b []byte, s SMTP) []byte {
	b = append(b, `{"from":`...)
	b = appendString(b, s.From)
	b = append(b, `,"to":`...)
	b = appendString(b, s.To)
	if s.HELO != "" {
		b = append(b, `,"helo":`...)
		b = appendString(b, s.HELO)
	}
	return append(b, '}')
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259 section 7). Control
// characters, also those above ASCII and the line separators that JavaScript
// ends lines at, are escaped; bytes that are no UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < ' ', 0x7f <= c && c < 0xa0, c == '\u2028', c == '\u2029':
			b = append(b, '\\', 'u', hexDigits[c>>12&15], hexDigits[c>>8&15], hexDigits[c>>4&15], hexDigits[c&15])
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}
