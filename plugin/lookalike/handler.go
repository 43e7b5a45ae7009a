package lookalike

import (
	"context"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
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

// Name implements plugin.Handler.
func (l *Lookalike) Name() string { return pluginName }

// ServeDNS implements plugin.Handler.
func (l *Lookalike) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	reserveStack(false)
	policies := watching(l.policies, r.Question[0].Name)
	if (len(policies) > 0 || inspects(l.policies)) && isLookup(r) {
		if rcode, done, err := l.guard(ctx, w, r, policies); done {
			return rcode, err
		}
	}
	if l.Next == nil {
		return plugin.NextOrFailure(l.Name(), nil, ctx, w, r)
	}
	// Directly: the tracing span and the writer of plugin.NextOrFailure cost a
	// passing query more than all of this plugin does.
	return l.Next.ServeDNS(ctx, w, r)
}

// guard answers the query, or reports that it is to pass. What passes does so
// when guard has returned, so that the plugins behind have the stack for
// themselves.
func (l *Lookalike) guard(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, watching []*Policy) (rcode int, done bool, err error) {
	if isOwn(ctx) {
		return 0, false, nil
	}
	q := newQuery(w, r, watching)
	d := q.decide(l.lookUp(ctx, w))
	if !d.Action.Blocks() {
		if inspecting := q.inspecting(l.policies); len(inspecting) > 0 {
			rcode, err = l.serveInspected(ctx, q, inspecting, d)
			return rcode, true, err
		}
	}
	switch {
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
	rcode = reply(w, r, d)
	observe(ctx, &q, d, rcode)
	return writtenRcode(rcode), true, nil
}

// isLookup reports whether r asks for a name of the Internet. A NOTIFY (RFC 1996),
// for one, tells of a name.
func isLookup(r *dns.Msg) bool {
	return r.Opcode == dns.OpcodeQuery && r.Question[0].Qclass == dns.ClassINET
}

// writtenRcode is the RCODE to return for a query whose reply is written, or
// withheld on purpose: for most RCODEs the server would write one of its own.
func writtenRcode(rcode int) int {
	if rcode == dns.RcodeNameError {
		return rcode
	}
	return dns.RcodeSuccess
}

// observe counts the detection and hands it to the alerts. The answer has been
// written by now, so nothing that goes wrong here may reach the client.
func observe(ctx context.Context, q *query, d Decision, rcode int) {
	defer guard.Recover("alert")

	server, view := metrics.WithServer(ctx), metrics.WithView(ctx)
	d.Policy.detections.count(server, view, d)

	now := time.Now()
	pipeline := d.Policy.alertsTo()
	if pipeline == nil {
		pipeline = d.Policy.pipeline // the log has it
	}
	pipeline.Observe(&alert.Detection{
		Time:        now,
		Client:      q.client(),
		Server:      address.Of(q.W.LocalAddr()),
		Transport:   q.Proto(),
		Protocol:    scheme(server),
		ID:          q.Req.Id,
		Qtype:       q.QType(),
		Rcode:       rcode,
		Verdict:     d.Verdict,
		Action:      d.Action.Kind, // both stand in one order
		Answers:     d.Action.Addresses,
		Via:         d.Via,
		Context:     d.Policy.purposes.Of(q.client().Addr(), d.Verdict, q.QType(), now),
		ServerBlock: d.Policy.block,
		View:        view,
	})
}
