// Package digest makes a page of the alerts of a month.
package digest

import (
	"strconv"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/build/internal/tally"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// limits bound the memory, whatever the alerts hold.
type limits struct {
	names    tally.Room // lookalikes that are told apart
	entries  tally.Room // mail servers, senders and groups
	days     tally.Room // of single names
	messages tally.Room // alerts that are shown
	spans    tally.Room // runs of sequence numbers
}

var usual = limits{names: 20_000, entries: 500_000, days: 500_000, messages: 40_000, spans: 200_000}

// Builder collects alerts. Its memory does not grow with their number. It is not safe
// for concurrent use.
type Builder struct {
	limits
	from, to time.Time // the month
	before   time.Time // the beginning of the month before
	zone     *time.Location
	hide     *report.Hider

	found   map[string]*name // by registrable name
	total   report.Counts
	earlier report.Counts // of the month before
	groups  tally.Distinct
	servers tally.Distinct
	byClass tally.Tally
	byHost  tally.Tally
	byFrom  tally.Tally // domains of senders whose mail was refused
	perDay  map[report.Date]report.Counts

	refused   uint64 // messages, by the SMTP responder
	rolled    uint64 // queries that were rolled up over many names
	single    bool   // there are alerts of single queries (every=query)
	grouped   bool   // and of groups
	tests     uint64
	twice     uint64
	leftOut   uint64
	sequences map[string]*sequence
	sensors   map[string]*sensor
	files     map[string]*report.Destination
}

// New returns a builder for the month that contains t.
func New(t time.Time, hide *report.Hider) *Builder {
	from := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
	b := &Builder{
		limits: usual, from: from, to: from.AddDate(0, 1, 0), before: from.AddDate(0, -1, 0), zone: t.Location(), hide: hide,
		found: make(map[string]*name), perDay: make(map[report.Date]report.Counts),
		sequences: make(map[string]*sequence), sensors: make(map[string]*sensor), files: make(map[string]*report.Destination),
	}
	b.groups, b.servers = tally.NewDistinct(&b.entries), tally.NewDistinct(&b.entries)
	b.byClass, b.byHost, b.byFrom = tally.New(&b.entries), tally.New(&b.entries), tally.New(&b.entries)
	return b
}

// Add adds an alert and reports whether the page includes it. An alert that occurs in
// several files counts once.
func (b *Builder) Add(r *alertlog.Record) bool {
	file := b.file(r.File)
	if r.Phase == record.Test {
		b.tests++
		return false
	}
	if b.delivered(r, file); r.Phase == record.Lost {
		return false
	}
	if r.Phase != record.Query && !b.fresh(r) {
		b.twice++
		return false
	}
	r.End = r.End.In(b.zone)
	c := count(r)
	switch {
	case !r.End.Before(b.to) || r.End.Before(b.before):
		return false
	case r.End.Before(b.from):
		b.earlier.Add(c)
		if n := b.found[r.Registrable]; n != nil || r.Registrable != record.Any {
			b.name(r).earlier += c.Queries
		}
		return false
	}
	b.count(r, c)
	return true
}

// count returns what an alert counts.
func count(r *alertlog.Record) report.Counts {
	c := report.Counts{Queries: r.Count}
	if r.Blocked() {
		c.Stopped = r.Count
	}
	return c
}

// count adds an alert of the month.
func (b *Builder) count(r *alertlog.Record, c report.Counts) {
	b.single, b.grouped = b.single || r.Phase == record.Query, b.grouped || r.Phase != record.Query
	b.total.Add(c)
	day := report.DateOf(r.End)
	sum := b.perDay[day]
	sum.Add(c)
	b.perDay[day] = sum
	host := ""
	if r.Client.IsValid() {
		host = r.Client.String()
	}
	b.servers.Add(host)
	b.byClass.Add(r.Class.String(), c)
	b.byHost.Add(host, c)
	incident := b.groups.Add(r.Group)
	for i := range r.SMTP {
		b.byFrom.Add(strings.ToLower(event.Domain(r.SMTP[i].From)), report.Counts{Queries: 1, Stopped: 1})
	}
	refused := uint64(len(r.SMTP)) + r.SMTPMore
	b.refused += refused
	if r.Registrable == record.Any || r.Registrable == "" {
		b.rolled += r.Count
		return
	}
	if n := b.name(r); n != nil {
		n.add(b, r, c, host, incident, refused)
	} else {
		b.leftOut++
	}
}

// name returns what is known of the alert's name, or nil where there is no room.
func (b *Builder) name(r *alertlog.Record) *name {
	n := b.found[r.Registrable]
	if n == nil && b.names.Take() {
		n = b.newName()
		b.found[r.Registrable] = n
	}
	return n
}

func (b *Builder) file(path string) *report.Destination {
	f := b.files[path]
	if f == nil {
		f = &report.Destination{File: path}
		b.files[path] = f
	}
	return f
}

// delivered counts what came by a file, and what the server says did not.
func (b *Builder) delivered(r *alertlog.Record, f *report.Destination) {
	s := b.sensors[r.Sensor]
	if s == nil {
		s = &sensor{Sensor: report.Sensor{Name: r.Sensor}}
		b.sensors[r.Sensor] = s
	}
	if r.Phase == record.Lost {
		if g := r.Lost; g != nil && !r.End.Before(b.from) && r.End.Before(b.to) {
			f.Lost += g.Records
			f.Detections += g.Detections
			because(f, g)
		}
		return
	}
	f.Records++
	s.seen(r)
}

// because adds the reason of a loss.
func because(f *report.Destination, g *record.Gap) {
	const most = 20
	for i := range f.Reasons {
		if f.Reasons[i].Reason == g.Reason {
			f.Reasons[i].Records += g.Records
			return
		}
	}
	if len(f.Reasons) < most {
		f.Reasons = append(f.Reasons, report.Why{Reason: g.Reason, Records: g.Records})
	}
}

// fresh reports whether the alert has not come before.
func (b *Builder) fresh(r *alertlog.Record) bool {
	if r.Sequence == 0 || r.Epoch == "" {
		return true
	}
	s := b.sequences[r.Epoch]
	if s == nil {
		if !b.spans.Take() {
			return true
		}
		s = &sequence{sensor: r.Sensor}
		b.sequences[r.Epoch] = s
	}
	return s.add(r.Sequence, &b.spans)
}

// Columns are the columns of the CSV form, which has one row per alert. SCHEMA.md of
// package report describes them.
var Columns = []string{
	"time", "sensor", "phase", "client", "name", "type", "count", "registrable", "unicode", "class", "confidence",
	"protected", "did_you_mean", "action", "stopped", "reason", "group", "event_id", "file", "line",
}

// Row returns an alert in the order of Columns.
func Row(r *alertlog.Record) []string {
	client, protected, meant := "", "", ""
	if r.Client.IsValid() {
		client = r.Client.String()
	}
	if len(r.Protected) > 0 {
		protected = r.Protected[0]
	}
	if len(r.DidYouMean) > 0 {
		meant = r.DidYouMean[0]
	}
	return []string{
		r.End.Format(time.RFC3339), r.Sensor, r.Phase.String(), client, r.Name, r.Qtype, strconv.FormatUint(r.Count, 10), r.Registrable, r.Unicode,
		r.Class.String(), r.Confidence.String(), protected, meant, r.Action.String(), strconv.FormatBool(r.Blocked()), r.Reason, r.Group, r.ID, r.File, strconv.Itoa(r.Line),
	}
}
