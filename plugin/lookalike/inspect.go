package lookalike

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// inspects reports whether the answer to q is to be looked at.
func (l *Lookalike) inspects(w dns.ResponseWriter, q dns.Question) bool {
	for _, p := range l.policies {
		if p.inspect && p.covers(addrPort(w.RemoteAddr()).Addr()) && !p.Allowed(q.Name) {
			return true
		}
	}
	return false
}

// serveInspected passes the query on and looks at the answer before the client
// gets it. Where the query itself is for a monitored lookalike, the decision
// about that is asked, and what the answer leads to wins over it: one query is
// one detection.
func (l *Lookalike) serveInspected(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, asked Decision) (int, error) {
	i := &inspector{ResponseWriter: w, lookalike: l, request: r, decision: asked}
	rcode, err := plugin.NextOrFailure(l.Name(), l.Next, ctx, i, r)
	if i.withheld {
		return dns.RcodeServerFailure, nil
	}
	if i.decision.Verdict == nil {
		return rcode, err
	}
	setMetadata(ctx, i.decision)
	l.observe(ctx, w, r, i.decision, i.rcode)
	if i.decision.Action.Blocks() {
		return handled(i.rcode), nil
	}
	return rcode, err
}

// inspector is a dns.ResponseWriter that does not let through an answer whose
// target is a lookalike.
type inspector struct {
	dns.ResponseWriter
	lookalike *Lookalike
	request   *dns.Msg

	decision Decision // with a verdict where the name or a target matched
	rcode    int      // of the reply
	withheld bool     // there was no reply, since nobody would be told
}

// WriteMsg implements dns.ResponseWriter.
func (i *inspector) WriteMsg(m *dns.Msg) error {
	d, ok := i.judge(m)
	if !ok {
		return i.ResponseWriter.WriteMsg(m)
	}
	if i.withheld = d.untold(); i.withheld {
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
		if d, ok := i.judgeRecord(rr); ok && d.Action.Blocks() {
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

// judge decides about the first target in the answer for which a policy has
// something to do. An answer that cannot be judged passes, as it would without
// inspect.
func (i *inspector) judge(m *dns.Msg) (d Decision, ok bool) {
	defer survive("inspect")
	for _, rr := range m.Answer {
		if d, ok := i.judgeRecord(rr); ok {
			return d, true
		}
	}
	return Decision{}, false
}

func (i *inspector) judgeRecord(rr dns.RR) (Decision, bool) {
	q := i.request.Question[0]
	name := target(rr)
	if name == "" || strings.EqualFold(name, q.Name) {
		return Decision{}, false
	}
	for _, p := range i.lookalike.policies {
		if !p.inspect || !p.Index().Watched(name) || p.Allowed(q.Name) || !p.covers(addrPort(i.RemoteAddr()).Addr()) {
			continue
		}
		if d, ok := p.judge(name); ok && !d.Allowed {
			d.Via, d.viaType = strings.ToLower(strings.TrimSuffix(q.Name, ".")), rr.Header().Rrtype
			return d, true
		}
	}
	return Decision{}, false
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

// composeVia returns the answer to a question whose answer leads to a lookalike.
// The name itself is none, so its other types are left alone, unless it is an
// alias of one, which leads there with every type. A blocked MX must not send
// the mail to the name's address: it becomes a null MX, after which no address
// is tried (RFC 7505 section 3), or leads to the sinkhole, which is where the
// target leads.
func composeVia(r *dns.Msg, d Decision) *dns.Msg {
	q := r.Question[0]
	mail := q.Qtype == dns.TypeMX || q.Qtype == dns.TypeANY
	alias := d.viaType == dns.TypeCNAME || d.viaType == dns.TypeDNAME
	d.Via = ""
	switch kind := d.Action.kind; {
	case mail && kind == actionSinkhole:
		return positive(r, d, []dns.RR{&dns.MX{
			Hdr: header(q.Name, dns.TypeMX, d.Policy.ttl), Preference: 10, Mx: dns.Fqdn(d.Verdict.Name),
		}})
	case mail && (kind == actionNXDomain || kind == actionNoData || kind == actionNullMX):
		return positive(r, d, nullMX(q, d.Policy.ttl))
	case kind == actionNXDomain && !alias:
		return negative(r, dns.RcodeSuccess, d)
	}
	return compose(r, d)
}
