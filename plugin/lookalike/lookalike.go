package lookalike

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/request"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
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
	if l.watches(r.Question[0].Name) && looksUp(r) {
		if rcode, done, err := l.guard(ctx, w, r); done {
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
func (l *Lookalike) guard(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (rcode int, done bool, err error) {
	q := r.Question[0]
	d, ok := l.decide(w, q)
	if !ok {
		d, ok = l.verify(ctx, w, q)
	}
	if (!ok || !d.Action.Blocks()) && l.inspects(w, q) {
		rcode, err = l.serveInspected(ctx, w, r, d)
		return rcode, true, err
	}
	if !ok {
		return 0, false, nil
	}
	if d.untold() {
		return dns.RcodeServerFailure, true, nil
	}
	setMetadata(ctx, d)
	if !d.Action.Blocks() {
		l.observe(ctx, w, r, d, dns.RcodeSuccess)
		return 0, false, nil
	}
	rcode = reply(w, r, d)
	l.observe(ctx, w, r, d, rcode)
	return handled(rcode), true, nil
}

// watches reports whether a policy may have something to do about qname.
func (l *Lookalike) watches(qname string) bool {
	for _, p := range l.policies {
		if p.inspect || p.Index().Watched(qname) {
			return true
		}
	}
	return false
}

// looksUp reports whether r asks for a name of the Internet. A NOTIFY (RFC 1996),
// for one, tells of a name.
func looksUp(r *dns.Msg) bool {
	return r.Opcode == dns.OpcodeQuery && r.Question[0].Qclass == dns.ClassINET
}

// handled is the RCODE to return for a query whose reply is written, or
// withheld on purpose: for most RCODEs the server would write one of its own.
func handled(rcode int) int {
	if rcode == dns.RcodeNameError {
		return rcode
	}
	return dns.RcodeSuccess
}

// decide finds the first policy that has something to do about the question.
func (l *Lookalike) decide(w dns.ResponseWriter, q dns.Question) (Decision, bool) {
	for _, p := range l.policies {
		if !p.Index().Watched(q.Name) {
			continue
		}
		if len(p.clients) > 0 && !p.covers(addrPort(w.RemoteAddr()).Addr()) {
			continue
		}
		if d, ok := p.judge(q.Name); ok && !d.Allowed {
			return d, true
		}
	}
	return Decision{}, false
}

// untold reports whether the query would be blocked without an alert, since the
// last ones of a server that stops are on their way. It gets SERVFAIL instead,
// with which clients go to their next resolver, and mail servers keep the mail
// and try again.
func (d *Decision) untold() bool {
	return d.Action.Blocks() && d.Policy.pipeline.Closed() && d.Policy.alertsTo() == nil
}

// observe counts the detection and hands it to the alerts. The answer has been
// written by now, so nothing that goes wrong here may reach the client.
func (l *Lookalike) observe(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, d Decision, rcode int) {
	defer survive("alert")

	server, view := metrics.WithServer(ctx), metrics.WithView(ctx)
	d.Policy.detections.count(server, view, d)

	now := time.Now()
	state := request.Request{W: w, Req: r}
	protocol, _, _ := strings.Cut(server, ":") // "dns://:53"
	client := addrPort(w.RemoteAddr())
	pipeline := d.Policy.alertsTo()
	if pipeline == nil {
		pipeline = d.Policy.pipeline // the log has it
	}
	pipeline.Observe(&alert.Detection{
		Time:        now,
		Client:      client,
		Server:      addrPort(w.LocalAddr()),
		Transport:   state.Proto(),
		Protocol:    protocol,
		ID:          r.Id,
		Qtype:       state.QType(),
		Rcode:       rcode,
		Verdict:     d.Verdict,
		Action:      alert.Action(d.Action.kind), // both stand in one order
		Answers:     d.Action.addresses,
		Via:         d.Via,
		Context:     d.Policy.purpose(client.Addr(), d.Verdict, state.QType(), now),
		ServerBlock: d.Policy.block,
		View:        view,
	})
}

// survive ends a panic, says so and counts it. It must be deferred.
func survive(where string) {
	if err := recover(); err != nil {
		failuresTotal.WithLabelValues(where).Inc()
		log.Errorf("Recovered from a failure in the %s: %v", where, err)
	}
}

// addrPort returns the address of a client or listener, an IPv4-mapped one as
// IPv4 and without a zone; the zero value where there is none.
func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	case nil:
		return ap
	default:
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
