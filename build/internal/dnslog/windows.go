package dnslog

import (
	"bytes"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/dnslog/presentation"
	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// windows reads the debug log of the DNS service of Windows:
//
//	11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25  5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)
//
// The date is in the server's locale. A received packet that is not a response (R Q)
// is a query. A sent one is the forwarder's copy.
type windows struct {
	*queries
	order   dateOrder
	inside  bool // in a log of this kind: indented lines are its details
	decoded []byte
}

func newWindows(q *queries) event.Parser { return &windows{queries: q} }

// Line reads a line of the debug log.
func (p *windows) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	stamp, text, is := bytes.Cut(l.Text, []byte(" PACKET "))
	if !is || !startsWithDigit(stamp) {
		return p.other(l.Text)
	}
	p.inside = true
	_, text, received := bytes.Cut(text, []byte(" Rcv "))
	if !received {
		return event.Passed // Snd
	}
	client, text := field(text)
	_, text = field(text) // id
	kind, text, ok := bytes.Cut(text, []byte("["))
	_, text, closed := bytes.Cut(text, []byte("]"))
	qtype, text := field(text)
	if !ok || !closed {
		return event.Unknown
	}
	if string(bytes.TrimSpace(kind)) != "Q" { // R Q, N (notify), U (update)
		return event.Passed
	}
	name, ok := p.name(bytes.TrimSpace(text))
	if !ok {
		return event.Unknown
	}
	a := asked{client: client, name: name, qtype: qtype}
	if a.time, a.guessed, ok = p.order.read(stamp, p.queries); !ok {
		return event.Unknown
	}
	return p.take(l, a, emit)
}

// other tells other lines of the log from those of other programs.
func (p *windows) other(b []byte) event.Taken {
	for _, start := range []string{"DNS Server log file ", "Log file wrap at ", "Message logging key"} {
		if bytes.HasPrefix(b, []byte(start)) {
			p.inside = true
			return event.Passed
		}
	}
	for _, kind := range []string{" EVENT ", " Note: ", " DSPOLL ", " LOOKUP ", " RECURSE ", " REMOTE ", " CACHE ", " Error: "} {
		if startsWithDigit(b) && p.inside && bytes.Contains(b, []byte(kind)) {
			return event.Passed
		}
	}
	if p.inside && (len(b) == 0 || b[0] == ' ' || b[0] == '\t' ||
		bytes.HasPrefix(b, []byte("UDP ")) || bytes.HasPrefix(b, []byte("TCP "))) {
		return event.Passed
	}
	return event.Unknown
}

func startsWithDigit(b []byte) bool { return len(b) > 0 && digit(b[0]) }

// field returns the next word, after any number of spaces, and the rest.
func field(b []byte) (first, rest []byte) { return word(bytes.TrimLeft(b, " ")) }

// name reads (7)example(2)ml(0). A label may contain parentheses: its length
// says where it ends.
func (p *windows) name(b []byte) ([]byte, bool) {
	name := p.decoded[:0]
	for len(b) > 0 && b[0] == '(' {
		length, rest, ok := bytes.Cut(b[1:], []byte(")"))
		n := number(length)
		if !ok || n < 0 || n > presentation.MaxLabel || n > len(rest) {
			return nil, false
		}
		if n == 0 {
			if len(name) == 0 {
				name = append(name, '.')
			}
			p.decoded = name
			return name, len(rest) == 0
		}
		name = presentation.AppendLabel(name, rest[:n])
		b = rest[n:]
	}
	return nil, false
}

// dateOrder is the order of day and month, as far as the dates show it.
type dateOrder uint8

const (
	unknownOrder dateOrder = iota
	dayFirst
	monthFirst
)

// read reads a stamp: six numbers in the order of the server's locale, and perhaps
// AM or PM. The year is the number of four digits. A number above 12 is the day, and
// shows the order for this stamp and all later ones. Until then, the month is first
// if a slash separates the two and the clock has 12 hours.
func (o *dateOrder) read(b []byte, q *queries) (t time.Time, guessed, ok bool) {
	i := bytes.LastIndexByte(b, ' ') // before the thread's number
	if i < 0 {
		return t, false, false
	}
	n, ok := stampNumbers(b[:i])
	if !ok {
		return t, false, false
	}
	where, guessed := q.location()
	var year, month, day int
	switch {
	case n[0] > 31: // year, month, day
		year, month, day = n[0], n[1], n[2]
	default:
		twelve := bytes.ContainsAny(b[:i], "Mm")
		year = n[2]
		var sure bool
		day, month, sure = o.dayAndMonth(n[0], n[1], !twelve || bytes.IndexByte(b[:i], '/') < 0)
		guessed = guessed || !sure
	}
	if year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 || n[3] > 24 || n[4] > 59 || n[5] > 60 {
		return t, false, false
	}
	return time.Date(year, time.Month(month), day, hourOf(n[3], b[:i]), n[4], n[5], 0, where), guessed, true
}

// dayAndMonth tells day and month apart, and reports whether that is sure.
func (o *dateOrder) dayAndMonth(first, second int, likelyDayFirst bool) (day, month int, sure bool) {
	switch {
	case first > 12:
		*o = dayFirst
	case second > 12:
		*o = monthFirst
	}
	if *o == dayFirst || *o == unknownOrder && likelyDayFirst {
		return first, second, *o != unknownOrder || first == second
	}
	return second, first, *o != unknownOrder || first == second
}

// stampNumbers returns the six numbers of a stamp. A date without separators is
// 20261125.
func stampNumbers(b []byte) (n [6]int, ok bool) {
	k := 0
	for i := 0; i < len(b); {
		if !digit(b[i]) {
			i++
			continue
		}
		end := i
		for end < len(b) && digit(b[end]) {
			end++
		}
		v := number(b[i:end])
		if k == 0 && end-i == len("20261125") {
			n[0], n[1], n[2], k = v/10000, v/100%100, v%100, 3
		} else {
			if k == len(n) || v < 0 {
				return n, false
			}
			n[k] = v
			k++
		}
		i = end
	}
	return n, k == len(n)
}

// hourOf returns the hour of a day. On a clock of 12 hours, 12 AM is midnight.
func hourOf(hour int, stamp []byte) int {
	switch {
	case bytes.ContainsAny(stamp, "Pp") && hour < 12:
		return hour + 12
	case bytes.ContainsAny(stamp, "Aa") && hour == 12:
		return 0
	}
	return hour
}
