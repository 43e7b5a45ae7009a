package audit

import (
	"net/netip"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/build/internal/report"
)

// Builder judges events and collects the contents of a page. Its memory does not grow
// with the logs. It is not safe for concurrent use.
type Builder struct {
	swift         *judge.Swift
	zone          *time.Location
	since, until  time.Time
	latest        time.Time // that can be true
	mail, queries *side
	came          map[string]*inbound // by registrable name of the sender
	outside       uint64              // events outside of since and until
	found         uint64              // findings that no exception lets through
	event         event.Event         // that is judged, in the zone
}

// inbound is the mail that came from a lookalike.
type inbound struct {
	messages uint64
	days     int // different ones, as far as the log is in order
	last     report.Date
}

// mostInbound is how many senders' names are told apart.
const mostInbound = 50_000

// earliest is the time of the first log that can be true.
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

func newBuilder(swift *judge.Swift, hide *report.Hider, o *Options, l limits) *Builder {
	return &Builder{
		swift: swift, zone: o.Zone, since: o.Since, until: o.Until, latest: o.Now.AddDate(0, 0, 2),
		mail: newSide(report.Mail, hide, l), queries: newSide(report.Queries, hide, l),
		came: make(map[string]*inbound),
	}
}

// Add judges an event, which it does not keep. It returns the finding, or nil if the
// event is none. The finding is valid until the next call of Add.
func (b *Builder) Add(logged *event.Event) *Finding {
	b.event = *logged
	e := &b.event
	if e.Time.Before(earliest) || e.Time.After(b.latest) {
		e.Time = time.Time{} // of a clock that was not set
	} else {
		e.Time = e.Time.In(b.zone)
	}
	if !b.within(e.Time) {
		b.outside++
		return nil
	}
	s := b.mail
	if e.Name != "" {
		s = b.queries
	}
	s.note(e)
	if e.Bare {
		return nil
	}
	if e.Name == "" {
		b.arrival(e)
	}
	f := b.judge(e)
	if f == nil {
		return nil
	}
	s.add(f)
	if !f.Allowed() {
		b.found++
	}
	return f
}

// within reports whether a time is asked for. An event without a time is, as
// long as no time is asked for.
func (b *Builder) within(t time.Time) bool {
	if t.IsZero() {
		return b.since.IsZero() && b.until.IsZero()
	}
	return (b.since.IsZero() || !t.Before(b.since)) && (b.until.IsZero() || t.Before(b.until))
}

// judge returns the finding of the strongest domain of an event, or nil.
func (b *Builder) judge(e *event.Event) *Finding {
	var best *Finding
	consider := func(domain string) {
		if !b.swift.Watches(domain) {
			return
		}
		var client netip.Addr
		if e.Name != "" {
			client, _ = netip.ParseAddr(e.Client)
		}
		f := b.swift.Judge(domain, client.Unmap())
		if f != nil && (best == nil || stronger(f, best.Finding)) {
			best = &Finding{e, f, domain}
		}
	}
	if e.Name != "" {
		consider(strings.TrimSuffix(e.Name, "."))
		return best
	}
	consider(event.Domain(e.Recipient))
	if e.Original != "" {
		consider(event.Domain(e.Original))
	}
	return best
}

// arrival counts mail that came from a lookalike.
func (b *Builder) arrival(e *event.Event) {
	domain := event.Domain(e.Sender)
	if e.Outcome != event.Delivered || !b.swift.Watches(domain) {
		return
	}
	f := b.swift.Judge(domain, netip.Addr{})
	if f == nil {
		return
	}
	in := b.came[f.Verdict.Registrable]
	if in == nil {
		if len(b.came) >= mostInbound {
			return
		}
		in = new(inbound)
		b.came[strings.Clone(f.Verdict.Registrable)] = in
	}
	in.messages += uint64(max(1, e.Count))
	if day := report.DateOf(e.Time); !e.Time.IsZero() && (in.days == 0 || day != in.last) {
		in.days++
		in.last = day
	}
}
