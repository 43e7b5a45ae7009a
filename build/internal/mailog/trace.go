package mailog

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/csvline"
	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/stamp"
)

// trace reads message traces of Microsoft 365 as PowerShell and the portal
// export them: a row for each message and recipient, or for each message with a
// status for each recipient. Columns are found by name.
type trace struct {
	*queue
	columns csvline.Columns
	file    string
	sep     byte
	record  csvline.Record
	now     time.Time

	order    stamp.DayOrder
	held     []heldRow // rows that can be read either way round
	rows     int       // of this file
	warnings []string
}

// heldRow is a row that waits until it is known which number is the day.
type heldRow struct {
	line             event.Line
	id, from, client string
	outcomes         []traced
	times            [2]time.Time // by order
}

// traced is what became of a message for a recipient.
type traced struct {
	to string
	event.Outcome
}

// maxHeld bounds the rows that wait.
const maxHeld = 20_000

// fullPage is how many rows a trace returns at most: it ends there, whether or
// not there are more.
const fullPage = 5000

func newTrace(o event.Options) event.Parser { return &trace{queue: newQueue(), now: o.Now} }

// traceColumns are the names of columns, without case, blanks, underscores and
// the zone.
var traceColumns = map[string]string{
	"received": "time", "origintimestamp": "time", "date": "time", "datetime": "time", "receiveddatetime": "time", "timestamp": "time",
	"senderaddress": "sender", "sender": "sender", "from": "sender",
	"recipientaddress": "recipient", "recipient": "recipient", "recipients": "recipient", "to": "recipient",
	"status": "status", "deliverystatus": "status", "recipientstatus": "recipients",
	"fromip": "client", "originalclientip": "client", "clientip": "client", "toip": "hop",
	"messageid": "message", "messagetraceid": "trace", "networkmessageid": "trace",
}

// traceOutcomes are the words of Status, and of the steps in recipient_status.
// A message in quarantine waits for somebody to release it.
var traceOutcomes = map[string]event.Outcome{
	"delivered": event.Delivered, "deliver": event.Delivered, "send": event.Delivered, "filteredasspam": event.Delivered,
	"failed": event.Bounced, "fail": event.Bounced, "drop": event.Bounced,
	"pending": event.Deferred, "defer": event.Deferred, "quarantined": event.Deferred, "quarantine": event.Deferred, "gettingstatus": event.Deferred,
}

func (p *trace) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	p.emit = emit
	if l.File != p.file {
		p.endFile()
		p.file, p.columns = l.File, nil
	}
	if p.columns == nil {
		return p.header(l)
	}
	if !p.record.Read(l.Text, p.sep) {
		return event.Passed
	}
	return p.row(l)
}

func (p *trace) Flush(emit func(*event.Event)) {
	p.emit = emit
	p.endFile()
	p.file = ""
	p.flush()
}

// header reads the first line, or passes "#TYPE ..", which Windows PowerShell
// writes before it.
func (p *trace) header(l *event.Line) event.Taken {
	if hasPrefix(l.Text, "#TYPE ") {
		return event.Passed
	}
	for _, sep := range []byte{',', ';', '\t'} {
		var r csvline.Record
		if !r.Read(l.Text, sep) {
			continue
		}
		found := make(csvline.Columns)
		for i, f := range r.Fields {
			if name, ok := traceColumns[columnName(f)]; ok {
				if _, double := found[name]; !double {
					found[name] = i
				}
			}
		}
		if found.Has("time", "sender", "recipient", "status") || found.Has("time", "sender", "recipients") {
			p.columns, p.sep = found, sep
			return event.Used
		}
	}
	return event.Unknown
}

// columnName returns the letters of a column's name, without the zone: the
// column "origin_timestamp_utc" is origintimestamp.
func columnName(b []byte) string {
	name := strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c >= 'a' && c <= 'z':
			return c
		}
		return -1
	}, string(b))
	return strings.TrimSuffix(name, "utc")
}

func (p *trace) get(name string) []byte { return p.columns.Get(&p.record, name) }

// row reads a message, or holds it until the order of day and month is known.
func (p *trace) row(l *event.Line) event.Taken {
	times, order, ok := stamp.Country(p.get("time"))
	if !ok {
		return event.Unknown
	}
	h := heldRow{line: *l, times: times, from: string(p.get("sender")), client: string(p.get("client"))}
	h.line.Text = nil
	h.id = string(p.get("trace"))
	if h.id == "" {
		h.id = string(p.get("message"))
	}
	if h.outcomes, ok = p.outcomes(); !ok {
		return event.Unknown
	}
	p.rows++
	same := times[stamp.DayFirst].Equal(times[stamp.MonthFirst]) // of such a date the order is nothing
	switch {
	case same && len(p.held) == 0:
		p.take(&h, order, false)
	case !same && order != stamp.EitherFirst:
		p.decide(order, false)
		p.take(&h, order, false)
	case p.order != stamp.EitherFirst:
		p.take(&h, p.order, false)
	default:
		p.hold(h)
	}
	return event.Used
}

// hold keeps a row until a date tells the order, or there are too many.
func (p *trace) hold(h heldRow) {
	if p.held = append(p.held, h); len(p.held) >= maxHeld {
		p.guess()
	}
}

// outcomes reads the status of the row's recipients. A status that is no
// outcome, such as Expanded, tells nothing.
func (p *trace) outcomes() (all []traced, ok bool) {
	if p.columns.Has("status", "recipient") {
		o, known := traceOutcomes[columnName(p.get("status"))]
		for to := range bytes.SplitSeq(p.get("recipient"), []byte(";")) {
			if to = bytes.TrimSpace(to); known && len(to) > 0 {
				all = append(all, traced{string(to), o})
			}
		}
		return all, true
	}
	// addr##Receive, Send;addr2##Receive, Fail
	for part := range bytes.SplitSeq(p.get("recipients"), []byte(";")) {
		to, steps, ok := bytes.Cut(part, []byte("##"))
		if !ok {
			return nil, len(part) == 0
		}
		last, found := event.Outcome(0), false
		for step := range bytes.SplitSeq(steps, []byte(",")) {
			if o, known := traceOutcomes[columnName(step)]; known {
				last, found = o, true
			}
		}
		if found {
			all = append(all, traced{string(bytes.TrimSpace(to)), last})
		}
	}
	return all, true
}

// take notes a row whose time is known, or guessed.
func (p *trace) take(h *heldRow, order stamp.DayOrder, guessed bool) {
	l := h.line
	l.Time, l.YearKnown, l.ZoneKnown = h.times[order%2], true, !guessed
	if h.id == "" {
		h.id = fmt.Sprintf("%s:%d", l.File, l.Number)
	}
	l.Host = ""
	if h.from == "<>" {
		h.from = ""
	}
	m := p.message(&l, []byte(h.id))
	m.sender, m.known = h.from, true
	m.client = p.words.Of([]byte(h.client))
	for _, t := range h.outcomes {
		p.outcome(m, &l, []byte(t.to), nil, t.Outcome, nil)
	}
}

// decide takes the rows that waited.
func (p *trace) decide(order stamp.DayOrder, guessed bool) {
	if p.order == stamp.EitherFirst {
		p.order = order
	}
	held := p.held
	p.held = nil
	for i := range held {
		p.take(&held[i], order, guessed)
	}
}

// guess decides where no row has a day over 12: a trace covers few days, which
// become months when day and month are confused; and none is in the future.
func (p *trace) guess() {
	if len(p.held) == 0 {
		return
	}
	var span [2]time.Duration
	for o := range span {
		first, last := p.held[0].times[o], p.held[0].times[o]
		for _, h := range p.held {
			if t := h.times[o]; t.Before(first) {
				first = t
			} else if t.After(last) {
				last = t
			}
		}
		span[o] = last.Sub(first)
		if !p.now.IsZero() && last.After(p.now.Add(24*time.Hour)) {
			span[o] += 1000 * 24 * time.Hour
		}
	}
	order, tells := stamp.MonthFirst, span[0] != span[1]
	if span[stamp.DayFirst] < span[stamp.MonthFirst] {
		order = stamp.DayFirst
	}
	if !tells {
		p.warnings = append(p.warnings, `dates such as 3/4/2026 can be read two ways; taken as month/day: export with "Get-Date -Format o" to be sure`)
	}
	p.decide(order, true)
}

// endFile decides what waited, and says whether the export was cut off.
func (p *trace) endFile() {
	p.guess()
	if p.rows > 0 && p.rows%fullPage == 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("%d rows, which is as many as a message trace returns: it may be cut off. Ask for fewer days at once", p.rows))
	}
	p.order, p.rows = stamp.EitherFirst, 0
	p.record.Reset()
}

// Warnings returns what there is to say of the file that has ended.
func (p *trace) Warnings() []string {
	p.endFile()
	w := p.warnings
	p.warnings = nil
	return w
}
