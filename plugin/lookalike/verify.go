package lookalike

import (
	"context"

	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/verify"
	"github.com/miekg/dns"
)

// finder returns the index of the first verdict whose protected name exists, or
// -1.
type finder func(p *Policy, verdicts []*detect.Verdict) int

// verified returns the decision about a name that resembles nothing listed, but
// whose counterpart under a protected TLD exists.
func (q *query) verified(p *Policy, find finder) Decision {
	a := p.withFallback(p.Action(detect.TLDSwap, detect.High))
	if a.Kind == record.Off {
		return Decision{}
	}
	e, allowed := p.lists.Exception(q.name, q.client().Addr(), detect.TLDSwap)
	if allowed {
		return Decision{}
	}
	verdicts := p.Index().Counterparts(q.name)
	if i := find(p, verdicts); i >= 0 {
		return Decision{Policy: p, Verdict: verdicts[i], Action: a, Exception: e}
	}
	return Decision{}
}

// known is a finder that uses only earlier results and never waits.
func known(p *Policy, verdicts []*detect.Verdict) int {
	for i, v := range verdicts {
		if p.verifier.Known(v.Matches[0].Protected) {
			return i
		}
	}
	return -1
}

// lookups looks up counterparts while a query waits.
type lookups struct {
	ctx  context.Context
	next plugin.Handler
	w    dns.ResponseWriter

	// The lookup that did not finish in time. If there are several, the last one.
	policy    *Policy
	verdicts  []*detect.Verdict
	undecided *verify.Undecided
}

// find is a finder that waits for lookups, up to the timeout of the policy.
func (l *lookups) find(p *Policy, verdicts []*detect.Verdict) int {
	names := make([]string, len(verdicts))
	for i, v := range verdicts {
		names[i] = v.Matches[0].Protected
	}
	i, undecided := p.verifier.Existing(l.ctx, names, verify.Below(l.ctx, l.w, l.next))
	if undecided != nil {
		l.policy, l.verdicts, l.undecided = p, verdicts, undecided
	}
	return i
}

// tell arranges an alert in case a late lookup shows that the query should not have
// passed. Meanwhile caches keep the answer no longer than the TTL of our own answers.
func (l *lookups) tell(ctx context.Context, q *query) {
	about := describe(ctx, q, dns.RcodeSuccess)
	policy, verdicts := l.policy, l.verdicts
	e, _ := policy.lists.Exception(q.name, q.client().Addr(), detect.TLDSwap)
	l.undecided.Late(func(i int) {
		about.report(Decision{Policy: policy, Verdict: verdicts[i], Action: action.Action{Kind: record.Monitor}, Exception: e})
	})
}

// capped is a dns.ResponseWriter that lowers every longer TTL to ttl, in seconds.
type capped struct {
	passing
	ttl uint32
}

// WriteMsg implements dns.ResponseWriter.
func (c *capped) WriteMsg(m *dns.Msg) error {
	m = m.Copy() // a cache may have it, too
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			if h := rr.Header(); h.Rrtype != dns.TypeOPT {
				h.Ttl = min(h.Ttl, c.ttl)
			}
		}
	}
	return c.ResponseWriter.WriteMsg(m)
}
