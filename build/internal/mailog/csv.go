package mailog

import "bytes"

// maxRecord bounds a record whose quotes do not end.
const maxRecord = 64 << 10

// record is a line of comma-separated values (RFC 4180), or several where a
// quoted field contains line feeds.
type record struct {
	fields [][]byte
	joined []byte // of lines
	text   []byte // of fields that had doubled quotes
}

// read splits a line. The fields are valid until the next call. It reports
// whether the record is complete.
func (r *record) read(line []byte, sep byte) bool {
	if len(r.joined) > 0 {
		r.joined = append(append(r.joined, '\n'), line...)
		line = r.joined
	}
	r.fields, r.text = r.fields[:0], r.text[:0]
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
func (r *record) split(b []byte, sep byte) bool {
	for {
		if len(b) == 0 || b[0] != '"' {
			end := bytes.IndexByte(b, sep)
			if end < 0 {
				r.fields = append(r.fields, b)
				return true
			}
			r.fields = append(r.fields, b[:end])
			b = b[end+1:]
			continue
		}
		field, rest, ok := r.unquote(b[1:])
		r.fields = append(r.fields, field)
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
func (r *record) unquote(b []byte) (field, rest []byte, ok bool) {
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

// columns are the places of fields, by what they are called in the first line.
type columns map[string]int

// get returns a field of a record, empty where there is none.
func (c columns) get(r *record, name string) []byte {
	if i, ok := c[name]; ok && i < len(r.fields) {
		return bytes.TrimSpace(r.fields[i])
	}
	return nil
}
