package dnslog

import (
	"bytes"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// dnsmasq reads the lines of log-queries, also in Pi-hole. log-queries=extra puts a
// serial number and the client in front:
//
//	query[MX] example.ml from 192.0.2.25
//	1 192.0.2.25/38484 query[MX] example.ml from 192.0.2.25
//
// Names have no escapes and may contain spaces. So the parser looks for the client
// from the right, and for the word query only at the beginning. A name with other
// characters, or with a dot within a label, is not told.
type dnsmasq struct{ *queries }

func newDnsmasq(q *queries) event.Parser { return &dnsmasq{q} }

var dnsmasqFrom = []byte(" from ")

// Line reads a line of dnsmasq's log.
func (p *dnsmasq) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	text := afterSerial(l.Text)
	query, is := bytes.CutPrefix(text, []byte("query["))
	if !is {
		return dnsmasqOther(l, text)
	}
	qtype, rest, ok := bytes.Cut(query, []byte("] "))
	at := bytes.LastIndex(rest, dnsmasqFrom)
	if !ok || at < 0 {
		return event.Unknown
	}
	if string(rest[:at]) == "<name unprintable>" {
		return p.unnamed(l)
	}
	a := asked{client: rest[at+len(dnsmasqFrom):], name: p.present(rest[:at]), qtype: qtype}
	if string(a.name) == "" {
		a.name = []byte(".")
	}
	return p.take(l, a, emit)
}

// afterSerial returns the text after "1 192.0.2.25/38484 ", if that is there.
func afterSerial(b []byte) []byte {
	serial, rest := word(b)
	if number(serial) < 0 {
		return b
	}
	client, rest := word(rest)
	if bytes.IndexByte(client, '/') < 0 {
		return b
	}
	return rest
}

// dnsmasqOther tells other lines of dnsmasq from those of other programs.
func dnsmasqOther(l *event.Line, text []byte) event.Taken {
	switch l.Program {
	case "dnsmasq", "dnsmasq-dhcp", "dnsmasq-tftp", "dnsmasq-script", "pihole-FTL":
		return event.Passed
	}
	kind, _ := word(text)
	switch string(kind) {
	case "forwarded", "reply", "cached", "config", "cached-stale", "gravity", "validation":
		return event.Passed
	}
	return event.Unknown
}
