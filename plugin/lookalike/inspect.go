package lookalike

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/miekg/dns"
)

// inspects reports whether answers are looked at for some of the policies.
func inspects(policies []*Policy) bool {
	for _, p := range policies {
		if p.inspect {
			return true
		}
	}
	return false
}

// inspecting returns the policies that look at the answer to the query.
func (q *query) inspecting(policies []*Policy) []*Policy {
	var inspecting []*Policy
	for _, p := range policies {
		if p.inspect && p.inScope(q.client().Addr()) && !p.Allowed(q.name) {
			inspecting = append(inspecting, p)
		}
	}
	return inspecting
}

// serveInspected passes the query on and looks at the answer before the client
// gets it. Where the query itself is for a monitored lookalike, the decision
// about that is asked, and what the answer leads to wins over it: one query is
// one detection.
func (l *Lookalike) serveInspected(ctx context.Context, q query, inspecting []*Policy, asked Decision) (int, error) {
	i := &inspector{ResponseWriter: q.W, request: q.Req, policies: inspecting, decision: asked}
	rcode, err := plugin.NextOrFailure(l.Name(), l.Next, ctx, i, q.Req)
	if i.withheld {
		return dns.RcodeServerFailure, nil
	}
	if i.decision.none() {
		return rcode, err
	}
	setMetadata(ctx, i.decision)
	observe(ctx, &q, i.decision, i.rcode)
	if i.decision.Action.Blocks() {
		return writtenRcode(i.rcode), nil
	}
	return rcode, err
}

// inspector is a dns.ResponseWriter that does not let through an answer whose
// target is a lookalike.
type inspector struct {
	dns.ResponseWriter
	request  *dns.Msg
	policies []*Policy // that look at the answer

	decision Decision // about the name, or about a target in its answer
	rcode    int      // of the reply
	withheld bool     // there was no reply, since nobody would be told
}

// WriteMsg implements dns.ResponseWriter.
func (i *inspector) WriteMsg(m *dns.Msg) error {
	d := i.decide(m)
	if d.none() {
		return i.ResponseWriter.WriteMsg(m)
	}
	if i.withheld = d.unreported(); i.withheld {
		return nil
	}
	i.decision, i.rcode = d, m.Rcode
	if !d.Action.Blocks() {
		return i.ResponseWriter.WriteMsg(m)
	}
	if good := i.goodExchanges(m); good != nil {
		return i.ResponseWriter.WriteMsg(good)
	}
	i.rcode = reply(i.ResponseWriter, i.request, d)
	return nil
}

// goodExchanges returns m without the MX records that lead to a lookalike, or
// nil where none is left: mail goes to the others then, and need not bounce.
func (i *inspector) goodExchanges(m *dns.Msg) *dns.Msg {
	if i.request.Question[0].Qtype != dns.TypeMX {
		return nil
	}
	left := 0
	good := m.Copy()
	good.Answer = slices.DeleteFunc(good.Answer, func(rr dns.RR) bool {
		if rr.Header().Rrtype != dns.TypeMX {
			return false
		}
		if d := i.decideRecord(rr); d.Action.Blocks() {
			return true
		}
		left++
		return false
	})
	if left == 0 || i.decision.viaType != dns.TypeMX {
		return nil
	}
	return good
}

// ConnectionState implements dns.ConnectionStater.
func (i *inspector) ConnectionState() *tls.ConnectionState {
	if c, ok := i.ResponseWriter.(dns.ConnectionStater); ok {
		return c.ConnectionState()
	}
	return nil
}

// decide decides about the first target in the answer for which a policy has
// something to do. An answer that cannot be judged passes, as it would without
// inspect.
func (i *inspector) decide(m *dns.Msg) (d Decision) {
	defer guard.Recover("inspect")
	for _, rr := range m.Answer {
		if d := i.decideRecord(rr); !d.none() {
			return d
		}
	}
	return Decision{}
}

// decideRecord decides about what a record leads to.
func (i *inspector) decideRecord(rr dns.RR) Decision {
	qname, name := i.request.Question[0].Name, target(rr)
	if name == "" || strings.EqualFold(name, qname) {
		return Decision{}
	}
	q := about(i.policies, name)
	d := q.decide(known)
	if !d.none() {
		d.Via, d.viaType = strings.ToLower(strings.TrimSuffix(qname, ".")), rr.Header().Rrtype
	}
	return d
}

// target returns the name that a record leads to: RFC 1035 sections 3.3.1 and
// 3.3.9, RFC 2782, RFC 6672 and RFC 9460. It is empty for other records.
func target(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.MX:
		return rr.Mx
	case *dns.CNAME:
		return rr.Target
	case *dns.DNAME:
		return rr.Target
	case *dns.SRV:
		return rr.Target
	case *dns.SVCB:
		return rr.Target
	case *dns.HTTPS:
		return rr.Target
	}
	return ""
}
