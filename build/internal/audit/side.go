package audit

import (
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// side is what was found in one kind of logs: those of mail servers, or of DNS
// servers.
type side struct {
	limits
	basis report.Basis
	hide  *report.Hider

	found   map[string]*name // by registrable name
	leftOut uint64           // findings about names for which there was no room
	total   report.Counts
	byClass tally
	byHost  tally
	byFrom  tally    // domain of the sender
	who     distinct // senders whose mail was delivered, or hosts that asked
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
	s.byClass, s.byHost, s.byFrom = newTally(&s.others), newTally(&s.others), newTally(&s.others)
	s.who = newDistinct(&s.others)
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
		if !take(&s.names) {
			s.leftOut++
			return
		}
		n = s.newName()
		s.found[strings.Clone(registrable)] = n
	}
	n.add(s, f, c)
	s.byClass.add(f.Verdict.Class.String(), c)
	s.byHost.add(strings.Clone(host(f.Event)), c)
	s.byFrom.add(strings.ToLower(event.Domain(f.Sender)), c)
	if s.basis != report.Mail {
		s.who.add(host(f.Event))
	} else if c.Delivered > 0 {
		s.who.add(strings.ToLower(f.Sender))
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
	if f.Outcome() == lookalike.Allowed && f.Idle == "" {
		c.Allowed = n
		return c
	}
	switch f.Event.Outcome {
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
