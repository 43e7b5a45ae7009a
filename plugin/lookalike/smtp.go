package lookalike

import (
	"net/netip"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Match returns what a recipient's domain resembles, for the smtpreject plugin:
// what the policies of the server block make of it for some client. Domain is
// in presentation form, with or without a trailing dot.
func (l *Lookalike) Match(domain string) (*detect.Verdict, bool) {
	d, ok := Decide(l.policies, domain)
	if !ok || d.Allowed {
		return nil, false
	}
	return d.Verdict, true
}

// ObserveSMTP reports a recipient that smtpreject has refused because of v. The
// envelope joins the group of the queries that led the client there, where the
// client asked them itself. The sender is empty for a bounce.
func (l *Lookalike) ObserveSMTP(client, server netip.AddrPort, v *detect.Verdict, helo, sender, recipient string) {
	defer survive("alert")
	p, a := l.policyFor(client.Addr(), v)
	if p == nil {
		return
	}
	p.pipeline.Observe(&alert.Detection{
		Time:        time.Now(),
		Client:      client,
		Server:      server,
		Transport:   "tcp",
		Protocol:    "smtp",
		Verdict:     v,
		Action:      a.String(),
		Answers:     a.addresses,
		ServerBlock: p.block,
		SMTP:        &alert.SMTP{From: sender, To: recipient, HELO: helo},
	})
}

// policyFor returns the policy that decides about v for client, and its action.
// Where none does, since the client's queries come from another address, it is
// the one that would decide for others.
func (l *Lookalike) policyFor(client netip.Addr, v *detect.Verdict) (*Policy, Action) {
	var other *Policy
	var otherAction Action
	for _, p := range l.policies {
		w, ok := p.Index().Match(v.Name)
		if !ok || p.Allowed(v.Name) {
			continue
		}
		a := p.responders.reachable(p.Action(w.Class, w.Confidence))
		switch {
		case a.kind == actionOff:
		case p.covers(client):
			return p, a
		case other == nil:
			other, otherAction = p, a
		}
	}
	return other, otherAction
}
