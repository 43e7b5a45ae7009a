package lookalike

import (
	"context"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/request"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/verify"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
	"github.com/miekg/dns"
)

var log = clog.NewWithPlugin(pluginName)

// Lookalike answers for names that resemble protected ones. It holds the
// policies of one server block, in the order of the Corefile.
type Lookalike struct {
	Next plugin.Handler

	policies []*Policy
}

// Policies returns the directives of the server block. Callers must not change them.
func (l *Lookalike) Policies() []*Policy { return l.policies }

// Name implements plugin.Handler.
func (l *Lookalike) Name() string { return pluginName }

// ServeDNS implements plugin.Handler.
func (l *Lookalike) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	policies := watching(l.policies, r.Question[0].Name)
	if (len(policies) > 0 || inspects(l.policies)) && isLookup(r) {
		if rcode, done, err := l.guard(ctx, w, r, policies); done {
			return rcode, err
		}
	}
	if l.Next == nil {
		return plugin.NextOrFailure(l.Name(), nil, ctx, w, r)
	}
	// Call the next plugin directly: the tracing span and the writer of
	// plugin.NextOrFailure cost a passing query more than this whole plugin.
	return l.Next.ServeDNS(ctx, w, r)
}

// guard answers the query, or reports that the query passes. A query passes
// after guard has returned, so that the next plugins have the whole stack.
func (l *Lookalike) guard(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, watching []*Policy) (rcode int, done bool, err error) {
	if verify.IsOwn(ctx) {
		return 0, false, nil
	}
	q := newQuery(w, r, watching)
	lookups := lookups{ctx: ctx, next: l.Next, w: w}
	d := q.decide(lookups.find)
	if d.none() && q.allowed != nil {
		allowedTotal.WithLabelValues(q.allowed.block, q.class.String()).Inc()
	}
	undecided := d.none() && lookups.undecided != nil
	if undecided {
		lookups.tell(ctx, &q)
		q.w = &capped{passing{w}, lookups.policy.ttl}
	}
	if !d.Action.Blocks() {
		if inspecting := q.inspecting(l.policies); len(inspecting) > 0 {
			rcode, err = l.serveInspected(ctx, q, inspecting, d)
			return rcode, true, err
		}
	}
	switch {
	case undecided:
		rcode, err = plugin.NextOrFailure(l.Name(), l.Next, ctx, q.w, r)
		return rcode, true, err
	case d.none():
		return 0, false, nil
	case d.unreported():
		return dns.RcodeServerFailure, true, nil
	}
	setMetadata(ctx, d)
	if !d.Action.Blocks() {
		observe(ctx, &q, d, dns.RcodeSuccess)
		return 0, false, nil
	}
	rcode = d.reply(w, r)
	observe(ctx, &q, d, rcode)
	return writtenRcode(rcode), true, nil
}

// isLookup reports whether r looks up a name of class IN. A NOTIFY (RFC 1996),
// for example, does not.
func isLookup(r *dns.Msg) bool {
	return r.Opcode == dns.OpcodeQuery && r.Question[0].Qclass == dns.ClassINET
}

// writtenRcode returns the RCODE to return for a query whose reply is written, or
// withheld on purpose. For most RCODEs the server would write its own reply.
func writtenRcode(rcode int) int {
	if rcode == dns.RcodeNameError {
		return rcode
	}
	return dns.RcodeSuccess
}

// observe counts the detection and passes it to the alerts. The answer has been
// written by now, so a failure here must not reach the client.
func observe(ctx context.Context, q *query, d Decision, rcode int) {
	defer guard.Recover("alert")
	about := describe(ctx, q, rcode)
	about.report(d)
}

// observation holds the facts of a query that an alert needs, except the match.
type observation struct {
	server string
	alert.Detection
}

// describe collects the facts of the query, which was answered with rcode.
func describe(ctx context.Context, q *query, rcode int) observation {
	server, state := metrics.WithServer(ctx), request.Request{W: q.w, Req: q.r}
	return observation{server, alert.Detection{
		Time:      time.Now(),
		Client:    q.client(),
		Server:    address.Of(q.w.LocalAddr()),
		Transport: state.Proto(),
		Protocol:  scheme(server),
		ID:        q.r.Id,
		Qtype:     state.QType(),
		Rcode:     rcode,
		View:      metrics.WithView(ctx),
	}}
}

// report counts the detection and passes it to the alerts.
func (o *observation) report(d Decision) {
	p := d.Policy
	p.detections.count(o.server, o.View, d)
	o.Verdict, o.Action, o.Answers, o.Via = d.Verdict, d.Action.Kind, d.Action.Addresses, d.Via
	if e := d.Exception; e != nil {
		o.Exception = &alert.Exception{Name: e.Name, Until: e.End(), Owner: e.Owner, Reason: e.Reason, Ticket: e.Ticket}
	}
	o.Context = p.purposes.Of(o.Client.Addr(), d.Verdict, o.Qtype, o.Time)
	o.ServerBlock = p.block
	pipeline := p.alertsTo()
	if pipeline == nil {
		pipeline = p.pipeline // the log has it
	}
	pipeline.Observe(&o.Detection)
}
