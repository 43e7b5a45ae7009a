package lookalike

import (
	"net/netip"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Match returns the verdict about a recipient's domain, for the smtpreject plugin. It
// applies the policies of the server block as for a client in every scope. Domain is in
// presentation form, with or without a trailing dot.
func (l *Lookalike) Match(domain string) (*detect.Verdict, bool) {
	q := about(l.policies, domain)
	d := q.decide(known)
	return d.Verdict, !d.none()
}

// ObserveSMTP reports a recipient that smtpreject has refused because of v. The
// envelope joins the group of the queries that led the client there, where the
// client asked them itself. The sender is empty for a bounce.
func (l *Lookalike) ObserveSMTP(client, server netip.AddrPort, v *detect.Verdict, helo, sender, recipient string) {
	defer guard.Recover("alert")
	q := about(l.policies, v.Name)
	q.anyone, q.from = false, client
	d := q.decide(known)
	if d.none() { // the client's queries come from another address
		q.anyone = true
		d = q.decide(known)
	}
	if d.none() {
		return
	}
	d.Policy.pipeline.Observe(&alert.Detection{
		Time:        time.Now(),
		Client:      client,
		Server:      server,
		Transport:   "tcp",
		Protocol:    "smtp",
		Verdict:     v,
		Action:      d.Action.Kind,
		Answers:     d.Action.Addresses,
		ServerBlock: d.Policy.block,
		SMTP:        &alert.SMTP{From: sender, To: recipient, HELO: helo},
	})
}
