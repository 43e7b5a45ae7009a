package digest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/build/internal/tally"
)

// keptShares is how many hosts, domains and classes a page has.
const keptShares = 200

// Page returns the page about the alerts. The caller fills in the part about the files
// read.
func (b *Builder) Page(created time.Time) *report.Page {
	end := b.to.Add(-time.Second)
	if created.Before(end) {
		end = created
	}
	p := &report.Page{
		Schema: report.Schema, Kind: report.Review, Basis: report.Alerts, Created: created, Total: b.total,
		Period:  report.Period{From: b.from, To: end, Zone: report.ZoneName(b.zone, b.from), In: b.zone},
		Classes: b.byClass.Shares(report.Alerts, keptShares), Hosts: b.byHost.Shares(report.Alerts, keptShares), Domains: b.byFrom.Shares(report.Alerts, keptShares),
	}
	p.Total.Rejected = b.refused
	p.Read.Addresses, p.Read.LeftOut = b.hide.Mode(), b.leftOut
	for registrable, n := range b.found {
		if n.record != nil {
			p.Names = append(p.Names, n.row(registrable))
		}
	}
	slices.SortFunc(p.Names, func(x, y report.Name) int {
		return cmp.Or(cmp.Compare(y.Queries, x.Queries), tally.Rank(report.Alerts, &x.Counts, &y.Counts, x.Name, y.Name))
	})
	p.Trend = report.NewTrend(report.DateOf(b.from), report.DateOf(end), b.zone, b.perDay, nil)
	b.health(p)
	b.candidates(p)
	b.words(p)
	return p
}

// health says what came, and what did not.
func (b *Builder) health(p *report.Page) {
	for _, s := range b.sequences {
		if sensor := b.sensors[s.sensor]; sensor != nil {
			sensor.Missing += s.missing()
			sensor.Starts++
		}
	}
	for _, s := range b.sensors {
		p.Sensors = append(p.Sensors, s.Sensor)
	}
	slices.SortFunc(p.Sensors, func(x, y report.Sensor) int { return strings.Compare(x.Name, y.Name) })
	for _, f := range b.files {
		p.Destinations = append(p.Destinations, *f)
	}
	slices.SortFunc(p.Destinations, func(x, y report.Destination) int { return strings.Compare(x.File, y.File) })
}

// manyHosts makes a name a candidate for the allow list, and a person has to
// decide: alerts do not tell of mail that came from a name.
const manyHosts = 5

func (b *Builder) candidates(p *report.Page) {
	for i := range p.Names {
		n := &p.Names[i]
		if n.Hosts < manyHosts {
			continue
		}
		why := []string{report.Some(n.Hosts, "mail server")}
		p.Allow = append(p.Allow, report.Candidate{Name: n.Name, Reasons: why, Line: report.AllowLine(n, why, report.Popular)})
	}
}

// words fills the headline, the figures and the notes.
func (b *Builder) words(p *report.Page) {
	c := &b.total
	month := b.from.Format("January 2006")
	leaked, held := report.Alerts.Leaked(c), report.Alerts.Held(c)
	if c.Queries == 0 {
		p.Headline = fmt.Sprintf("In %s, no query for a lookalike was reported.", month)
	} else {
		p.Headline = fmt.Sprintf("In %s, %s asked %s for %s, in %s. %s blocked, %s only reported.",
			month, report.Some(b.servers.Count(), "host"), times(c.Queries), report.Some(uint64(len(p.Names)), "lookalike name"), report.Some(b.groups.Count(), "incident"),
			report.Some(held, "query")+" "+report.Plural(held, "was"), report.Number(leaked))
	}
	var mail report.Estimate
	for i := range p.Names {
		mail.Add(p.Names[i].Mail)
	}
	p.Figures = []report.Figure{
		{Label: "Queries blocked", Value: held, Note: b.change()},
		{Label: "Only reported", Value: leaked, Note: "answered, so mail could leave", Leaks: true},
		mail.Figure(),
		{Label: "Incidents", Value: b.groups.Count(), Note: "one host, one name, one action"},
	}
	p.Notes = b.notes(p)
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return report.Some(n, "time")
}

// change compares with the month before.
func (b *Builder) change() string {
	before, now := b.earlier.Queries, b.total.Queries
	month := b.before.Format("January")
	switch {
	case before == 0:
		return "no data for " + month
	case now == before:
		return "as many queries as in " + month
	}
	percent := math.Round(100 * math.Abs(float64(now)-float64(before)) / float64(before))
	if now > before {
		return fmt.Sprintf("%.0f %% more queries than in %s", percent, month)
	}
	return fmt.Sprintf("%.0f %% fewer queries than in %s", percent, month)
}

// notes say what a reader of the headline has to know.
func (b *Builder) notes(p *report.Page) (notes []string) {
	add := func(when bool, format string, args ...any) {
		if when {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	add(b.total.Queries > 0 && b.earlier.Queries > 0, "In %s there were %s.", b.before.Format("January 2006"), report.Some(b.earlier.Queries, "query"))
	add(p.Figures[2].Value > 0, "The number of messages is an estimate: a mail server sends %d to %d queries per message. It counts only hosts that asked for MX records, and leaves out those that checked incoming mail (SPF, DKIM, DMARC).",
		report.LeastQueries, report.MostQueries)
	add(b.refused > 0, "The SMTP responder refused %s.", report.Some(b.refused, "message"))
	add(b.rolled > 0, "%s rolled up over many names and counted only in the totals.", report.Some(b.rolled, "query")+" "+report.Plural(b.rolled, "was"))
	add(b.single && b.grouped, "These alerts contain both groups and single queries (every=query), which counts queries twice: use files of one kind.")
	add(b.twice > 0, "%s in more than one file, and counted once.", report.Some(b.twice, "alert")+" "+report.Plural(b.twice, "was"))
	add(b.tests > 0, "%s of the test command left out.", report.Some(b.tests, "alert")+" "+report.Plural(b.tests, "was"))
	add(b.leftOut > 0, "%s about further names %s counted in the totals only.", report.Some(b.leftOut, "alert"), report.Plural(b.leftOut, "is"))
	return notes
}
