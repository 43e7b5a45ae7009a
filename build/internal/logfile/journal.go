package logfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// entry is what an entry of the journal tells (systemd.journal-fields(7)).
type entry struct {
	message, identifier, command, host []byte
	source, received                   []byte // microseconds since 1970
}

// field returns where a field of the journal belongs, nil for most.
func (e *entry) field(name []byte) *[]byte {
	switch string(name) {
	case "MESSAGE":
		return &e.message
	case "SYSLOG_IDENTIFIER":
		return &e.identifier
	case "_COMM":
		return &e.command
	case "_HOSTNAME":
		return &e.host
	case "_SOURCE_REALTIME_TIMESTAMP":
		return &e.source
	case "__REALTIME_TIMESTAMP":
		return &e.received
	}
	return nil
}

// set makes the line that of the entry.
func (u *unwrapper) set(e *entry) {
	for _, stamp := range [...][]byte{e.source, e.received} {
		if micro, err := strconv.ParseInt(string(stamp), 10, 64); err == nil {
			u.stamp(time.UnixMicro(micro).UTC(), true, true)
			break
		}
	}
	if len(e.identifier) == 0 {
		e.identifier = e.command
	}
	u.line.Text = bytes.TrimRight(e.message, "\r\n")
	u.line.Host, u.line.Program = u.names.Of(e.host), u.names.Of(e.identifier)
}

// journalObject peels an entry as "journalctl -o json" has it.
func (u *unwrapper) journalObject(text []byte) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return false
	}
	var e entry
	for name, raw := range fields {
		if to := e.field([]byte(name)); to != nil {
			*to = journalValue(raw)
		}
	}
	u.set(&e)
	return true
}

// journalValue reads a string, the first of several, or the numbers that stand
// for bytes that are no UTF-8. A field beyond 4096 bytes is null, unless
// journalctl has --all.
func journalValue(raw json.RawMessage) []byte {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	var numbers []int
	if json.Unmarshal(raw, &numbers) == nil {
		octets := make([]byte, len(numbers))
		for i, n := range numbers {
			octets[i] = byte(n & 0xff)
		}
		return octets
	}
	var several []json.RawMessage
	if json.Unmarshal(raw, &several) == nil && len(several) > 0 {
		return journalValue(several[0])
	}
	return nil
}

// journalField reports whether a line begins an entry in the format of
// "journalctl -o export".
func journalField(text []byte) bool {
	return len(text) > 0 && text[0] == '_' && (bytes.HasPrefix(text, []byte("__CURSOR=")) || bytes.HasPrefix(text, []byte("__REALTIME_TIMESTAMP=")))
}

// maxField is how long a field of an exported entry can be. systemd-journald
// takes messages of 48 KiB, and keeps core dumps of up to 767 MiB.
const maxField = MaxLine

// journalEntry reads the rest of an entry, up to its empty line. A field that
// has a newline or bytes stands as its name, 8 bytes that tell the length,
// and the value (systemd's "Journal Export Formats").
func (u *unwrapper) journalEntry() *event.Line {
	var e entry
	for {
		text := u.Text
		if len(text) == 0 {
			break
		}
		name, value, plain := bytes.Cut(text, []byte("="))
		to := e.field(name)
		if !plain {
			var ok bool
			if value, ok = u.binary(); !ok {
				break
			}
		}
		if to != nil {
			*to = append([]byte(nil), value...)
		}
		if !u.Next() {
			break
		}
	}
	u.set(&e)
	u.peel(depth - 1)
	return &u.line
}

// binary reads the value of a field that stands with its length.
func (u *unwrapper) binary() ([]byte, bool) {
	size, ok := u.take(8)
	if !ok {
		return nil, false
	}
	n := binary.LittleEndian.Uint64(size)
	if n > maxField {
		return nil, u.skip(n + 1)
	}
	value, ok := u.take(int(n) + 1)
	if !ok {
		return nil, false
	}
	return value[:n], true
}

// skip passes over n bytes, and reports whether there were that many.
func (u *unwrapper) skip(n uint64) bool {
	for n > 0 {
		part := min(n, MaxLine)
		if _, ok := u.take(int(part)); !ok {
			return false
		}
		n -= part
	}
	return true
}
