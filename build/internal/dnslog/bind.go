package dnslog

import (
	"bytes"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/stamp"
)

// bind reads BIND's category queries:
//
//	25-Nov-2026 21:51:05.364 queries: info: client @0x7fbe 192.0.2.25#33785 (example.ml): view a: query: example.ml IN MX +E(0)K (192.0.2.53)
//
// The logging statement sets time, category and severity. The text between client
// and query changed in versions 9.9, 9.11 and 9.12. A view's name may contain
// anything, so the parser looks for the query from the right.
type bind struct{ *queries }

func newBIND(q *queries) event.Parser { return &bind{q} }

var (
	bindQuery  = []byte(": query:")
	bindClient = []byte("client ")
)

// Line reads a line of named's log.
func (p *bind) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	before, query := cutQuery(l.Text)
	if query == nil {
		return bindOther(l)
	}
	name, rest := word(query)
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

// bindWords is the most words after "query:": name, class, type, flags, server, and
// the two of [ECS PREFIX].
const bindWords = 7

// cutQuery cuts a line at the last ": query: "; after is nil if there is none. It
// looks word by word from the right, so other lines cost little.
func cutQuery(b []byte) (before, after []byte) {
	end := len(b)
	for range bindWords {
		if end = bytes.LastIndexByte(b[:end], ' '); end < 0 {
			break
		}
		if before, ok := bytes.CutSuffix(b[:end], bindQuery); ok {
			return before, b[end+1:]
		}
	}
	return b, nil
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

// bindCategories are the words that print-category writes in front.
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

// bindTime reads the stamp of print-time local, 25-Nov-2026 21:51:05.364. The
// wrapper reads that of print-time iso8601.
func bindTime(b []byte, where *time.Location) (time.Time, bool) {
	const layout = "25-Nov-2026 21:51:05.364"
	if len(b) < len(layout) {
		return time.Time{}, false
	}
	for i, c := range []byte(layout) {
		if !digit(c) && c != b[i] && (i < 3 || i > 5) || digit(c) && !digit(b[i]) {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	day, mon, year := two(0), stamp.Month(b[3:6]), two(7)*100+two(9)
	h, m, s, ms := two(12), two(15), two(18), two(21)*10+int(b[23]-'0')
	if day < 1 || day > 31 || mon == 0 || h > 24 || m > 59 || s > 60 {
		return time.Time{}, false
	}
	return time.Date(year, mon, day, h, m, s, ms*1e6, where), true
}
