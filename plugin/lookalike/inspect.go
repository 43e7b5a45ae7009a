package lookalike

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
	"github.com/miekg/dns"
)

// inspects reports whether some of the policies examine answers.
func inspects(policies []*Policy) bool {
	for _, p := range policies {
		if p.inspect {
			return true
		}
	}
	return false
}

// inspecting returns the policies that examine the answer to the query.
func (q *query) inspecting(policies []*Policy) []*Policy {
	var inspecting []*Policy
	for _, p := range policies {
		if !p.inspect || !p.inScope(q.client().Addr()) {
			continue
		}
		if _, allowed := p.lists.Exception(q.name, q.client().Addr(), detect.None); !allowed {
			inspecting = append(inspecting, p)
		}
	}
	return inspecting
}

// serveInspected passes the query on and examines the answer before the client
// receives it. If the queried name is a monitored lookalike itself, asked is the
// decision about it. A target in the answer wins over asked, because one query is
// one detection.
func (l *Lookalike) serveInspected(ctx context.Context, q query, inspecting []*Policy, asked Decision) (int, error) {
	i := &inspector{passing: passing{q.w}, request: q.r, policies: inspecting, decision: asked}
	rcode, err := plugin.NextOrFailure(l.Name(), l.Next, ctx, i, q.r)
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
	passing
	request  *dns.Msg
	policies []*Policy // those that examine the answer

	decision Decision // about the name, or about a target in its answer
	rcode    int      // of the reply
	withheld bool     // no reply was sent, because nobody would see the alert
}

// WriteMsg implements dns.ResponseWriter.
func (i *inspector) WriteMsg(m *dns.Msg) error {
	d, blocked := i.decide(m)
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
	if i.request.Question[0].Qtype == dns.TypeMX && d.viaType == dns.TypeMX {
		if good := withoutExchanges(m, blocked); good != nil {
			return i.ResponseWriter.WriteMsg(good)
		}
	}
	i.rcode = d.reply(i.ResponseWriter, i.request)
	return nil
}

// withoutExchanges returns m without the MX records that lead to the blocked
// names, or nil if none remains. Mail then goes to the other hosts and does not
// bounce. It clears AD and removes the signature, which no longer holds (RFC 4035
// section 3.2.3), and the additional records of the blocked names.
func withoutExchanges(m *dns.Msg, blocked map[string]bool) *dns.Msg {
	left := 0
	good := m.Copy()
	good.AuthenticatedData = false
	good.Answer = slices.DeleteFunc(good.Answer, func(rr dns.RR) bool {
		switch rr := rr.(type) {
		case *dns.MX:
			if !blocked[canonical(rr.Mx)] {
				left++
				return false
			}
			return true
		case *dns.RRSIG:
			return rr.TypeCovered == dns.TypeMX
		}
		return false
	})
	good.Extra = slices.DeleteFunc(good.Extra, func(rr dns.RR) bool { return blocked[canonical(rr.Header().Name)] })
	if left == 0 {
		return nil
	}
	return good
}

// canonical returns name in lower case without its trailing dot.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// passing is the dns.ResponseWriter of a query that is passed on.
type passing struct{ dns.ResponseWriter }

// ConnectionState implements dns.ConnectionStater.
func (p passing) ConnectionState() *tls.ConnectionState {
	if c, ok := p.ResponseWriter.(dns.ConnectionStater); ok {
		return c.ConnectionState()
	}
	return nil
}

// maxTargets limits the targets of an answer that are compared in full, because
// an attacker may send thousands. The rest match only if they read like a protected
// name.
const maxTargets = 64

// decide decides about the targets in the answer. It returns the decision about the
// first target to block, or else about the first to report, and the names of all
// targets to block. If decide panics, the answer passes, as it would without inspect.
func (i *inspector) decide(m *dns.Msg) (strongest Decision, blocked map[string]bool) {
	defer guard.Recover("inspect")
	qname, compared := i.request.Question[0].Name, 0
	for _, rr := range m.Answer {
		name := target(rr)
		if name == "" || strings.EqualFold(name, qname) {
			continue
		}
		q := about(i.policies, name)
		if len(q.policies) == 0 {
			continue
		}
		compared++
		q.exact, q.from = compared > maxTargets, address.Of(i.RemoteAddr())
		d := q.decide(known)
		if d.Action.Blocks() {
			if blocked == nil {
				blocked = make(map[string]bool)
			}
			blocked[canonical(name)] = true
		}
		if strongest.none() || d.Action.Blocks() && !strongest.Action.Blocks() {
			strongest = d
			strongest.Via, strongest.viaType = canonical(qname), rr.Header().Rrtype
		}
	}
	return strongest, blocked
}

// target returns the name that a record points to (RFC 1035 sections 3.3.1 and
// 3.3.9, RFC 2782, RFC 6672 and RFC 9460), and "" for other types.
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
