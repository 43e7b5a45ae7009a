package audit

import (
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/build/internal/tally"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// What is kept of one name.
const (
	keptTyped    = 5
	keptMessages = 30
	keptTop      = 10
)

// name is what is known of one registrable lookalike.
type name struct {
	finding  *judge.Finding // the strongest
	typed    []string
	counts   report.Counts
	reported uint64 // messages or queries that the policy only reports
	unserved uint64 // about which it is not asked
	senders  tally.Tally
	distinct tally.Distinct // senders
	hosts    tally.Tally
	asked    map[string]bool // hosts that asked for an MX record
	days     tally.Days
	first    time.Time
	last     time.Time
	messages []report.Message // the latest, as a ring
	next     int
}

func (s *side) newName() *name {
	return &name{
		senders: tally.New(&s.entries), distinct: tally.NewDistinct(&s.entries), hosts: tally.New(&s.entries),
		days: tally.NewDays(&s.days), asked: make(map[string]bool),
	}
}

// add adds a finding, which counts c.
func (n *name) add(s *side, f *Finding, c report.Counts) {
	if n.finding == nil || stronger(f.Finding, n.finding) {
		n.finding = f.Finding
	}
	if typed := strings.ToLower(f.Domain); len(n.typed) < keptTyped && !slices.Contains(n.typed, typed) {
		n.typed = append(n.typed, strings.Clone(typed))
	}
	n.counts.Add(c)
	switch {
	case f.Idle != "":
		n.unserved += f.Times()
	case f.Outcome() != lookalike.Allowed && !f.stopped():
		n.reported += f.Times()
	}
	sender, host := strings.Clone(s.hide.Address(f.Sender)), strings.Clone(host(f.Event))
	n.senders.Add(sender, c)
	n.distinct.Add(strings.ToLower(f.Sender))
	if n.hosts.Add(host, c) && strings.EqualFold(f.Qtype, "MX") {
		n.asked[host] = true
	}
	if !f.Time.IsZero() {
		n.days.Add(report.DateOf(f.Time))
		if n.first.IsZero() || f.Time.Before(n.first) {
			n.first = f.Time
		}
		if f.Time.After(n.last) {
			n.last = f.Time
		}
	}
	n.keep(s, f)
}

// keep keeps the event among the latest.
func (n *name) keep(s *side, f *Finding) {
	e := f.Event
	m := report.Message{
		Time: e.Time, Sender: s.hide.Address(e.Sender), Recipient: s.hide.Address(e.Recipient), Original: s.hide.Address(e.Original),
		Name: strings.Clone(e.Name), Type: strings.Clone(e.Qtype), Host: strings.Clone(host(e)), Outcome: e.Outcome.String(), Count: f.Times(),
		File: e.File, Line: e.Line,
	}
	switch {
	case len(n.messages) < keptMessages:
		if s.messages.Take() {
			n.messages = append(n.messages, m)
		}
	default:
		n.messages[n.next] = m
		n.next = (n.next + 1) % keptMessages
	}
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
	all := n.counts.Delivered + n.counts.Bounced + n.counts.Deferred + n.counts.Rejected + n.counts.Queries
	switch {
	case all == 0 && n.counts.Allowed > 0:
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
	row := report.Name{
		Name: registrable, Unicode: v.Unicode, Typed: n.typed, Class: v.Class, Confidence: v.Confidence, Reason: v.Reason,
		Action: n.finding.ActionName(), Directive: n.finding.Where, Idle: n.finding.Idle,
		Counts: n.counts, First: n.first, Last: n.last, Days: n.days.Len(),
		Senders: n.distinct.Count(), Hosts: n.hosts.Len(),
		TopSenders: n.senders.Shares(s.basis, keptTop), TopHosts: n.hosts.Shares(s.basis, keptTop),
		Messages: slices.Concat(n.messages[n.next:], n.messages[:n.next]),
	}
	row.Slips = report.Slips(v)
	if v.Name != registrable && len(v.Matches) > 0 { // a name below it: the slips of the part that a registrant holds say more
		if own := report.SlipsOf(registrable, v.Matches[0].Protected); own != nil {
			row.Slips = own
		}
	}
	for _, m := range v.Matches {
		row.Protected = append(row.Protected, m.Protected)
		row.DidYouMean = append(row.DidYouMean, m.DidYouMean)
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
		e.AddQueries(n.hosts.Of(host).Queries)
	}
	if e.Most == 0 {
		return nil
	}
	return &e
}
