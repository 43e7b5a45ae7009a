package mailog

import (
	"bytes"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// opensmtpd reads the lines of OpenSMTPD: "SESSION mta delivery evpid=.. key=value ..".
// An envelope has one recipient, and its own id.
type opensmtpd struct {
	*queue
	sure bool // the log is of OpenSMTPD
}

func newOpenSMTPD(event.Options) event.Parser { return &opensmtpd{queue: newQueue()} }

// What smtpd prints beside the lines of sessions where it stays in the
// foreground, as in a container: what only it does, and after that its parts
// and levels.
var (
	smtpdOnly  = []string{"info: OpenSMTPD ", "setup_peer: ", "setup_proc: ", "setup_done: ", "smtp-out: ", "smtp-in: "}
	smtpdWords = []string{"debug: ", "info: ", "warn: ", "fatal: ", "mta: ", "smtp: ", "smtpd: ", "lka: ", "dns: ", "queue: ", "scheduler: ", "bounce: ", "expand: "}
)

// sessionLen is the length of ids of sessions and envelopes: 64 bits in hex.
const sessionLen = 16

// opensmtpdOutcomes are the words of result=.
var opensmtpdOutcomes = map[string]event.Outcome{
	"Ok":       event.Delivered,
	"PermFail": event.Bounced,
	"LoopFail": event.Bounced,
	"TempFail": event.Deferred,
}

func (o *opensmtpd) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	o.emit = emit
	session, rest, ok := hexID(l.Text)
	if !ok {
		return passedIf(l.Program == "smtpd" || l.Program == "" && o.foreground(l.Text))
	}
	o.sure = true
	// Before 6.4 the second word was event=delivery.
	part, rest, _ := bytes.Cut(rest, []byte(" "))
	kind, rest, _ := bytes.Cut(bytes.TrimPrefix(rest, []byte("event=")), []byte(" "))
	switch string(part) + " " + string(kind) {
	case "smtp connected":
		if addr, ok := attribute(rest, "address"); ok && string(addr) != "local" {
			o.message(l, session).client = o.words.Of(addr)
		}
	case "smtp closed", "smtp disconnected":
		if m := o.find(l.Host, session); m != nil {
			o.finish(m)
		}
	case "smtp envelope":
		o.envelope(l, session, rest)
	case "mta delivery", "mda delivery":
		if !o.delivery(l, rest) {
			return event.Unknown
		}
	case "smtp failed-command":
		o.reject(l, session, rest)
	default:
		return event.Passed
	}
	return event.Used
}

func (o *opensmtpd) Flush(emit func(*event.Event)) {
	o.emit = emit
	o.flush()
}

// foreground reports whether smtpd prints such a line beside those of sessions.
func (o *opensmtpd) foreground(text []byte) bool {
	if begins(text, smtpdOnly) {
		o.sure = true
		return true
	}
	return o.sure && (begins(text, smtpdWords) || bytes.Contains(text, []byte(" preference ")))
}

func hexID(b []byte) (id, rest []byte, ok bool) {
	if len(b) <= sessionLen || b[sessionLen] != ' ' {
		return nil, b, false
	}
	for _, c := range b[:sessionLen] {
		if c-'0' > 9 && (c < 'a' || c > 'f') {
			return nil, b, false
		}
	}
	rest = b[sessionLen+1:]
	return b[:sessionLen], rest, hasPrefix(rest, "smtp ") || hasPrefix(rest, "mta ") || hasPrefix(rest, "mda ")
}

// attribute returns a value: of name=value, name=<value> or name="value". stat
// comes last, and is what another server said: its last quote ends it, and no
// other is sought in it.
func attribute(b []byte, name string) ([]byte, bool) {
	for len(b) > 0 {
		key, rest, ok := bytes.Cut(b, []byte("="))
		if !ok {
			return nil, false
		}
		var value []byte
		if value, b = opensmtpdValue(rest); string(key) == name {
			return value, true
		}
		if string(key) == "stat" {
			return nil, false
		}
	}
	return nil, false
}

func opensmtpdValue(b []byte) (value, rest []byte) {
	if len(b) > 0 && b[0] == '<' {
		if value, rest, ok := angle(b[1:], ", "); ok {
			return value, bytes.TrimLeft(rest, " ,")
		}
	}
	if len(b) > 0 && b[0] == '"' {
		end := bytes.Index(b[1:], []byte(`" `))
		if end < 0 {
			return bytes.TrimSuffix(b[1:], []byte(`"`)), nil
		}
		return b[1 : end+1], b[end+3:]
	}
	value, rest, _ = bytes.Cut(b, []byte(" "))
	return bytes.TrimSuffix(value, []byte(",")), rest
}

// envelope reads "evpid=.. from=<alice@example.net> to=<bob@example.ml>", which
// joins the envelope with its session.
func (o *opensmtpd) envelope(l *event.Line, session, b []byte) {
	evpid, ok := attribute(b, "evpid")
	from, known := attribute(b, "from")
	if !ok || !known {
		return
	}
	var client string
	if s := o.find(l.Host, session); s != nil {
		client = s.client
	}
	o.from(l, evpid, from).client = client
}

// delivery reads "evpid=.. from=<..> to=<..> rcpt=<as it came, or -> relay=..
// result="Ok" stat="..".
func (o *opensmtpd) delivery(l *event.Line, b []byte) bool {
	evpid, ok := attribute(b, "evpid")
	to, hasTo := attribute(b, "to")
	result, hasResult := attribute(b, "result")
	outcome, known := opensmtpdOutcomes[string(result)]
	if !ok || !hasTo || !hasResult || !known {
		return false
	}
	m := o.message(l, evpid)
	if from, ok := attribute(b, "from"); ok {
		m.sender, m.known = string(from), true
	}
	original, _ := attribute(b, "rcpt")
	if string(original) == "-" {
		original = nil
	}
	relay, _ := attribute(b, "relay")
	if _, name, ok := bytes.Cut(relay, []byte(" (")); ok { // ADDRESS (NAME)
		relay = bytes.TrimSuffix(name, []byte(")"))
	}
	o.outcome(m, l, to, original, outcome, hostOf(relay))
	if outcome != event.Deferred {
		o.finish(m)
	}
	return true
}

// reject reads `command="RCPT TO:<bob@example.ml>" result="550 .."`. No line
// tells the sender of a session without a message.
func (o *opensmtpd) reject(l *event.Line, session, b []byte) {
	command, _ := attribute(b, "command")
	if len(command) < 9 || !bytes.EqualFold(command[:8], []byte("RCPT TO:")) {
		return
	}
	_, to, ok := bytes.Cut(command, []byte("<"))
	if !ok {
		return
	}
	to, _, ok = angle(to, " ")
	if !ok || len(to) == 0 {
		return
	}
	m := o.message(l, session)
	o.tellOne(m, o.outcome(m, l, to, nil, event.Rejected, nil))
}
