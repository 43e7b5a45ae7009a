package logfile

import "bytes"

// rfc5424 peels the header of RFC 5424 section 6 behind the priority, with its
// structured data: "1 2026-11-25T21:54:52Z mx postfix 139 - - ". It leaves
// anything else as it is.
func (u *unwrapper) rfc5424() {
	text := u.line.Text
	if len(text) < 4 || text[0] != '1' || text[1] != ' ' {
		return
	}
	var field [5][]byte // stamp, host, program, process, message id
	rest := text[2:]
	for i := range field {
		var ok bool
		if field[i], rest, ok = bytes.Cut(rest, space); !ok {
			return
		}
	}
	rest, ok := structured(rest)
	if !ok {
		return
	}
	if !nilValue(field[0]) {
		t, left, zoned, ok := u.clock.ISO(field[0], 'T')
		if !ok || len(left) > 0 {
			return
		}
		u.stamp(t, true, zoned || u.zoned)
	}
	if !nilValue(field[1]) {
		u.line.Host = u.names.Of(field[1])
	}
	if !nilValue(field[2]) {
		u.line.Program = u.names.Of(field[2])
	}
	u.line.Text = bytes.TrimPrefix(rest, []byte("\xef\xbb\xbf"))
}

func nilValue(b []byte) bool { return len(b) == 1 && b[0] == '-' }

// structured skips structured data, in which values can contain brackets.
func structured(b []byte) (rest []byte, ok bool) {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	} else {
		quoted := false
		end := 0
	elements:
		for ; end < len(b); end++ {
			switch c := b[end]; {
			case quoted && c == '\\':
				end++
			case c == '"':
				quoted = !quoted
			case !quoted && c == ']' && (end+1 == len(b) || b[end+1] != '['):
				end++
				break elements
			case end == 0 && c != '[':
				return nil, false
			}
		}
		b = b[min(end, len(b)):]
	}
	if len(b) > 0 && b[0] != ' ' {
		return nil, false
	}
	return bytes.TrimPrefix(b, space), true
}
