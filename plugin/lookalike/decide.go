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

// Decision is what is done about a query. The zero value is none: the query
// passes, and nobody is told.
type Decision struct {
	Policy  *Policy
	Verdict *detect.Verdict
	Action  action.Action
	Via     string // the name that was asked for, where Verdict is about a target in its answer
	viaType uint16 // of the record that leads to the target

	// Exception is the one that has ended, and else would let the query pass; nil:
	// there is none. In the opinion Allowed it is the one that does.
	Exception *exception.Entry
}

// none reports whether there is nothing to do.
func (d *Decision) none() bool { return d.Policy == nil }

// reply writes the one reply that the client gets, or none, and returns its RCODE.
func (d *Decision) reply(w dns.ResponseWriter, r *dns.Msg) (rcode int) {
	a := answer.Answer{Action: d.Action, Verdict: d.Verdict, TTL: d.Policy.ttl, Type: d.viaType}
	return a.Write(w, r)
}

// unreported reports whether the query would be blocked without an alert, since
// the last ones of a server that stops are on their way. It gets SERVFAIL
// instead, with which clients go to their next resolver, and mail servers keep
// the mail and try again.
func (d *Decision) unreported() bool {
	return d.Action.Blocks() && d.Policy.pipeline.Closed() && d.Policy.alertsTo() == nil
}

// Outcome is what a policy has to do with a query.
type Outcome uint8

// The outcomes.
const (
	Unlike     Outcome = iota // the name resembles nothing, as far as the lists tell
	OutOfScope                // the policy is not for the client
	Allowed                   // the name resembles a protected one, and is on the allow list
	TurnedOff                 // the name resembles a protected one, and the action is off
	Acts                      // the policy decides, unless another does before it
)

// Opinion is what one policy makes of a query.
type Opinion struct {
	Decision // of Allowed and TurnedOff: what resembles what; Action is what the directive says of that
	Outcome  Outcome
}

// decide is where the plugin decides: the first policy that has something to do
// about the name does it. Where none has, those with verify go by whether a
// counterpart of the name exists, which find finds out.
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

// opinion returns what the lists of p make of the query.
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

// Explain returns the opinion of each policy about a name, in presentation form,
// that client asks for; the zero client stands for one that is in scope
// everywhere. The first that acts decides. What verify and inspect would find
// out from the DNS is left out.
func Explain(policies []*Policy, name string, client netip.Addr) []Opinion {
	q := query{name: name, anyone: !client.IsValid(), from: netip.AddrPortFrom(client, 0)}
	opinions := make([]Opinion, len(policies))
	for i, p := range policies {
		opinions[i] = q.opinion(p)
		opinions[i].Policy = p
	}
	return opinions
}
