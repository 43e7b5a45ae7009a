// Package csvline reads comma-separated values line by line, for logs that are
// too large to be read at once.
package csvline

import "bytes"

// maxRecord bounds a record whose quotes do not end.
const maxRecord = 64 << 10

// Record is a line of comma-separated values (RFC 4180), or several where a
// quoted field contains line feeds.
type Record struct {
	Fields [][]byte // valid until the next line is read

	joined []byte // of lines
	text   []byte // of fields that had doubled quotes
}

// Read splits a line at each sep, and reports whether the record is complete.
// Otherwise the next line belongs to it.
func (r *Record) Read(line []byte, sep byte) bool {
	if len(r.joined) > 0 {
		r.joined = append(append(r.joined, '\n'), line...)
		line = r.joined
	}
	r.Fields, r.text = r.Fields[:0], r.text[:0]
	if !r.split(line, sep) && len(line) < maxRecord {
		if len(r.joined) == 0 {
			r.joined = append(r.joined, line...)
		}
		return false
	}
	r.joined = r.joined[:0]
	return true
}

// split reports whether all quotes end.
func (r *Record) split(b []byte, sep byte) bool {
	for {
		if len(b) == 0 || b[0] != '"' {
			end := bytes.IndexByte(b, sep)
			if end < 0 {
				r.Fields = append(r.Fields, b)
				return true
			}
			r.Fields = append(r.Fields, b[:end])
			b = b[end+1:]
			continue
		}
		field, rest, ok := r.unquote(b[1:])
		r.Fields = append(r.Fields, field)
		if !ok {
			return false
		}
		if end := bytes.IndexByte(rest, sep); end >= 0 {
			b = rest[end+1:]
			continue
		}
		return true
	}
}

// unquote reads a quoted field behind its first quote. A quote in it stands
// twice.
func (r *Record) unquote(b []byte) (field, rest []byte, ok bool) {
	start := len(r.text)
	for {
		end := bytes.IndexByte(b, '"')
		if end < 0 {
			return b, nil, false
		}
		double := end+1 < len(b) && b[end+1] == '"'
		if !double && len(r.text) == start {
			return b[:end], b[end+1:], true
		}
		r.text = append(r.text, b[:end]...)
		if !double {
			return r.text[start:], b[end+1:], true
		}
		r.text = append(r.text, '"')
		b = b[end+2:]
	}
}

// Reset drops an incomplete record, for example before another file.
func (r *Record) Reset() { r.joined = r.joined[:0] }

// Columns maps the names of the first line to the places of fields.
type Columns map[string]int

// Get returns a field of a record without surrounding blanks, or empty if the record
// has no such field.
func (c Columns) Get(r *Record, name string) []byte {
	if i, ok := c[name]; ok && i < len(r.Fields) {
		return bytes.TrimSpace(r.Fields[i])
	}
	return nil
}

// Has reports whether all of these columns exist.
func (c Columns) Has(names ...string) bool {
	for _, name := range names {
		if _, ok := c[name]; !ok {
			return false
		}
	}
	return true
}
