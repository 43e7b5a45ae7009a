package lookalike

import (
	"context"
	"fmt"
	"net"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/verify"
	"github.com/miekg/dns"
)

// verified returns the decision about a name that the lists have nothing about,
// but whose counterpart under a protected TLD exists.
func (p *Policy) verified(name string, counterpart func(p *Policy, names []string) int) Decision {
	a := p.withFallback(p.Action(detect.TLDSwap, detect.High))
	if a.Kind == record.Off || p.Allowed(name) {
		return Decision{}
	}
	verdicts := p.Index().Counterparts(name)
	names := make([]string, len(verdicts))
	for i, v := range verdicts {
		names[i] = v.Matches[0].Protected
	}
	if i := counterpart(p, names); i >= 0 {
		return Decision{Policy: p, Verdict: verdicts[i], Action: a}
	}
	return Decision{}
}

// known goes by what has been found out before, and does not wait.
func known(p *Policy, names []string) int {
	for i, name := range names {
		if p.verifier.Known(name) {
			return i
		}
	}
	return -1
}

// lookUp returns what looks counterparts up while the query waits.
func (l *Lookalike) lookUp(ctx context.Context, w dns.ResponseWriter) func(*Policy, []string) int {
	return func(p *Policy, names []string) int {
		return p.verifier.Existing(ctx, names, l.asker(ctx, w))
	}
}

// ownKey marks the context of our own lookups, about which nothing is decided.
type ownKey struct{}

// isOwn reports whether a query is one of ours.
func isOwn(ctx context.Context) bool { return ctx.Value(ownKey{}) != nil }

// asker returns what asks the server that the query came to, as the client
// would, or the plugins below this one where there is no server.
func (l *Lookalike) asker(ctx context.Context, w dns.ResponseWriter) verify.Asker {
	server, _ := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	local, remote := w.LocalAddr(), w.RemoteAddr()
	return func(ctx context.Context, name string, qtype uint16) *dns.Msg {
		ctx = context.WithValue(ctx, ownKey{}, true)
		answer := &capture{local: local, remote: remote}
		r := new(dns.Msg).SetQuestion(name, qtype).SetEdns0(dns.DefaultMsgSize, false)
		if server == nil {
			plugin.NextOrFailure(l.Name(), l.Next, ctx, answer, r)
			return answer.msg
		}
		ctx = context.WithValue(ctx, dnsserver.Key{}, server)
		ctx = context.WithValue(ctx, dnsserver.LoopKey{}, 0)
		server.ServeDNS(ctx, answer, r)
		return answer.msg
	}
}

// capture is a dns.ResponseWriter for our own questions.
type capture struct {
	local, remote net.Addr
	msg           *dns.Msg
}

func (c *capture) LocalAddr() net.Addr       { return c.local }
func (c *capture) RemoteAddr() net.Addr      { return c.remote }
func (c *capture) WriteMsg(m *dns.Msg) error { c.msg = m; return nil }
func (c *capture) Close() error              { return nil }
func (c *capture) TsigStatus() error         { return nil }
func (c *capture) TsigTimersOnly(bool)       {}
func (c *capture) Hijack()                   {}
func (c *capture) Write(b []byte) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil {
		return 0, fmt.Errorf("an answer that cannot be read: %w", err)
	}
	c.msg = m
	return len(b), nil
}
