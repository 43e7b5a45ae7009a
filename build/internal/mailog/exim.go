package mailog

import (
	"bytes"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/stamp"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// exim reads Exim's main log, also by syslog. Columns move with settings and
// versions, so words are read one by one: "[TIME [ZONE] ][[PID] ]ID FLAG ..".
type exim struct {
	*queue
	clock stamp.Clock
	zoned bool
	parts []byte // of a line that was split for syslog
	next  int    // number of the part that is to come
}

func newExim(o event.Options) event.Parser {
	e := &exim{queue: newQueue(), zoned: o.Location != nil}
	e.clock.Location = o.Location
	if o.Location == nil {
		e.clock.Location = time.Local
	}
	return e
}

func (e *exim) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	e.emit = emit
	text, whole := e.join(l)
	if !whole {
		return event.Passed
	}
	own := l.Program == "exim" || l.Program == "exim4"
	line := *l
	text, stamped := e.stamp(&line, text)
	if hasPrefix(text, "[") { // the process
		if _, rest, ok := bytes.Cut(text, []byte("] ")); ok && text[1]-'0' <= 9 {
			text = rest
		}
	}
	if !stamped && !own && l.Program != "" {
		return event.Unknown
	}
	if id, rest, ok := eximID(text); ok {
		return e.flag(&line, id, rest)
	}
	if e.reject(&line, text) {
		return event.Used
	}
	if own || stamped && begins(text, eximBegins) {
		return event.Passed
	}
	return event.Unknown
}

func (e *exim) Flush(emit func(*event.Event)) {
	e.emit = emit
	e.flush()
}

// stamp reads Exim's own time, which a line from syslog need not have.
func (e *exim) stamp(l *event.Line, text []byte) (rest []byte, ok bool) {
	t, rest, zoned, ok := e.clock.ISO(text, ' ')
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return text, false
	}
	rest = rest[1:]
	if offset, after, ok := stamp.Zone(rest); !zoned && ok && len(after) > 0 && after[0] == ' ' && rest[0] != 'Z' {
		_, here := t.Zone()
		t, zoned, rest = t.Add(time.Duration(here-offset)*time.Second), true, after[1:]
	}
	if !l.YearKnown || !l.ZoneKnown {
		l.Time, l.YearKnown, l.ZoneKnown = t, true, zoned || e.zoned
	}
	return rest, true
}

// join puts the parts of a line together that was too long for syslog, "[1/3]
// text", or had line feeds, "[2\3] text".
func (e *exim) join(l *event.Line) (text []byte, whole bool) {
	text = l.Text
	n, of, rest, ok := part(text)
	if !ok {
		return text, true
	}
	if n == 1 {
		e.parts = e.parts[:0]
		e.next = 1
	}
	if n != e.next || len(e.parts)+len(rest) > 1<<16 {
		e.next = 0
		return nil, false
	}
	e.parts = append(e.parts, rest...)
	e.next++
	if n < of {
		return nil, false
	}
	e.next = 0
	return e.parts, true
}

// part reads "[n/m] " or "[n\m] ".
func part(b []byte) (n, of int, rest []byte, ok bool) {
	if len(b) < 6 || b[0] != '[' {
		return 0, 0, b, false
	}
	i := 1
	for ; i < len(b) && i < 4 && b[i]-'0' <= 9; i++ {
		n = n*10 + int(b[i]-'0')
	}
	if i >= len(b) || b[i] != '/' && b[i] != '\\' {
		return 0, 0, b, false
	}
	for i++; i < len(b) && b[i]-'0' <= 9 && of < 1000; i++ {
		of = of*10 + int(b[i]-'0')
	}
	if n < 1 || n > of || i+1 >= len(b) || b[i] != ']' || b[i+1] != ' ' {
		return 0, 0, b, false
	}
	return n, of, b[i+2:], true
}

// eximID reads the id of a message: 1xWKxG-00000Z-0e, and since 4.97
// 1xWKyC-000000004Tn-0nQx.
func eximID(b []byte) (id, rest []byte, ok bool) {
	for _, shape := range [...][2]int{{16, 13}, {23, 18}} {
		n, dash := shape[0], shape[1]
		if len(b) <= n || b[n] != ' ' || b[6] != '-' || b[dash] != '-' {
			continue
		}
		for i, c := range b[:n] {
			if i != 6 && i != dash && c-'0' > 9 && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
				return nil, b, false
			}
		}
		return b[:n], b[n+1:], true
	}
	return nil, b, false
}

// eximBegins are how lines without an id begin.
var eximBegins = strings.Split("exim |Start queue run|End queue run|SMTP |TLS |no host name|no IP address|cwd=|Connection from|"+
	"unexpected disconnection|SIGTERM|SIGHUP|Failed to |Warning:|H=|listening |refused |pid |daemon |"+
	"rejected |unable to |ident |auth_|plain |login |DKIM:|configuration |socket |spam |sender ", "|")

// flag reads a line behind the id (Exim's specification, "Log line flags").
func (e *exim) flag(l *event.Line, id, b []byte) event.Taken {
	flag, rest, _ := bytes.Cut(b, []byte(" "))
	switch string(flag) {
	case "<=", "(=":
		e.arrival(l, id, rest)
	case "=>", "->", ">>":
		e.delivery(l, id, rest, event.Delivered)
	case "**":
		e.delivery(l, id, rest, event.Bounced)
	case "==":
		e.delivery(l, id, rest, event.Deferred)
	case "Completed":
		if m := e.find(l.Host, id); m != nil {
			e.finish(m)
		}
	default:
		if bytes.Contains(b, []byte("rejected RCPT ")) {
			e.reject(l, b)
			return event.Used
		}
		return event.Passed
	}
	return event.Used
}

// arrival reads "alice@example.net H=pc7.example.net (pc7) [192.0.2.77] P=esmtp ..".
func (e *exim) arrival(l *event.Line, id, b []byte) {
	sender, fields := words(b)
	if string(sender) == "<>" {
		sender = nil
	}
	m := e.from(l, id, sender)
	if h, ok := field(fields, "H="); ok {
		m.client = e.words.Of(address(h))
	}
}

// delivery reads "bob@example.ml <alias@example.net> R=.. T=.. H=..". What stands
// in the angle brackets is the address as it came; before it is the one it led
// to, without quotes, and with a name beyond ASCII coded as one label, which is
// none.
func (e *exim) delivery(l *event.Line, id, b []byte, o event.Outcome) {
	addr, fields := words(b)
	to, original := parents(addr)
	if local(to) {
		if o == event.Delivered {
			return // a file, a pipe or nowhere: no mail out
		}
		to = original
	}
	if len(to) == 0 {
		return
	}
	if len(original) > 0 && (same(to, original) || bytes.IndexByte(to, '@') < 0) {
		to, original = original, nil
	}
	host, _ := field(fields, "H=")
	hop := bytes.TrimSpace(host)
	if i := bytes.IndexByte(hop, ' '); i > 0 {
		hop = hop[:i]
	}
	m := e.message(l, id)
	if from, ok := field(fields, "F=<"); ok && !m.known {
		m.sender, m.known = string(bytes.TrimSuffix(bytes.TrimSpace(from), []byte(">"))), true
	}
	r := e.outcome(m, l, to, original, o, hostOf(hop))
	if o == event.Delivered && loopback(address(host)) {
		if next, ok := between(b, "id=", `"`); ok && len(next) >= 16 && len(next) <= 23 {
			e.handover(m, r, l, next)
		}
	}
}

// local reports whether an address is no address: :blackhole:, a file, a pipe.
func local(to []byte) bool {
	return len(to) > 0 && (to[0] == ':' || to[0] == '/' || to[0] == '|') || hasPrefix(to, "discarded") || hasPrefix(to, "blackhole (")
}

// words splits a line into the addresses with which it begins and its fields,
// such as " R=dnslookup T=remote_smtp", or the text of an error.
func words(b []byte) (addr, fields []byte) {
	quote := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\\' && quote:
			i++
		case c == '"':
			quote = !quote
		case quote:
		case c == ' ' && (fieldAt(b[i+1:]) || hasPrefix(b[i+1:], "routing defer (") || hasPrefix(b[i+1:], "defer (")), c == ':' && i > 0 && (i+1 == len(b) || b[i+1] == ' '):
			return b[:i], b[i:]
		}
	}
	if quote { // without its end, so it is part of a local part
		if i := bytes.Index(b, []byte(" R=")); i > 0 {
			return b[:i], b[i:]
		}
	}
	return b, nil
}

// fieldAt reports whether a field begins: one or more capitals and "=".
func fieldAt(b []byte) bool {
	for i, c := range b {
		if c == '=' {
			return i > 0
		}
		if c < 'A' || c > 'Z' || i > 4 {
			return false
		}
	}
	return false
}

// field returns the value of a field up to the next.
func field(fields []byte, key string) ([]byte, bool) {
	for i := range fields {
		if fields[i] != ' ' || !hasPrefix(fields[i+1:], key) {
			continue
		}
		value := fields[i+1+len(key):]
		for j := range value {
			if value[j] == ' ' && fieldAt(value[j+1:]) || value[j] == ':' && j+1 < len(value) && value[j+1] == ' ' {
				return value[:j], true
			}
		}
		return value, true
	}
	return nil, false
}

// parents splits "to <original>".
func parents(addr []byte) (to, original []byte) {
	addr = bytes.TrimSpace(addr)
	if !bytes.HasSuffix(addr, []byte(">")) {
		return addr, nil
	}
	at := bytes.Index(addr, []byte(" <"))
	if at < 0 {
		return addr, nil
	}
	return bytes.TrimSpace(addr[:at]), addr[at+2 : len(addr)-1]
}

// same reports whether Exim has only written the original in another way: its
// local part without quotes, or its domain as one label of Punycode.
func same(to, original []byte) bool {
	toAt, at := bytes.LastIndexByte(to, '@'), bytes.LastIndexByte(original, '@')
	if toAt < 0 || at < 0 || string(bytes.Trim(original[:at], `"`)) != string(to[:toAt]) {
		return false
	}
	domain := to[toAt+1:]
	return bytes.EqualFold(domain, original[at+1:]) || bytes.Contains(domain, []byte("xn--")) && !text.ASCII(string(original[at+1:]))
}

// reject reads "H=pc7.example.net (pc7) [192.0.2.77] F=<alice@example.net>
// rejected RCPT <bob@example.ml>: text", also "temporarily rejected".
func (e *exim) reject(l *event.Line, b []byte) bool {
	at := bytes.Index(b, []byte("rejected RCPT "))
	if at < 0 {
		return false
	}
	to := b[at+len("rejected RCPT "):]
	if hasPrefix(to, "<") {
		var ok bool
		if to, _, ok = angle(to[1:], ": "); !ok {
			return false
		}
	} else {
		to, _, _ = bytes.Cut(to, colonSpace)
	}
	var client string
	if i := bytes.IndexByte(b[:at], '['); i >= 0 {
		client = e.words.Of(address(b[i:at]))
	}
	_, from, ok := bytes.Cut(b[:at], []byte("F=<"))
	if !ok {
		return true
	}
	if sender, _, ok := angle(from, ": "); ok {
		e.rejected(l, sender, to, client)
	}
	return true
}
