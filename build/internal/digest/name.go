package digest

import (
	"slices"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/build/internal/tally"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// What is kept of one name.
const (
	keptTyped    = 5
	keptMessages = 30
	keptTop      = 10
)

// name is what is known of one registrable lookalike.
type name struct {
	record    *alertlog.Record // the one that tells most
	typed     []string
	counts    report.Counts
	earlier   uint64 // queries of the month before
	incidents uint64
	refused   uint64 // messages
	senders   tally.Tally
	who       tally.Distinct
	hosts     tally.Tally
	mail      map[string]uint64 // queries by hosts that asked for an MX record, on the way out
	days      tally.Days
	first     time.Time
	last      time.Time
	messages  []report.Message // the latest, as a ring
	next      int
}

func (b *Builder) newName() *name {
	return &name{
		senders: tally.New(&b.entries), who: tally.NewDistinct(&b.entries), hosts: tally.New(&b.entries),
		mail: make(map[string]uint64), days: tally.NewDays(&b.days),
	}
}

func (n *name) add(b *Builder, r *alertlog.Record, c report.Counts, host string, incident bool, refused uint64) {
	if n.record == nil || stronger(r, n.record) {
		n.record = r
	}
	for _, typed := range append(r.Samples, r.Name) {
		if len(n.typed) < keptTyped && typed != "" && !slices.Contains(n.typed, typed) {
			n.typed = append(n.typed, typed)
		}
	}
	n.counts.Add(c)
	n.refused += refused
	if incident {
		n.incidents++
	}
	n.hosts.Add(host, c)
	if _, known := n.mail[host]; host != "" && outgoing(r) && (known || slices.Contains(r.Qtypes, "MX")) && n.hosts.Of(host).Queries > 0 {
		n.mail[host] += r.Count
	}
	for i := range r.SMTP {
		from := r.SMTP[i].From
		n.senders.Add(b.hide.Address(from), report.Counts{Queries: 1, Stopped: 1})
		n.who.Add(from)
	}
	n.days.Add(report.DateOf(r.End))
	if n.first.IsZero() || r.Start.Before(n.first) {
		n.first = r.Start
	}
	if r.End.After(n.last) {
		n.last = r.End
	}
	if c.Queries > 0 {
		n.keep(b, r, host)
	}
}

// keep keeps the alert among the latest.
func (n *name) keep(b *Builder, r *alertlog.Record, host string) {
	m := report.Message{
		Time: r.End, Name: r.Name, Type: r.Qtype, Host: host, Outcome: r.Action.Outcome(r.Rcode), Count: r.Count, File: r.File, Line: r.Line,
	}
	if len(r.SMTP) > 0 {
		m.Sender, m.Recipient = b.hide.Address(r.SMTP[0].From), b.hide.Address(r.SMTP[0].To)
	}
	switch {
	case len(n.messages) < keptMessages:
		if b.messages.Take() {
			n.messages = append(n.messages, m)
		}
	default:
		n.messages[n.next] = m
		n.next = (n.next + 1) % keptMessages
	}
}

// outgoing reports whether mail may have been on its way out. Queries for SPF,
// DKIM and DMARC check mail that came in.
func outgoing(r *alertlog.Record) bool {
	return !slices.ContainsFunc(r.Contexts, func(c string) bool { return c == "spf" || c == "dkim" || c == "dmarc" })
}

// stronger reports whether a tells more than b.
func stronger(a, b *alertlog.Record) bool {
	if a.Confidence != b.Confidence {
		return a.Confidence > b.Confidence
	}
	return a.Class != detect.None && a.Class < b.Class
}

// row returns what the page says of the name.
func (n *name) row(registrable string) report.Name {
	r := n.record
	row := report.Name{
		Name: registrable, Unicode: r.Unicode, Typed: n.typed, Protected: r.Protected, DidYouMean: r.DidYouMean,
		Class: r.Class, Confidence: r.Confidence, Reason: r.Reason, Action: r.Action.String(), Decision: report.Stopped,
		Counts: n.counts, Incidents: n.incidents, Before: &n.earlier, First: n.first, Last: n.last, Days: n.days.Len(),
		Senders: n.who.Count(), Hosts: n.hosts.Len(),
		TopSenders: n.senders.Shares(report.Alerts, keptTop), TopHosts: n.hosts.Shares(report.Alerts, keptTop),
		Messages: slices.Concat(n.messages[n.next:], n.messages[:n.next]),
	}
	row.Rejected = n.refused
	if n.counts.Queries > n.counts.Stopped {
		row.Decision = report.Reported
	}
	if len(r.Protected) > 0 {
		if row.Slips = report.SlipsOf(registrable, r.Protected[0]); row.Slips == nil {
			row.Slips = report.SlipsOf(r.Name, r.Protected[0])
		}
	}
	for _, queries := range n.mail {
		if row.Mail == nil {
			row.Mail = new(report.Estimate)
		}
		row.Mail.AddQueries(queries)
	}
	return row
}
