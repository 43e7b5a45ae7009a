package dnslog

import (
	"bytes"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// unbound reads the lines of log-queries and log-replies:
//
//	[1795643424] unbound[26678:0] query: 192.0.2.25 example.ml. MX IN
//	[1795643424] unbound[26678:0] reply: 192.0.2.25 example.ml. MX IN NXDOMAIN 0.000000 1 36
//
// Without log-tag-queryreply, both say info. Then a reply is the one with more words,
// "on udp 192.0.2.53 53" of log-destaddr aside.
type unbound struct {
	*queries
	once once
}

func newUnbound(q *queries) event.Parser { return &unbound{queries: q} }

// Flush emits the replies of a log without queries.
func (p *unbound) Flush(emit func(*event.Event)) { p.once.flush(emit) }

// Line reads a line of Unbound's log.
func (p *unbound) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	stamp, tag, text, ok := unboundParts(l.Text)
	if !ok {
		return event.Unknown
	}
	var a asked
	a.client, text = word(text)
	a.name, text = word(text)
	a.qtype, text = word(text)
	class, text := word(text)
	isQuery := false
	switch string(tag) {
	case "query":
		isQuery = true
	case "reply":
	case "info":
		isQuery = len(text) == 0 || bytes.HasPrefix(text, []byte("on "))
	default:
		return event.Passed // error, notice, warning, debug
	}
	if !bytes.HasSuffix(a.name, []byte(".")) || len(class) == 0 || !looksLikeAddress(a.client) {
		if string(tag) == "info" {
			return event.Passed
		}
		return event.Unknown
	}
	if string(class) != "IN" {
		return event.Passed
	}
	a.time, _ = epoch(stamp)
	if isQuery {
		p.once.query(l.Host)
		return p.take(l, a, emit)
	}
	return p.reply(l, a, emit)
}

// reply takes a reply. It counts as its query if the log has no queries.
func (p *unbound) reply(l *event.Line, a asked, emit func(*event.Event)) event.Taken {
	if !p.once.pending(l.Host) {
		return event.Passed
	}
	if !p.fill(l, a) {
		return event.Unknown
	}
	p.once.reply(l.Host, &p.e, emit)
	return event.Used
}

// unboundParts takes a line apart: [TIME] unbound[PID:THREAD] TAG: TEXT. In syslog, it
// is [PID:THREAD] TAG: TEXT, and the wrapper may have time and program.
func unboundParts(b []byte) (stamp, tag, text []byte, ok bool) {
	first, rest := word(b)
	if inner, bracketed := brackets(first); bracketed && bytes.IndexByte(inner, ':') < 0 {
		stamp = inner
		first, rest = word(rest)
	}
	if bytes.HasPrefix(first, []byte("unbound[")) {
		first = first[len("unbound"):]
	}
	if inner, bracketed := brackets(bytes.TrimSuffix(first, []byte(":"))); bracketed {
		pid, thread, two := bytes.Cut(inner, []byte(":"))
		if number(pid) < 0 || two && thread == nil {
			return nil, nil, nil, false
		}
		first, rest = word(rest)
	} else if stamp != nil {
		return nil, nil, nil, false
	}
	tag, colon := bytes.CutSuffix(first, []byte(":"))
	switch string(tag) {
	case "query", "reply", "info", "notice", "warning", "error", "fatal error", "debug":
		return stamp, tag, rest, colon
	}
	return nil, nil, nil, false
}

// brackets returns the text between [ and ].
func brackets(b []byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != '[' || b[len(b)-1] != ']' {
		return nil, false
	}
	return b[1 : len(b)-1], true
}

// looksLikeAddress reports whether b has only characters of addresses.
func looksLikeAddress(b []byte) bool {
	dots := false
	for i, c := range b {
		switch {
		case digit(c), c-'a' < 6, c-'A' < 6:
		case c == '.', c == ':':
			dots = true
		case c == '%' && i > 0: // the rest names an interface
			return dots
		default:
			return false
		}
	}
	return dots
}
