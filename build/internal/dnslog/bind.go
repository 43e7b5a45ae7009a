package dnslog

import (
	"bytes"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// bind reads BIND's category queries:
//
//	25-Nov-2026 21:51:05.364 queries: info: client @0x7fbe 192.0.2.25#33785 (example.ml): view a: query: example.ml IN MX +E(0)K (192.0.2.53)
//
// Time, category and severity are as logging says, and what stands between the
// client and the query changed in versions 9.9, 9.11 and 9.12. A view's name may
// contain anything, so the query is sought from the right.
type bind struct{ *queries }

func newBIND(q *queries) event.Parser { return &bind{q} }

var (
	bindQuery  = []byte(": query: ")
	bindClient = []byte("client ")
)

// Line reads a line of named's log.
func (p *bind) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	before, query := cutLast(l.Text, bindQuery)
	if query == nil {
		return bindOther(l)
	}
	name, rest := word(query)
	if !p.wants(name) {
		return event.Used
	}
	class, rest := word(rest)
	qtype, _ := word(rest)
	client, ok := bindAddress(before)
	if !ok {
		return bindOther(l)
	}
	if len(qtype) == 0 {
		return event.Unknown
	}
	if string(class) != "IN" {
		return event.Passed
	}
	a := asked{client: client, name: name, qtype: qtype}
	where, assumed := p.location()
	if a.time, ok = bindTime(l.Text, where); ok {
		a.guessed = assumed
	}
	return p.take(l, a, emit)
}

// cutLast cuts b at the last separator; after is nil where there is none.
func cutLast(b, separator []byte) (before, after []byte) {
	i := bytes.Index(b, separator)
	if i < 0 {
		return b, nil
	}
	for {
		next := bytes.Index(b[i+1:], separator)
		if next < 0 {
			return b[:i], b[i+len(separator):]
		}
		i += 1 + next
	}
}

// bindAddress returns the client's address, of "client @0x7fbe 192.0.2.25#33785".
func bindAddress(b []byte) ([]byte, bool) {
	i := bytes.Index(b, bindClient)
	if i < 0 {
		return nil, false
	}
	b = b[i+len(bindClient):]
	if bytes.HasPrefix(b, []byte("@0x")) {
		_, b = word(b)
	}
	address, _, ok := bytes.Cut(b, []byte("#"))
	return address, ok
}

// bindOther tells other lines of named from those of other programs.
func bindOther(l *event.Line) event.Taken {
	if l.Program == "named" || bytes.HasPrefix(l.Text, bindClient) {
		return event.Passed
	}
	if _, ok := bindTime(l.Text, time.UTC); ok {
		return event.Passed
	}
	category, _ := word(l.Text)
	if name, colon := bytes.CutSuffix(category, []byte(":")); colon && bindCategories[string(name)] {
		return event.Passed
	}
	return event.Unknown
}

// bindCategories are what print-category and print-severity write in front.
var bindCategories = set("client", "cname", "config", "database", "default", "delegation-only", "dispatch", "dnssec",
	"dnstap", "edns-disabled", "general", "lame-servers", "network", "notify", "nsid", "queries", "query-errors",
	"rate-limit", "resolver", "responses", "rpz", "rpz-passthru", "security", "serve-stale", "spill", "sslkeylog",
	"trust-anchor-telemetry", "unmatched", "update", "update-security", "xfer-in", "xfer-out", "zoneload")

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

// bindTime reads the stamp of print-time local, 25-Nov-2026 21:51:05.364. Those
// of print-time iso8601 are the wrapper's.
func bindTime(b []byte, where *time.Location) (time.Time, bool) {
	const layout = "25-Nov-2026 21:51:05.364"
	if len(b) < len(layout) || b[2] != '-' || b[6] != '-' || b[11] != ' ' {
		return time.Time{}, false
	}
	day, year, mon := number(b[:2]), number(b[7:11]), month(b[3:6])
	h, m, s, ns, ok := clock(b[12:len(layout)])
	if !ok || day < 1 || day > 31 || year < 0 || mon == 0 {
		return time.Time{}, false
	}
	return time.Date(year, mon, day, h, m, s, ns, where), true
}
