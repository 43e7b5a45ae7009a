package audit

import (
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/build/internal/tally"
)

// limits bound the memory of an audit, whatever the logs hold: about 100 MB in
// all. What comes beyond them is counted in the totals only.
type limits struct {
	names    tally.Room // lookalikes that are told apart
	entries  tally.Room // senders and hosts of single names
	days     tally.Room // of single names
	messages tally.Room // that are shown
	others   tally.Room // hosts, domains and senders of all names
}

var usual = limits{names: 20_000, entries: 300_000, days: 500_000, messages: 40_000, others: 100_000}

// side is what was found in one kind of logs: those of mail servers, or of DNS
// servers.
type side struct {
	limits
	basis report.Basis
	hide  *report.Hider

	found   map[string]*name // by registrable name
	leftOut uint64           // findings about names for which there was no room
	total   report.Counts
	byClass tally.Tally
	byHost  tally.Tally
	byFrom  tally.Tally    // domain of the sender
	who     tally.Distinct // senders whose mail was delivered, or hosts that asked
	perDay  map[report.Date]report.Counts

	events      uint64 // of any name
	seen        map[report.Date]bool
	today       report.Date // that was seen last
	first, last time.Time
	guessed     uint64
	timeless    uint64
}

func newSide(basis report.Basis, hide *report.Hider, l limits) *side {
	s := &side{limits: l, basis: basis, hide: hide, found: make(map[string]*name), perDay: make(map[report.Date]report.Counts), seen: make(map[report.Date]bool)}
	s.byClass, s.byHost, s.byFrom = tally.New(&s.others), tally.New(&s.others), tally.New(&s.others)
	s.who = tally.NewDistinct(&s.others)
	return s
}

// note notes that something was logged, so that a time without is known.
func (s *side) note(e *event.Event) {
	s.events++
	if e.Guessed {
		s.guessed++
	}
	if e.Time.IsZero() {
		s.timeless++
		return
	}
	if day := report.DateOf(e.Time); day != s.today {
		s.today = day
		s.seen[day] = true
	}
	if s.first.IsZero() || e.Time.Before(s.first) {
		s.first = e.Time
	}
	if e.Time.After(s.last) {
		s.last = e.Time
	}
}

// add adds a finding.
func (s *side) add(f *Finding) {
	c := count(f)
	s.total.Add(c)
	registrable := f.Verdict.Registrable
	n := s.found[registrable]
	if n == nil {
		if !s.names.Take() {
			s.leftOut++
			return
		}
		n = s.newName()
		s.found[strings.Clone(registrable)] = n
	}
	n.add(s, f, c)
	s.byClass.Add(f.Verdict.Class.String(), c)
	s.byHost.Add(strings.Clone(host(f.Event)), c)
	s.byFrom.Add(strings.ToLower(event.Domain(f.Sender)), c)
	if s.basis != report.Mail {
		s.who.Add(host(f.Event))
	} else if c.Delivered > 0 {
		s.who.Add(strings.ToLower(f.Sender))
	}
	if !f.Time.IsZero() {
		day := report.DateOf(f.Time)
		sum := s.perDay[day]
		sum.Add(c)
		s.perDay[day] = sum
	}
}

// count returns what a finding counts. What an exception lets through counts
// nowhere else.
func count(f *Finding) (c report.Counts) {
	n := f.Times()
	if f.Allowed() {
		c.Allowed = n
		return c
	}
	switch f.Outcome {
	case event.Delivered:
		c.Delivered = n
	case event.Bounced:
		c.Bounced = n
	case event.Deferred:
		c.Deferred = n
	case event.Rejected:
		c.Rejected = n
	default:
		c.Queries = n
	}
	if f.stopped() && (c.Delivered > 0 || c.Queries > 0) {
		c.Stopped = n
	}
	return c
}
