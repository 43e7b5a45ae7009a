package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/build/internal/tally"
)

// keptShares is how many hosts, domains and classes a page has.
const keptShares = 200

// side returns the side that the page is about: mail, unless only queries were
// found.
func (b *Builder) side() *side {
	switch {
	case len(b.mail.found) > 0:
		return b.mail
	case len(b.queries.found) > 0 || b.mail.events == 0 && b.queries.events > 0:
		return b.queries
	}
	return b.mail
}

// Page returns the findings, with times in the zone of the builder. The caller fills
// in the part about the files read.
func (b *Builder) Page(created time.Time) *report.Page {
	s := b.side()
	p := &report.Page{
		Schema: report.Schema, Kind: report.Audit, Basis: s.basis, Created: created, Total: s.total,
		Period:  report.Period{From: s.first, To: s.last, Zone: report.ZoneName(b.zone, created), In: b.zone},
		Classes: s.byClass.Shares(s.basis, keptShares), Hosts: s.byHost.Shares(s.basis, keptShares), Domains: s.byFrom.Shares(s.basis, keptShares),
	}
	p.Read.Guessed, p.Read.WithoutTime, p.Read.LeftOut = s.guessed, s.timeless, s.leftOut
	b.names(s, p)
	if !s.first.IsZero() {
		p.Trend = report.NewTrend(report.DateOf(s.first), report.DateOf(s.last), b.zone, s.perDay, func(d report.Date) bool { return s.seen[d] })
	}
	b.words(s, p)
	return p
}

// names fills the names and the candidates, what left most first.
func (b *Builder) names(s *side, p *report.Page) {
	for registrable, n := range s.found {
		in := b.came[registrable]
		row := n.row(registrable, s)
		if in != nil {
			row.Received = in.messages
		}
		c, is := candidate(&row, in, s.basis)
		row.Decision = n.decision(is && c.TwoWay)
		if is && row.Decision != report.Allowed {
			p.Allow = append(p.Allow, c)
		}
		p.Names = append(p.Names, row)
	}
	slices.SortFunc(p.Names, func(x, y report.Name) int { return tally.Rank(s.basis, &x.Counts, &y.Counts, x.Name, y.Name) })
	slices.SortFunc(p.Allow, func(x, y report.Candidate) int {
		if x.TwoWay != y.TwoWay {
			if x.TwoWay {
				return -1
			}
			return 1
		}
		return strings.Compare(x.Name, y.Name)
	})
}

// sums are the numbers of the headline.
type sums struct {
	names    uint64 // to which something got away
	tried    uint64 // others
	stopped  uint64
	decide   uint64
	unserved uint64
	estimate report.Estimate
}

func (b *Builder) sums(p *report.Page) (t sums) {
	for i := range p.Names {
		n := &p.Names[i]
		got := n.Delivered + n.Queries
		switch {
		case got > 0:
			t.names++
		case n.Decision != report.Allowed:
			t.tried++
		}
		switch n.Decision {
		case report.Stopped:
			t.stopped += n.Stopped
		case report.Ask:
			t.decide += got
		case report.Reported:
			t.stopped += n.Stopped
			t.decide += got - min(got, n.Stopped)
		case report.Unserved:
			t.unserved += got
		case report.Allowed:
		}
		t.estimate.Add(n.Mail)
	}
	return t
}

// words fills the headline, the notes and the figures.
func (b *Builder) words(s *side, p *report.Page) {
	t := b.sums(p)
	c := &s.total
	when := report.Span(s.first, s.last)
	held := report.Mail.Held(c)
	switch {
	case s.events == 0:
		p.Headline = "These logs contain no mail and no queries."
	case s.basis == report.Mail && c.Delivered > 0:
		p.Headline = fmt.Sprintf("%s from %s left for %s %s. %s",
			report.Some(c.Delivered, "message"), report.Some(s.who.Count(), "sender"), report.Some(t.names, "lookalike name"), when, b.policy(&t))
	case s.basis == report.Mail && held > 0:
		p.Headline = fmt.Sprintf("No message reached a lookalike %s, but %s for %s came back or never left.",
			when, report.Some(held, "message"), report.Some(t.tried, "lookalike name"))
	case s.basis == report.Queries && c.Queries > 0:
		p.Headline = fmt.Sprintf("%s from %s asked for %s %s. %s",
			report.Some(c.Queries, "query"), report.Some(s.who.Count(), "host"), report.Some(t.names, "lookalike name"), when, b.policy(&t))
	case c.Allowed > 0:
		p.Headline = fmt.Sprintf("Only names on the allow list were found %s.", when)
	case s.basis == report.Mail:
		p.Headline = fmt.Sprintf("No mail to a lookalike name was found among %s %s.", report.Some(s.events, "message"), when)
	default:
		p.Headline = fmt.Sprintf("No query for a lookalike name was found among %s %s.", report.Some(s.events, "query"), when)
	}
	p.Figures = b.figures(s, &t)
	p.Notes = b.notes(s)
}

// policy says what the policy would have done.
func (b *Builder) policy(t *sums) string {
	text := fmt.Sprintf("With this policy %s would have been stopped", report.Number(t.stopped))
	if t.decide > 0 {
		text += fmt.Sprintf("; %s %s a decision first", report.Number(t.decide), report.Plural(t.decide, "needs"))
	}
	if t.unserved > 0 {
		text += "; no directive covers " + report.Number(t.unserved)
	}
	return text + "."
}

func (b *Builder) figures(s *side, t *sums) []report.Figure {
	c := &s.total
	decide := report.Figure{Label: "Need a decision", Value: t.decide, Note: "allow first, or only reported"}
	stopped := report.Figure{Label: "Would be stopped", Value: t.stopped, Note: "by this policy, no decision needed"}
	if s.basis == report.Queries {
		return []report.Figure{
			{Label: "Queries", Value: c.Queries, Note: "for " + report.Some(t.names, "lookalike name"), Leaks: true},
			t.estimate.Figure(),
			stopped, decide,
		}
	}
	return []report.Figure{
		{Label: "Delivered", Value: c.Delivered, Note: "accepted by another server", Leaks: true},
		{Label: "Came back", Value: report.Mail.Held(c), Note: fmt.Sprintf("%s bounced, %s refused, %s waiting", report.Number(c.Bounced), report.Number(c.Rejected), report.Number(c.Deferred))},
		stopped, decide,
	}
}

// notes say what a reader of the headline has to know.
func (b *Builder) notes(s *side) (notes []string) {
	add := func(when bool, format string, args ...any) {
		if when {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	c := &s.total
	held := report.Mail.Held(c)
	add(s.basis == report.Mail && c.Delivered > 0 && held > 0, "%s more came back or never left.", report.Number(held))
	add(s.basis == report.Queries && c.Queries > 0, "A mail server sends %d to %d queries per message. The number of messages is an estimate from hosts that asked for MX records.", report.LeastQueries, report.MostQueries)
	add(c.Allowed > 0, "%s %s let through by the allow list, and counted nowhere else.", report.Number(c.Allowed), report.Plural(c.Allowed, "was"))
	silent, all := b.silent(s)
	add(silent > 0, "Nothing was logged on %d of %d days.", silent, all)
	other := b.queries
	if s == other {
		other = b.mail
	}
	if n := len(other.found); n > 0 {
		add(true, "The DNS logs also contain %s for %s. This page does not count them: run audit on the DNS logs alone.",
			report.Some(other.total.Queries, "query"), report.Some(uint64(n), "lookalike name"))
	}
	add(s.guessed > 0, "The logs lack the year or the zone of %s of %s times; audit assumed them.", report.Number(s.guessed), report.Number(s.events))
	add(s.timeless > 0, "%s without a time: counted, but in no week.", report.Some(s.timeless, "event"))
	add(b.outside > 0, "%s outside the requested period %s left out.", report.Some(b.outside, "event"), report.Plural(b.outside, "was"))
	add(s.leftOut > 0, "%s about further names %s counted in the totals only.", report.Some(s.leftOut, "finding"), report.Plural(s.leftOut, "is"))
	return notes
}

// silent returns on how many days of the period nothing was logged.
func (b *Builder) silent(s *side) (silent, all int) {
	if s.first.IsZero() {
		return 0, 0
	}
	for d := report.DateOf(s.first); d <= report.DateOf(s.last); d++ {
		all++
		if !s.seen[d] {
			silent++
		}
	}
	return silent, all
}
