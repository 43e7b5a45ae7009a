package digest

import (
	"slices"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/build/internal/tally"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// name is what is known of one registrable lookalike.
type name struct {
	tally.Name
	record    *alertlog.Record // the one that tells most
	earlier   uint64           // queries of the month before
	incidents uint64
	refused   uint64            // messages
	mail      map[string]uint64 // queries by hosts that asked for an MX record, on the way out
}

func (b *Builder) newName() *name {
	return &name{Name: tally.NewName(&b.entries, &b.days, &b.messages), mail: make(map[string]uint64)}
}

func (n *name) add(b *Builder, r *alertlog.Record, c report.Counts, host string, incident bool, refused uint64) {
	if n.record == nil || stronger(r, n.record) {
		n.record = r
	}
	for _, typed := range append(r.Samples, r.Name) {
		n.Typed(typed)
	}
	n.Counts.Add(c)
	n.refused += refused
	if incident {
		n.incidents++
	}
	n.Hosts.Add(host, c)
	if _, known := n.mail[host]; host != "" && outgoing(r) && (known || slices.Contains(r.Qtypes, "MX")) && n.Hosts.Of(host).Queries > 0 {
		n.mail[host] += r.Count
	}
	for i := range r.SMTP {
		from := r.SMTP[i].From
		n.Senders.Add(b.hide.Address(from), report.Counts{Queries: 1, Stopped: 1})
		n.Who.Add(from)
	}
	n.Seen(r.Start, r.End)
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
	n.Keep(m)
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
	row := n.Row(registrable, report.Alerts)
	row.Unicode, row.Class, row.Confidence, row.Reason = r.Unicode, r.Class, r.Confidence, r.Reason
	row.Protected, row.DidYouMean, row.Action = r.Protected, r.DidYouMean, r.Action.String()
	row.Incidents, row.Before, row.Rejected = n.incidents, &n.earlier, n.refused
	row.Decision = report.Stopped
	if n.Counts.Queries > n.Counts.Stopped {
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
