package audit

import (
	"fmt"
	"strings"

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

// candidate returns why a name may have to be allowed, or false.
func (n *name) candidate(registrable string, in *inbound, b report.Basis) (report.Candidate, bool) {
	c := report.Candidate{Name: registrable}
	went := n.counts.Delivered
	if in != nil && in.days >= twoWayDays && went > 0 && n.days.Len() >= twoWayDays {
		c.TwoWay = true
		c.Reasons = append(c.Reasons, fmt.Sprintf("%s came from it and %s went there", report.Some(in.messages, "message"), report.Number(went)))
	}
	who, what := n.distinct.Count(), "sender"
	if b != report.Mail {
		who, what = n.hosts.Len(), "host"
	}
	if who >= manySenders {
		c.Reasons = append(c.Reasons, report.Some(who, what))
	}
	if span := n.last.Sub(n.first).Hours() / 24; n.days.Len() >= longDays && span >= longSpan {
		c.Reasons = append(c.Reasons, fmt.Sprintf("on %d days over %.0f", n.days.Len(), span))
	}
	if len(c.Reasons) == 0 {
		return c, false
	}
	c.Line = n.line(registrable, &c)
	return c, true
}

// line returns the line for the allow file. It is a comment unless mail went
// both ways, and also for a name that resembles a protected one as closely as
// can be: its holder may have an interest.
func (n *name) line(registrable string, c *report.Candidate) string {
	v := n.finding.Verdict
	why := strings.Join(c.Reasons, ", ")
	resembles := ""
	if len(v.Matches) > 0 {
		resembles = fmt.Sprintf("; resembles %s (%s)", v.Matches[0].Protected, v.Class)
	}
	switch {
	case !c.TwoWay:
		return fmt.Sprintf("# %s  # popularity is no proof: %s%s", registrable, why, resembles)
	case v.Confidence == detect.High && v.Class <= detect.IDNHomoglyph:
		return fmt.Sprintf("# %s  # ask who holds it: %s%s", registrable, why, resembles)
	}
	return fmt.Sprintf("%s  # %s%s", registrable, why, resembles)
}
