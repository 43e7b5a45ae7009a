package lookalike

import (
	"net/netip"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/answer"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/miekg/dns"
)

// Decision is the action for a query and its reason. The zero value is none: the query
// passes without an alert.
type Decision struct {
	Policy  *Policy
	Verdict *detect.Verdict
	Action  action.Action
	Via     string // the queried name, if Verdict is about a target in its answer
	viaType uint16 // of the record that leads to the target

	// Exception is the ended exception that used to let the query pass, or nil. In
	// the opinion Allowed, it is the exception that lets the query pass.
	Exception *exception.Entry
}

// none reports whether there is nothing to do.
func (d *Decision) none() bool { return d.Policy == nil }

// reply writes the reply to the client, unless the action sends none, and returns its
// RCODE.
func (d *Decision) reply(w dns.ResponseWriter, r *dns.Msg) (rcode int) {
	a := answer.Answer{Action: d.Action, Verdict: d.Verdict, TTL: d.Policy.ttl, Type: d.viaType}
	return a.Write(w, r)
}

// unreported reports whether blocking the query would raise no alert, because the
// server is stopping and has sent its last ones. The query gets SERVFAIL instead:
// clients ask their next resolver, and mail servers keep the mail and try again.
func (d *Decision) unreported() bool {
	return d.Action.Blocks() && d.Policy.pipeline.Closed() && d.Policy.alertsTo() == nil
}

// Outcome is the result of a policy for a query.
type Outcome uint8

// The outcomes.
const (
	Unlike     Outcome = iota // the name resembles nothing, as far as the lists tell
	OutOfScope                // the policy is not for the client
	Allowed                   // the name resembles a protected one, and is on the allow list
	TurnedOff                 // the name resembles a protected one, and the action is off
	Acts                      // the policy decides, unless another does before it
)

// Opinion is the decision of one policy about a query.
type Opinion struct {
	Decision // of Allowed and TurnedOff: what resembles what; Action is what the directive says of that
	Outcome  Outcome
}

// decide makes the decision of the plugin. The first policy that acts on the name wins.
// If none acts, policies with verify act if a counterpart of the name exists, which find
// determines.
func (q *query) decide(find finder) Decision {
	var unlisted []*Policy
	for rest := q.policies; len(rest) > 0; rest = watching(rest[1:], q.name) {
		switch o := q.opinion(rest[0]); {
		case o.Outcome == Acts:
			return o.Decision
		case o.Outcome == Allowed:
			q.allowed, q.class = rest[0], o.Verdict.Class
		case o.Outcome == Unlike && rest[0].verifier != nil && !q.exact:
			unlisted = append(unlisted, rest[0])
		}
	}
	for _, p := range unlisted {
		if d := q.verified(p, find); !d.none() {
			return d
		}
	}
	return Decision{}
}

// opinion returns the opinion of p about the query, by its lists alone.
func (q *query) opinion(p *Policy) Opinion {
	if !q.anyone && len(p.clients) > 0 && !p.inScope(q.client().Addr()) {
		return Opinion{Outcome: OutOfScope}
	}
	f := p.lists.Find(q.name, q.exact)
	if f == nil {
		return Opinion{}
	}
	o := Opinion{Decision{Policy: p, Verdict: f.Verdict}, Acts}
	allowed := false
	if f.Listed {
		o.Exception, allowed = p.lists.Exception(q.name, q.client().Addr(), f.Verdict.Class)
	}
	o.Action = p.withFallback(p.Action(f.Verdict.Class, f.Verdict.Confidence))
	switch {
	case allowed:
		o.Outcome = Allowed
	case o.Action.Kind == record.Off:
		o.Outcome = TurnedOff
	}
	return o
}

// Explain returns the opinion of each policy about a name, in presentation form, that
// client queries. The zero client is in scope everywhere. The first opinion that acts
// decides. Explain makes no DNS lookups, so it leaves out verify and inspect.
func Explain(policies []*Policy, name string, client netip.Addr) []Opinion {
	q := query{name: name, anyone: !client.IsValid(), from: netip.AddrPortFrom(client, 0)}
	opinions := make([]Opinion, len(policies))
	for i, p := range policies {
		opinions[i] = q.opinion(p)
		opinions[i].Policy = p
	}
	return opinions
}
