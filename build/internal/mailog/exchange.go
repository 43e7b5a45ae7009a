package mailog

import (
	"bytes"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/csvline"
	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/stamp"
)

// exchange reads message tracking logs (MSGTRK*.LOG): comma-separated values in
// UTC, whose columns the comment #Fields names, which can change within a file.
// Each server that a message passes logs it: the message id joins them.
type exchange struct {
	*queue
	columns csvline.Columns
	file    string
	record  csvline.Record
	clock   stamp.Clock
}

func newExchange(event.Options) event.Parser {
	return &exchange{queue: newQueue(), clock: stamp.Clock{Location: time.UTC}}
}

func (x *exchange) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	x.emit = emit
	if l.File != x.file {
		x.file, x.columns = l.File, nil
		x.record.Reset()
	}
	if hasPrefix(l.Text, "#") {
		return x.comment(l.Text)
	}
	if x.columns == nil {
		return event.Unknown
	}
	if !x.record.Read(l.Text, ',') {
		return event.Passed
	}
	t, rest, _, ok := x.clock.ISO(x.get("date-time"), 'T')
	if !ok || len(rest) > 0 {
		return event.Unknown
	}
	line := *l
	line.Time, line.YearKnown, line.ZoneKnown = t, true, true
	return x.row(&line)
}

func (x *exchange) Flush(emit func(*event.Event)) {
	x.emit = emit
	x.flush()
}

func (x *exchange) get(name string) []byte { return x.columns.Get(&x.record, name) }

// comment reads "#Fields: date-time,client-ip,..".
func (x *exchange) comment(text []byte) event.Taken {
	list, ok := bytes.CutPrefix(text, []byte("#Fields: "))
	if !ok {
		return passedIf(begins(text, []string{"#Software: Microsoft", "#Version: ", "#Log-type: ", "#Date: "}))
	}
	if !bytes.Contains(list, []byte("recipient-address")) || !bytes.Contains(list, []byte("event-id")) {
		return event.Unknown
	}
	x.columns = make(csvline.Columns)
	for i, name := range strings.Split(string(list), ",") {
		x.columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	return event.Used
}

// row reads what happened to a message. The other events, such as SUBMIT,
// EXPAND or HADISCARD, are steps; DSN is about the report that follows a FAIL.
func (x *exchange) row(l *event.Line) event.Taken {
	var outcome event.Outcome
	smtp := bytes.EqualFold(x.get("source"), []byte("SMTP"))
	switch kind := string(bytes.ToUpper(x.get("event-id"))); {
	case kind == "SEND" && smtp, kind == "SENDEXTERNAL", kind == "DELIVER":
		outcome = event.Delivered
	case kind == "FAIL":
		outcome = event.Bounced
	case kind == "DEFER":
		outcome = event.Deferred
	case kind == "RECEIVE":
		x.receive(l)
		return event.Used
	default:
		return event.Passed
	}
	m := x.arrived(l)
	if m == nil {
		return event.Passed
	}
	l.Host = string(x.get("client-hostname"))
	list, hop := x.get("recipient-address"), x.get("server-hostname")
	if outcome != event.Delivered {
		hop = nil
	}
	for to := range bytes.SplitSeq(list, []byte(";")) {
		if to = bytes.TrimSpace(to); len(to) == 0 {
			continue
		}
		r := x.outcome(m, l, to, nil, outcome, hop)
		r.Logger = x.words.Of([]byte(l.Host))
	}
	return event.Used
}

// arrived returns the message of the row, with its sender. Bounces have a
// sender of their own beside an empty return path.
func (x *exchange) arrived(l *event.Line) *message {
	id := x.get("network-message-id")
	if len(id) == 0 {
		id = x.get("message-id")
	}
	if len(id) == 0 {
		return nil
	}
	line := *l
	line.Host = "" // the same message on all hosts
	m := x.message(&line, id)
	sender := x.get("sender-address")
	if string(x.get("return-path")) == "<>" || string(sender) == "<>" {
		sender = nil
	}
	if !m.known || len(sender) == 0 {
		m.sender, m.known = string(sender), true
	}
	return m
}

// receive notes who submitted a message: the first server that took it tells.
func (x *exchange) receive(l *event.Line) {
	m := x.arrived(l)
	if m == nil || m.client != "" {
		return
	}
	client := x.get("original-client-ip")
	if len(client) == 0 {
		client = x.get("client-ip")
	}
	m.client = x.words.Of(client)
}
