package mailog

import (
	"bytes"
	"strings"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// postfix reads the lines of Postfix. Whatever program writes them, the text
// tells what they are: "QID: to=<..>, key=value, .., status=WORD (text)".
type postfix struct {
	*queue
	programs [32]program // the last ones, by their letters
}

// program is a program that logged.
type program struct {
	name string
	own  bool // it is of Postfix
}

func newPostfix(event.Options) event.Parser { return &postfix{queue: newQueue()} }

// daemons are the programs of Postfix. syslog_name, and the names of services
// such as postfix/submission/smtpd, stand before them.
var daemons = func() map[string]bool {
	all := make(map[string]bool)
	for name := range strings.FieldsSeq(`anvil bounce cleanup discard dnsblog error flush lmtp local master
		oqmgr pickup pipe postalias postcat postdrop postfix-script postlog postlogd postmap postmulti postqueue
		postscreen postsuper proxymap qmgr qmqpd scache script sendmail showq smtp smtpd spawn tlsmgr tlsproxy
		trivial-rewrite trace verify virtual`) {
		all[name] = true
	}
	return all
}()

func (p *postfix) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	p.emit = emit
	qid, rest, ok := id(l.Text, 5, 24)
	if !ok {
		return p.other(l)
	}
	switch {
	case hasPrefix(rest, "to=<"):
		if taken := p.delivery(l, qid, rest[len("to=<"):]); taken != event.Unknown {
			return taken
		}
	case hasPrefix(rest, "from=<"):
		if p.active(l, qid, rest[len("from=<"):]) {
			return event.Used
		}
	case hasPrefix(rest, "client="):
		p.message(l, qid).client = p.words.Of(client(rest[len("client="):]))
		return event.Used
	case hasPrefix(rest, "uid="):
		if _, from, ok := bytes.Cut(rest, []byte(" from=<")); ok {
			if sender, _, ok := angle(from, ","); ok {
				p.from(l, qid, sender)
				return event.Used
			}
		}
	case string(rest) == "removed":
		if m := p.find(l.Host, qid); m != nil {
			p.finish(m)
		}
		return event.Used
	case bytes.Contains(rest[:min(len(rest), 16)], []byte("reject: ")):
		return p.reject(l, rest)
	}
	return p.other(l)
}

func (p *postfix) Flush(emit func(*event.Event)) {
	p.emit = emit
	p.flush()
}

// other passes the lines of Postfix that tell nothing.
func (p *postfix) other(l *event.Line) event.Taken {
	return passedIf(l.Program != "" && p.own(l.Program))
}

// own reports whether a program is of Postfix.
func (p *postfix) own(name string) bool {
	n := len(name)
	known := &p.programs[(n*5+int(name[n-1])+int(name[n/2]))%len(p.programs)]
	if known.name != name {
		slash := strings.LastIndexByte(name, '/')
		*known = program{name, name == "postfix" || slash > 0 && daemons[name[slash+1:]]}
	}
	return known.own
}

// postfixOutcomes are the words of status=. Those of address verification are
// about no message.
var postfixOutcomes = map[string]struct {
	event.Outcome
	probe bool
}{
	"sent":          {Outcome: event.Delivered},
	"bounced":       {Outcome: event.Bounced},
	"expired":       {Outcome: event.Bounced},
	"deferred":      {Outcome: event.Deferred},
	"SOFTBOUNCE":    {Outcome: event.Deferred},
	"deliverable":   {probe: true},
	"undeliverable": {probe: true},
}

// delivery reads the line of a delivery agent behind "to=<". Keys come and go
// with versions, so they are read by name. All that stands in parentheses is
// the text of somebody else.
func (p *postfix) delivery(l *event.Line, qid, b []byte) event.Taken {
	to, b, ok := angle(b, ",")
	if !ok {
		return event.Unknown
	}
	var original, relay []byte
	for hasPrefix(b, ", ") {
		b = b[2:]
		if hasPrefix(b, "orig_to=<") {
			if original, b, ok = angle(b[len("orig_to=<"):], ","); !ok {
				return event.Unknown
			}
			continue
		}
		if hasPrefix(b, "status=") {
			return p.status(l, qid, to, original, relay, b[len("status="):])
		}
		end := bytes.Index(b, commaSpace)
		if end < 0 {
			return event.Unknown
		}
		if hasPrefix(b, "relay=") {
			relay = b[len("relay="):end]
		}
		b = b[end:]
	}
	return event.Unknown
}

func (p *postfix) status(l *event.Line, qid, to, original, relay, b []byte) event.Taken {
	word, reply, _ := bytes.Cut(b, []byte(" "))
	status, ok := postfixOutcomes[string(word)]
	switch {
	case !ok:
		return event.Unknown
	case status.probe:
		return event.Passed
	case status.Outcome == event.Delivered && hasPrefix(reply, "(forwarded as "):
		return p.forwarded(l, qid, reply)
	}
	none := string(relay) == "none"
	if none && status.Outcome == event.Delivered {
		return event.Passed // the discard service
	}
	hop := hostOf(relay)
	if none {
		hop = nil
	}
	m := p.message(l, qid)
	r := p.outcome(m, l, to, original, status.Outcome, hop)
	if status.Outcome == event.Delivered && loopback(address(relay)) {
		if next, ok := queuedAs(reply); ok {
			p.handover(m, r, l, next)
		}
	}
	return event.Used
}

// forwarded reads "(forwarded as QID)": the local service has made another
// message for the new addresses, which tells the rest.
func (p *postfix) forwarded(l *event.Line, qid, reply []byte) event.Taken {
	next, ok := between(reply, "(forwarded as ", ")")
	if m := p.find(l.Host, qid); ok && m != nil && m.client != "" {
		client := m.client
		p.message(l, next).client = client
	}
	return event.Used
}

// queuedAs reads the id in "(250 2.0.0 Ok: queued as QID)", at the end also of
// what a content filter quotes.
func queuedAs(reply []byte) (qid []byte, ok bool) {
	at := bytes.LastIndex(reply, []byte("queued as "))
	if at < 0 {
		return nil, false
	}
	qid = bytes.TrimRight(reply[at+len("queued as "):], ")")
	return qid, len(qid) >= 5 && len(qid) <= 24
}

// active reads the line of the queue manager behind "from=<", which comes at
// each try, and once when it gives up.
func (p *postfix) active(l *event.Line, qid, b []byte) bool {
	sender, b, ok := angle(b, ",")
	if !ok {
		return false
	}
	if expired := hasPrefix(b, ", status=expired") || hasPrefix(b, ", status=force-expired"); expired {
		p.expire(p.from(l, qid, sender), l)
		return true
	}
	if !bytes.Contains(b, []byte(", nrcpt=")) {
		return false
	}
	p.from(l, qid, sender)
	return true
}

// expire returns to its sender what still waits.
func (p *postfix) expire(m *message, l *event.Line) {
	for i := range m.recipients {
		if r := &m.recipients[i]; r.Outcome == event.Deferred {
			r.Outcome = event.Bounced
			r.Time, r.Guessed, r.File, r.Line = l.Time, l.Guessed(), l.File, l.Number
		}
	}
}

// client returns the address of the client, of the first one where a content
// filter came between.
func client(b []byte) []byte {
	if end := bytes.Index(b, commaSpace); end >= 0 {
		if first, ok := between(b[end:], ", orig_client=", "]"); ok {
			return address(first)
		}
		b = b[:end]
	}
	return address(b)
}

// reject reads "reject: RCPT from CLIENT: REPLY; from=<..> to=<..> proto=..".
// The reply can quote the recipient.
func (p *postfix) reject(l *event.Line, b []byte) event.Taken {
	_, b, _ = bytes.Cut(b, []byte("reject: "))
	stage, b, _ := bytes.Cut(b, []byte(" from "))
	from, b, ok := bytes.Cut(b, colonSpace)
	at := bytes.Index(b, []byte("; from=<"))
	if !ok || at < 0 || string(stage) != "RCPT" && string(stage) != "END-OF-MESSAGE" && string(stage) != "DATA" {
		return event.Passed
	}
	sender, b, ok := angle(b[at+len("; from=<"):], ", ")
	if !ok {
		return event.Passed
	}
	b = bytes.TrimLeft(b, ", ")
	if !hasPrefix(b, "to=<") {
		return event.Passed
	}
	to, _, ok := angle(b[len("to=<"):], ", ")
	if !ok {
		return event.Passed
	}
	p.rejected(l, sender, to, p.words.Of(address(from)))
	return event.Used
}
