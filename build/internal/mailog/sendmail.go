package mailog

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// sendmail reads the lines of sendmail's syslog: "QID: key=value, .., stat=TEXT".
type sendmail struct {
	*queue
}

func newSendmail(event.Options) event.Parser { return &sendmail{queue: newQueue()} }

// sendmailPrograms are the names under which sendmail logs.
var sendmailPrograms = map[string]bool{"sendmail": true, "sm-mta": true, "sm-msp-queue": true, "sm-que": true, "sm-mta-msp": true}

func (s *sendmail) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	s.emit = emit
	own := sendmailPrograms[l.Program]
	qid, rest, ok := id(l.Text, 12, 24)
	if !ok {
		return passedIf(own)
	}
	switch {
	case hasPrefix(rest, "from="):
		if s.arrival(l, qid, rest) {
			return event.Used
		}
	case hasPrefix(rest, "to="):
		if s.delivery(l, qid, rest) {
			return event.Used
		}
	case hasPrefix(rest, "ruleset=check_rcpt, "):
		s.reject(l, qid, rest)
		return event.Used
	}
	return passedIf(own)
}

func (s *sendmail) Flush(emit func(*event.Event)) {
	s.emit = emit
	s.flush()
}

// arrival reads "from=<alice@example.net>, size=.., nrcpts=2, .., relay=pc7 [192.0.2.77]".
func (s *sendmail) arrival(l *event.Line, qid, b []byte) bool {
	sender, b := sendmailValue(b[len("from="):])
	count, ok := sendmailField(b, "nrcpts=")
	if !ok {
		return false
	}
	m := s.from(l, qid, bare(octal(sender)))
	if relay, _ := sendmailField(b, "relay="); bytes.IndexByte(relay, '[') >= 0 {
		m.client = s.words.Of(address(relay))
	}
	if n, err := strconv.Atoi(string(count)); err == nil && n > 0 {
		m.expect = n
	}
	if !m.bounce() {
		for i := range m.recipients { // those that were refused before
			if r := &m.recipients[i]; r.Outcome == event.Rejected {
				s.tellOne(m, r)
			}
		}
	}
	return true
}

// sendmailValue reads a value up to ", " and the next key. Quoted text and
// angle brackets can contain it.
func sendmailValue(b []byte) (value, rest []byte) {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			if n := quoted(b[i:]); n > 0 {
				i += n - 1
			}
		case b[i] == ',' && i+1 < len(b) && b[i+1] == ' ':
			return b[:i], b[i:]
		}
	}
	return b, nil
}

// sendmailField returns the value of a field behind ", ". stat= comes last, and
// is what another server said: no field is sought in it.
func sendmailField(b []byte, key string) ([]byte, bool) {
	for hasPrefix(b, ", ") {
		b = b[2:]
		if hasPrefix(b, key) {
			if key == "stat=" {
				return b[len(key):], true
			}
			value, _ := sendmailValue(b[len(key):])
			return value, true
		}
		if hasPrefix(b, "stat=") {
			break
		}
		_, b = sendmailValue(b)
	}
	return nil, false
}

// delivery reads "to=ADDR[,ADDR...], [ctladdr=..,] .., mailer=, relay=, dsn=, stat=".
func (s *sendmail) delivery(l *event.Line, qid, b []byte) bool {
	list, b := sendmailValue(b[len("to="):])
	stat, ok := sendmailField(b, "stat=")
	if !ok {
		return false
	}
	dsn, _ := sendmailField(b, "dsn=")
	relay, _ := sendmailField(b, "relay=")
	m := s.message(l, qid)
	if from, ok := sendmailField(b, "ctladdr="); ok && !m.known {
		from, _, _ = bytes.Cut(from, []byte(" ("))
		m.sender = string(bare(octal(from)))
	}
	outcome := sendmailOutcome(dsn, stat)
	for len(list) > 0 {
		var to []byte
		to, list = sendmailAddress(list)
		if to = bare(octal(to)); len(to) == 0 {
			continue
		}
		r := s.outcome(m, l, to, nil, outcome, hostOf(relay))
		next, own := sentTo(stat)
		switch {
		case outcome == event.Delivered && own && loopback(address(relay)):
			s.handover(m, r, l, next)
			m.expect = max(m.expect-1, 0)
		case outcome != event.Deferred && (len(list) == 0 || m.expect == 0):
			s.final(m, r)
		case outcome != event.Deferred:
			s.tellOne(m, r)
		}
	}
	return true
}

// sendmailAddress takes the first address of a list that commas separate.
func sendmailAddress(b []byte) (addr, rest []byte) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if n := quoted(b[i:]); n > 0 {
				i += n - 1
			}
		case ',':
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

// sendmailOutcome reads the status: its class (RFC 3463 section 3.1), or the
// words where there is none.
func sendmailOutcome(dsn, stat []byte) event.Outcome {
	switch {
	case hasPrefix(stat, "Sent"):
		return event.Delivered
	case hasPrefix(stat, "queued"), hasPrefix(stat, "Deferred"), hasPrefix(dsn, "4."):
		return event.Deferred
	}
	return event.Bounced
}

// sentTo reads the id in "Sent (6APLtX7q000046 Message accepted for delivery)":
// the program that takes mail from users has handed it to the daemon.
func sentTo(stat []byte) ([]byte, bool) {
	inner, ok := between(stat, "Sent (", ")")
	if !ok {
		return nil, false
	}
	for word := range bytes.FieldsSeq(inner) {
		if len(word) >= 12 && len(word) <= 24 && word[0] != '2' {
			if got, _, ok := id(append(bytes.Clone(word), ": "...), 12, 24); ok {
				return got, true
			}
		}
	}
	return nil, false
}

// reject reads "ruleset=check_rcpt, arg1=<bob@example.ml>, relay=pc7 [192.0.2.77],
// reject=550 5.1.2 ..". The sender stands in a line that follows.
func (s *sendmail) reject(l *event.Line, qid, b []byte) {
	b = b[len("ruleset=check_rcpt"):]
	to, ok := sendmailField(b, "arg1=")
	if _, refused := sendmailField(b, "reject="); !ok || !refused {
		return
	}
	m := s.message(l, qid)
	if relay, ok := sendmailField(b, "relay="); ok {
		m.client = s.words.Of(address(relay))
	}
	r := s.outcome(m, l, bare(octal(to)), nil, event.Rejected, nil)
	if m.known {
		s.tellOne(m, r)
	}
}

// bare takes the angle brackets off an address.
func bare(b []byte) []byte {
	if len(b) >= 2 && b[0] == '<' && b[len(b)-1] == '>' {
		return b[1 : len(b)-1]
	}
	return b
}

// octal reads "\320\260", as sendmail writes what is not ASCII.
func octal(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	var out strings.Builder
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+3 < len(b) {
			if n, err := strconv.ParseUint(string(b[i+1:i+4]), 8, 8); err == nil && n >= 0x80 {
				out.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		out.WriteByte(b[i])
	}
	return []byte(out.String())
}
