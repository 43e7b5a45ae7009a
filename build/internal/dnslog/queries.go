package dnslog

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"net/netip"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/dnslog/presentation"
	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// asked is the query of one line. The slices are parts of the line.
type asked struct {
	client, name, qtype []byte
	time                time.Time // zero: the wrapper's
	guessed             bool      // the zone of time is assumed
}

// queries makes events for all parsers. An event costs no allocation, unless it has
// a new name that the caller wants.
type queries struct {
	event.Options

	e       event.Event
	clients interned // addresses, in the one form that all formats share
	names   interned
	qtypes  interned
	hosts   interned
	escaped []byte // the last name that lacked escapes

	nameless int    // queries of the file that the log does not name
	cure     string // for people: how to log names
}

func newQueries(format string, o event.Options) *queries {
	return &queries{Options: o, e: event.Event{Format: format, Outcome: event.Queried}}
}

// Flush does nothing: most parsers hold nothing back.
func (q *queries) Flush(func(*event.Event)) {}

// Warnings says how many queries of the file had no name.
func (q *queries) Warnings() []string {
	var w warnings
	w.count(q.nameless, "queries name no domain"+q.cure)
	q.nameless = 0
	return w
}

// warnings say what the events of a file lack.
type warnings []string

// count warns of n things, if there are any.
func (w *warnings) count(n int, what string) {
	if n > 0 {
		*w = append(*w, fmt.Sprintf("%d %s", n, what))
	}
}

// unnamed counts a query that the log does not name.
func (q *queries) unnamed(l *event.Line) event.Taken {
	q.nameless += max(l.Repeated, 1)
	return event.Passed
}

// wants reports whether the caller wants events about the name.
func (q *queries) wants(name []byte) bool { return q.Wanted == nil || q.Wanted(name) }

// location returns the zone of times that have none, and whether it is assumed.
func (q *queries) location() (*time.Location, bool) {
	return cmp.Or(q.Location, time.Local), q.Location == nil
}

// take emits the query. A line with an invalid client or name is Unknown.
func (q *queries) take(l *event.Line, a asked, emit func(*event.Event)) event.Taken {
	if !q.fill(l, a) {
		return event.Unknown
	}
	emit(&q.e)
	return event.Used
}

// fill makes the event, and reports whether its parts are valid.
func (q *queries) fill(l *event.Line, a asked) bool {
	q.e.Time, q.e.Guessed = a.time, a.guessed
	if a.time.IsZero() {
		q.e.Time, q.e.Guessed = l.Time, !l.Time.IsZero() && l.Guessed()
	}
	q.e.Logger, q.e.File, q.e.Line, q.e.Count = l.Host, l.File, l.Number, max(l.Repeated, 1)
	if q.e.Bare = !q.wants(a.name); q.e.Bare {
		q.e.Name, q.e.Client, q.e.Qtype = ".", "", ""
		return true
	}
	return q.identify(a)
}

// identify says who asked for what.
func (q *queries) identify(a asked) bool {
	var ok, known bool
	if q.e.Name, known = q.names.get(a.name); !known {
		if !presentation.Valid(a.name) {
			return false
		}
		q.e.Name = q.names.put(a.name, string(a.name))
	}
	if q.e.Client, ok = q.address(a.client); !ok {
		return false
	}
	q.e.Qtype, ok = q.typeName(a.qtype)
	return ok
}

// address returns an address in the form that all formats share: IPv4 in IPv6 is
// IPv4. An empty address is valid: some formats do not know the client.
func (q *queries) address(b []byte) (string, bool) {
	if s, known := q.clients.get(b); known || len(b) == 0 {
		return s, true
	}
	a, err := netip.ParseAddr(string(b))
	if err != nil {
		return "", false
	}
	return q.clients.put(b, a.Unmap().String()), true
}

// typeName returns the mnemonic of a query type, also from its number: servers
// write that for a type that they do not know.
func (q *queries) typeName(b []byte) (string, bool) {
	if s, known := q.qtypes.get(b); known || len(b) == 0 {
		return s, true
	}
	s := presentation.Type(string(b))
	if s == "" {
		return "", false
	}
	return q.qtypes.put(b, s), true
}

// present returns the presentation format of a name without escapes. The result is
// valid until the next call.
func (q *queries) present(raw []byte) []byte {
	if presentation.Plain(raw) {
		return raw
	}
	q.escaped = presentation.Append(q.escaped[:0], raw)
	return q.escaped
}

// slots is how many texts of one kind are kept: a power of two. The longest names,
// of 1 KB, fill 4 MB.
const slots = 4096

// interned keeps one copy of recurring texts: the last one of each hash. It costs
// less than a map, and is bounded. The zero value is empty.
type interned struct {
	seed  maphash.Seed
	known []slot
}

type slot struct{ text, value string }

// get returns the value that was last put for b, if it is still there.
func (t *interned) get(b []byte) (string, bool) {
	if t.known == nil {
		return "", false
	}
	s := &t.known[t.at(b)]
	return s.value, s.value != "" && s.text == string(b)
}

// put keeps value, which is not empty, for b.
func (t *interned) put(b []byte, value string) string {
	if t.known == nil {
		t.seed, t.known = maphash.MakeSeed(), make([]slot, slots)
	}
	text := value
	if text != string(b) {
		text = string(b)
	}
	t.known[t.at(b)] = slot{text, value}
	return value
}

func (t *interned) at(b []byte) uint64 { return maphash.Bytes(t.seed, b) % slots }
