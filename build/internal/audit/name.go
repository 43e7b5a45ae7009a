package audit

import (
	"strings"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/build/internal/tally"
)

// name is what is known of one registrable lookalike.
type name struct {
	tally.Name
	finding  *judge.Finding  // the strongest
	reported uint64          // messages or queries that the policy only reports
	unserved uint64          // about which it is not asked
	asked    map[string]bool // hosts that asked for an MX record
}

func (s *side) newName() *name {
	return &name{Name: tally.NewName(&s.entries, &s.days, &s.messages), asked: make(map[string]bool)}
}

// add adds a finding, which counts c.
func (n *name) add(s *side, f *Finding, c report.Counts) {
	if n.finding == nil || stronger(f.Finding, n.finding) {
		n.finding = f.Finding
	}
	n.Typed(strings.ToLower(f.Domain))
	n.Counts.Add(c)
	switch {
	case f.Idle != "":
		n.unserved += f.Times()
	case !f.Allowed() && !f.stopped():
		n.reported += f.Times()
	}
	sender, host := strings.Clone(s.hide.Address(f.Sender)), strings.Clone(host(f.Event))
	n.Senders.Add(sender, c)
	n.Who.Add(strings.ToLower(f.Sender))
	if n.Hosts.Add(host, c) && strings.EqualFold(f.Qtype, "MX") {
		n.asked[host] = true
	}
	if !f.Time.IsZero() {
		n.Seen(f.Time, f.Time)
	}
	e := f.Event
	n.Keep(report.Message{
		Time: e.Time, Sender: s.hide.Address(e.Sender), Recipient: s.hide.Address(e.Recipient), Original: s.hide.Address(e.Original),
		Name: strings.Clone(e.Name), Type: strings.Clone(e.Qtype), Host: host, Outcome: e.Outcome.String(), Count: f.Times(),
		File: e.File, Line: e.Line,
	})
}

// host is the host that sent the message, or asked.
func host(e *event.Event) string {
	if e.Client != "" {
		return e.Client
	}
	return e.Logger
}

// stronger reports whether a tells more than b.
func stronger(a, b *judge.Finding) bool {
	if a.Verdict.Confidence != b.Verdict.Confidence {
		return a.Verdict.Confidence > b.Verdict.Confidence
	}
	return a.Verdict.Class < b.Verdict.Class
}

// decision says what is to be done about the name. That it is popular changes
// nothing: mail that went both ways does.
func (n *name) decision(twoWay bool) report.Decision {
	all := n.Counts.Delivered + n.Counts.Bounced + n.Counts.Deferred + n.Counts.Rejected + n.Counts.Queries
	switch {
	case all == 0 && n.Counts.Allowed > 0:
		return report.Allowed
	case n.unserved > 0 && n.unserved >= all:
		return report.Unserved
	case n.reported > 0:
		return report.Reported
	case twoWay:
		return report.Ask
	}
	return report.Stopped
}

// row returns what the page says of the name.
func (n *name) row(registrable string, s *side) report.Name {
	v := n.finding.Verdict
	row := n.Row(registrable, s.basis)
	row.Unicode, row.Class, row.Confidence, row.Reason, row.DidYouMean = v.Unicode, v.Class, v.Confidence, v.Reason, v.Meant()
	row.Action, row.Directive, row.Idle = n.finding.ActionName(), n.finding.Where, n.finding.Idle
	row.Slips = report.Slips(v)
	if v.Name != registrable && len(v.Matches) > 0 { // a name below it: the slips of the part that a registrant holds say more
		if own := report.SlipsOf(registrable, v.Matches[0].Protected); own != nil {
			row.Slips = own
		}
	}
	for _, m := range v.Matches {
		row.Protected = append(row.Protected, m.Protected)
	}
	if n.finding.Allowed() {
		row.AllowedAt = n.finding.Listed()
	}
	if s.basis == report.Queries {
		row.Mail = n.estimate()
	}
	return row
}

// estimate returns how many messages may stand behind the queries of those hosts
// that asked for an MX record: others are no mail servers. It is nil where there
// are none.
func (n *name) estimate() *report.Estimate {
	var e report.Estimate
	for host := range n.asked {
		e.AddQueries(n.Hosts.Of(host).Queries)
	}
	if e.Most == 0 {
		return nil
	}
	return &e
}
