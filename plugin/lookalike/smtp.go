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
	if d, ok := Decide(l.policies, domain); ok && !d.Allowed {
		return d.Verdict, true
	}
	for _, p := range l.policies {
		if p.verifier == nil || p.Allowed(domain) {
			continue
		}
		// What led the client here was verified when it asked.
		if d, ok := p.verified(domain, p.verifier.known); ok {
			return d.Verdict, true
		}
	}
	return nil, false
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
		Action:      alert.Action(a.kind),
		Answers:     a.addresses,
		ServerBlock: p.block,
		SMTP:        &alert.SMTP{From: sender, To: recipient, HELO: helo},
	})
}

// policyFor returns the policy that decides about v for client, and its action.
// Where none does, since the client's queries come from another address, it is
// the one that would decide for others.
func (l *Lookalike) policyFor(client netip.Addr, v *detect.Verdict) (*Policy, Action) {
	var other Decision
	for _, p := range l.policies {
		d, ok := p.judge(v.Name)
		if !ok && p.verifier != nil {
			d, ok = p.verified(v.Name, p.verifier.known)
		}
		switch {
		case !ok, p.Allowed(v.Name):
		case p.covers(client):
			return p, d.Action
		case other.Policy == nil:
			other = d
		}
	}
	return other.Policy, other.Action
}
