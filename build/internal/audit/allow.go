package audit

import (
	"fmt"

	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// What makes a name a candidate for the allow list. None of it proves anything:
// a slip that everybody makes has many senders and a long history, and who
// holds a lookalike can write back. So popularity alone gives a comment, which
// does nothing until a person takes the # away.
const (
	twoWayDays  = 2 // on which mail went there, and on which mail came
	manySenders = 5 // or hosts
	longDays    = 10
	longSpan    = 90 // days from the first to the last
)

// candidate returns why the name of a row may have to be allowed, or false.
func candidate(row *report.Name, in *inbound, b report.Basis) (report.Candidate, bool) {
	c := report.Candidate{Name: row.Name}
	if in != nil && in.days >= twoWayDays && row.Delivered > 0 && row.Days >= twoWayDays {
		c.TwoWay = true
		c.Reasons = append(c.Reasons, fmt.Sprintf("%s came from it and %s went there", report.Some(in.messages, "message"), report.Number(row.Delivered)))
	}
	who, what := row.Senders, "sender"
	if b != report.Mail {
		who, what = row.Hosts, "host"
	}
	if who >= manySenders {
		c.Reasons = append(c.Reasons, report.Some(who, what))
	}
	if span := row.Last.Sub(row.First).Hours() / 24; row.Days >= longDays && span >= longSpan {
		c.Reasons = append(c.Reasons, fmt.Sprintf("on %d days over %.0f", row.Days, span))
	}
	if len(c.Reasons) == 0 {
		return c, false
	}
	c.Line = report.AllowLine(row, c.Reasons, caution(row, c.TwoWay))
	return c, true
}

// caution returns why a person has to decide about the name first. Of a name that
// resembles a protected one as closely as can be the holder may have an interest.
func caution(row *report.Name, twoWay bool) string {
	switch {
	case !twoWay:
		return report.Popular
	case row.Confidence == detect.High && row.Class <= detect.IDNHomoglyph:
		return "ask who holds it"
	}
	return ""
}
