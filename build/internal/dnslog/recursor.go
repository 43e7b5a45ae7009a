package dnslog

import (
	"bytes"
	"encoding/json"

	"github.com/lookalike-dns/lookalike/build/internal/dnslog/presentation"
	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// recursor reads the log of PowerDNS Recursor with quiet=no: structured, as JSON, or
// in the old style, which was the only one before version 4.6 and ended with 5.1:
//
//	msg="Question" subsystem="syncres" ts="1795643477.158" qname="example.ml" qtype="MX" remote="192.0.2.25:34918"
//	2 [1/1] question for 'example.ml|MX' from 192.0.2.25:34918
//
// The old style has no name if the packet cache answers. In the journal, the name is
// never in the message, but in a field beside it.
type recursor struct {
	*queries
	rec recursorRecord
}

func newRecursor(q *queries) event.Parser {
	q.cure = ": have PowerDNS Recursor log with structured-logging=yes, and not to the journal"
	return &recursor{queries: q}
}

// recursorRecord is a structured line. Its JSON has the same keys.
type recursorRecord struct {
	Msg    raw `json:"msg"`
	System raw `json:"subsystem"`
	TS     raw `json:"ts"`
	Name   raw `json:"qname"`
	Type   raw `json:"qtype"`
	Remote raw `json:"remote"`
}

func (r *recursorRecord) field(key []byte) *raw {
	switch string(key) {
	case "msg":
		return &r.Msg
	case "subsystem":
		return &r.System
	case "ts":
		return &r.TS
	case "qname":
		return &r.Name
	case "qtype":
		return &r.Type
	case "remote":
		return &r.Remote
	}
	return nil
}

func (r *recursorRecord) reset() {
	*r = recursorRecord{r.Msg[:0], r.System[:0], r.TS[:0], r.Name[:0], r.Type[:0], r.Remote[:0]}
}

// Line reads a line of the Recursor's log.
func (p *recursor) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	if i := recursorStart(l.Text); i >= 0 {
		p.rec.reset()
		if !p.pairs(l.Text[i:]) {
			return event.Unknown
		}
		return p.structured(l, emit)
	}
	if bytes.HasPrefix(l.Text, []byte("{")) {
		p.rec.reset()
		if json.Unmarshal(l.Text, &p.rec) != nil || len(p.rec.Msg) == 0 || len(p.rec.System) == 0 {
			return event.Unknown
		}
		return p.structured(l, emit)
	}
	return p.old(l, emit)
}

// recursorStart returns where the pairs begin. On a terminal, time and priority come
// before them.
func recursorStart(b []byte) int {
	const first = `msg="`
	if bytes.HasPrefix(b, []byte(first)) {
		return 0
	}
	if i := bytes.Index(b, []byte(" "+first)); i >= 0 && bytes.IndexByte(b[:i], '"') < 0 {
		return i + 1
	}
	return -1
}

// structured takes a record.
func (p *recursor) structured(l *event.Line, emit func(*event.Event)) event.Taken {
	r := &p.rec
	switch string(r.Msg) {
	case "Question", "Question answered from packet cache", "TCP question answered from packet cache":
	default:
		return event.Passed
	}
	a := asked{client: withoutPort(r.Remote), name: r.Name, qtype: r.Type}
	if len(r.Name) == 0 {
		return event.Unknown
	}
	a.time, _ = epoch(r.TS)
	return p.take(l, a, emit)
}

// pairs reads key="value" pairs. A backslash escapes quotes and backslashes in a
// value.
func (p *recursor) pairs(b []byte) bool {
	for b = bytes.TrimLeft(b, " "); len(b) > 0; b = bytes.TrimLeft(b, " ") {
		key, rest, ok := bytes.Cut(b, []byte(`="`))
		if !ok {
			return false
		}
		end := presentation.End(rest, `"`)
		if end < 0 {
			return false
		}
		if field := p.rec.field(key); field != nil {
			*field = append((*field)[:0], rest[:end]...)
			if bytes.IndexByte(*field, '\\') >= 0 {
				*field = unquote(*field)
			}
		}
		b = rest[end+1:]
	}
	return true
}

// unquote resolves the escapes of a value in place: \\ and \" stand for the
// second character.
func unquote(b []byte) []byte {
	kept := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) {
			i++
		}
		kept = append(kept, b[i])
	}
	return kept
}

// old takes a line of the old style.
func (p *recursor) old(l *event.Line, emit func(*event.Event)) event.Taken {
	text := l.Text
	if thread, rest := word(text); number(thread) >= 0 {
		text = rest
	}
	if bytes.HasPrefix(text, []byte("[")) { // the number of threads and queries at work
		_, text = word(text)
	}
	text = bytes.TrimPrefix(text, []byte("TCP "))
	if recursorProgram(l) && string(text) == "Question" || bytes.HasPrefix(text, []byte("question answered from packet cache")) {
		return p.unnamed(l)
	}
	question, is := bytes.CutPrefix(text, []byte("question for '"))
	if !is {
		if recursorProgram(l) || recursorKnown(text) {
			return event.Passed
		}
		return event.Unknown
	}
	at := bytes.LastIndex(question, []byte("' from "))
	if at < 0 {
		return event.Unknown
	}
	bar := bytes.LastIndexByte(question[:at], '|')
	if bar < 0 {
		return event.Unknown
	}
	client, _ := word(question[at+len("' from "):])
	return p.take(l, asked{client: withoutPort(client), name: question[:bar], qtype: question[bar+1 : at]}, emit)
}

func recursorProgram(l *event.Line) bool {
	return l.Program == "pdns_recursor" || l.Program == "pdns-recursor"
}

// recursorKnown reports whether text is an answer in the old style, or one of the
// first lines of a log, which are never structured.
func recursorKnown(text []byte) bool {
	for _, start := range []string{"answer to question '", "PowerDNS ", "Using 64-bits mode"} {
		if bytes.HasPrefix(text, []byte(start)) {
			return true
		}
	}
	return false
}

// withoutPort returns the address of 192.0.2.25:53 or [2001:db8::1]:53. An IPv6
// address without brackets has no port.
func withoutPort(b []byte) []byte {
	if len(b) > 0 && b[0] == '[' {
		if end := bytes.IndexByte(b, ']'); end > 0 {
			return b[1:end]
		}
	}
	if i := bytes.IndexByte(b, ':'); i >= 0 && i == bytes.LastIndexByte(b, ':') {
		return b[:i]
	}
	return b
}
