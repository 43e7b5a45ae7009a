// Package template reads lines that CoreDNS's log directive has written in a
// format of the user's own.
package template

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/coredns/coredns/plugin/log"

	"github.com/lookalike-dns/lookalike/build/internal/dnslog/presentation"
)

// placeholders are those of CoreDNS's formats (plugin/pkg/replacer), with the
// characters that their values consist of. A name is read by its escapes, an
// address by its brackets.
var placeholders = map[string]func(b []byte, end string) int{
	"{name}":     presentation.End,
	"{remote}":   endOfAddress,
	"{local}":    endOfAddress,
	"{type}":     endOf("A-Z0-9-"),
	"{class}":    endOf("A-Z0-9-"),
	"{rcode}":    endOf("A-Z0-9-"),
	"{proto}":    endOf("a-z"),
	"{port}":     endOf("0-9"),
	"{size}":     endOf("0-9"),
	"{rsize}":    endOf("0-9-"),
	"{duration}": endOf("0-9.s-"),
	"{>id}":      endOf("0-9"),
	"{>opcode}":  endOf("0-9"),
	"{>do}":      endOf("a-z"),
	"{>bufsize}": endOf("0-9"),
	"{>rflags}":  endOf("a-z,-"),
}

// Template is a format of CoreDNS's log directive, ready to read lines. It can be
// used by several goroutines.
type Template struct {
	before string // the literal text in front
	pieces []piece
}

// piece is a placeholder and the literal text that follows it.
type piece struct {
	label string
	end   func(b []byte, after string) int // length of the value, or -1
	after string
}

// Query is what a line tells. What the format leaves out is empty. The slices are
// parts of the line.
type Query struct{ Client, Name, Type, Class []byte }

// Compile reads a format as CoreDNS does: braces that hold no placeholder are
// text. An empty one is CoreDNS's default. The error says why lines in the
// format do not tell what was asked for.
func Compile(format string) (*Template, error) {
	if format == "" {
		format = "{common}"
	}
	format = strings.ReplaceAll(format, "{common}", log.CommonLogFormat)
	format = strings.ReplaceAll(format, "{combined}", log.CombinedLogFormat)
	t := &Template{}
	literal := &t.before
	for rest := format; rest != ""; {
		right := strings.IndexByte(rest, '}') + 1
		left := strings.LastIndexByte(rest[:right], '{')
		if right == 0 || left < 0 {
			if right == 0 {
				right = len(rest)
			}
			*literal += rest[:right]
			rest = rest[right:]
			continue
		}
		label := rest[left:right]
		end, known := placeholders[label]
		if strings.HasPrefix(label, "{/") {
			end, known = endOfAnything, true
		}
		if !known {
			*literal += rest[:right]
			rest = rest[right:]
			continue
		}
		*literal += rest[:left]
		t.pieces = append(t.pieces, piece{label: label, end: end})
		literal = &t.pieces[len(t.pieces)-1].after
		rest = rest[right:]
	}
	if err := t.check(format); err != nil {
		return nil, err
	}
	return t, nil
}

// check says why the format does not tell which name was asked for.
func (t *Template) check(format string) error {
	named := false
	for i, p := range t.pieces {
		named = named || p.label == "{name}"
		if p.after == "" && i+1 < len(t.pieces) {
			return fmt.Errorf("CoreDNS log format %q: no text between %s and %s, so where one ends is unknown", format, p.label, t.pieces[i+1].label)
		}
	}
	if !named {
		return errors.New("CoreDNS log format without {name}: such a log does not tell what was asked for")
	}
	return nil
}

// Match reads a line, whole. It does not allocate.
func (t *Template) Match(line []byte) (q Query, ok bool) {
	b, ok := bytes.CutPrefix(line, []byte(t.before))
	if !ok {
		return q, false
	}
	for _, p := range t.pieces {
		n := p.end(b, p.after)
		if n < 0 || n > len(b) || !bytes.HasPrefix(b[n:], []byte(p.after)) {
			return q, false
		}
		switch value := b[:n]; p.label {
		case "{name}":
			q.Name = value
		case "{type}":
			q.Type = value
		case "{class}":
			q.Class = value
		case "{remote}":
			q.Client = bytes.TrimSuffix(bytes.TrimPrefix(value, []byte("[")), []byte("]"))
		}
		b = b[n+len(p.after):]
	}
	return q, len(b) == 0 && len(q.Name) > 0
}

// endOf returns a function for values that consist of the characters in set:
// ranges of two, and single ones at the end.
func endOf(set string) func([]byte, string) int {
	var in [256]bool
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			for c := int(set[i]); c <= int(set[i+2]); c++ {
				in[c] = true
			}
			i += 2
			continue
		}
		in[set[i]] = true
	}
	return func(b []byte, _ string) int {
		for i, c := range b {
			if !in[c] {
				return i
			}
		}
		return len(b)
	}
}

// endOfAddress finds the end of an address: IPv6 is in brackets.
func endOfAddress(b []byte, _ string) int {
	if len(b) > 0 && b[0] == '[' {
		return bytes.IndexByte(b, ']') + 1
	}
	return endOfIPv4(b, "")
}

var endOfIPv4 = endOf("0-9.-")

// endOfAnything finds the end of metadata: where the next literal begins, or at
// the end of the line.
func endOfAnything(b []byte, after string) int {
	if after == "" {
		return len(b)
	}
	return bytes.Index(b, []byte(after))
}
