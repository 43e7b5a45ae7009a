package format

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
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

// object is a JSON object in order.
type object []member

type member struct {
	name  string
	value any
}

// jsonStyle is how a format writes what JSON has no type for.
type jsonStyle struct {
	milliseconds bool // times and durations as numbers, else RFC 3339 and nanoseconds
}

// format returns the encoder for the fields that have a path.
func (style jsonStyle) format(path func(*field) string) func([]byte, *record.Record) []byte {
	t := newTree(path)
	return func(b []byte, r *record.Record) []byte { return style.appendTree(b, t, r) }
}

// appendTree appends r as an object; empty fields and objects are left out.
func (style jsonStyle) appendTree(b []byte, t *tree, r *record.Record) []byte {
	b = append(b, '{')
	start := len(b)
	for _, c := range t.children {
		mark := len(b)
		if mark > start {
			b = append(b, ',')
		}
		b = AppendString(b, c.name)
		b = append(b, ':')
		value := len(b)
		if c.leaf != nil {
			b = style.appendValue(b, c.leaf.value(r))
		} else if b = style.appendTree(b, c, r); len(b)-value == len("{}") {
			b = b[:value]
		}
		if len(b) == value {
			b = b[:mark]
		}
	}
	return append(b, '}')
}

// appendValue appends v, or nothing when v is empty.
func (style jsonStyle) appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		if v != "" {
			b = AppendString(b, v)
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
		switch {
		case v.IsZero():
		case style.milliseconds:
			b = strconv.AppendInt(b, v.UnixMilli(), 10)
		default:
			b = AppendString(b, v.UTC().Format(TimeLayout))
		}
	case time.Duration:
		if style.milliseconds {
			v /= time.Millisecond
		}
		b = strconv.AppendInt(b, int64(v), 10)
	case netip.Addr:
		if v.IsValid() {
			b = AppendString(b, v.String())
		}
	case []string:
		b = appendList(b, v, AppendString)
	case []netip.Addr:
		b = appendList(b, v, func(b []byte, a netip.Addr) []byte { return AppendString(b, a.String()) })
	case []record.SMTP:
		b = appendList(b, v, func(b []byte, s record.SMTP) []byte {
			return style.appendValue(b, object{{"from", s.From}, {"to", s.To}, {"helo", s.HELO}})
		})
	case object:
		b = style.appendObject(b, v)
	case []object:
		b = appendList(b, v, style.appendObject)
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

// appendObject appends all members that have a value; an empty string is one.
func (style jsonStyle) appendObject(b []byte, o object) []byte {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, m.name)
		b = append(b, ':')
		mark := len(b)
		if b = style.appendValue(b, m.value); len(b) == mark {
			b = append(b, `""`...)
		}
	}
	return append(b, '}')
}

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string (RFC 8259 section 7). Characters that
// end lines, move cursors, or hide or reorder text are escaped; invalid UTF-8
// becomes U+FFFD.
func AppendString(b []byte, s string) []byte {
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
		case c >= ' ' && c < 0x7f || !text.Unsafe(c):
			b = utf8.AppendRune(b, c)
		case c < 0x10000:
			b = appendUnit(b, c)
		default:
			high, low := utf16.EncodeRune(c)
			b = appendUnit(appendUnit(b, high), low)
		}
	}
	return append(b, '"')
}

// appendUnit appends a UTF-16 code unit.
func appendUnit(b []byte, c rune) []byte {
	return append(b, '\\', 'u', hexDigits[c>>12&15], hexDigits[c>>8&15], hexDigits[c>>4&15], hexDigits[c&15])
}
