package verify

import (
	"context"
	"fmt"
	"net"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// Asker asks one question, name being fully qualified, and returns the answer,
// or nil without one.
type Asker func(ctx context.Context, name string, qtype uint16) *dns.Msg

// ownKey marks the context of the questions of an Asker.
type ownKey struct{}

// IsOwn reports whether a query is a question of an Asker. The plugin must not
// decide about those.
func IsOwn(ctx context.Context) bool { return ctx.Value(ownKey{}) != nil }

// Below returns an Asker of the plugins from next on, in the server block of
// the query. The plugins above neither log nor count its questions, and cannot
// stop them. It may be used when the query has been answered. What is too large
// for a datagram is asked for again over TCP.
func Below(ctx context.Context, w dns.ResponseWriter, next plugin.Handler) Asker {
	local, remote := w.LocalAddr(), w.RemoteAddr()
	server, view := ctx.Value(dnsserver.Key{}), ctx.Value(dnsserver.ViewKey{})
	return func(ctx context.Context, name string, qtype uint16) *dns.Msg {
		ctx = context.WithValue(ctx, ownKey{}, true)
		ctx = context.WithValue(ctx, dnsserver.Key{}, server)
		ctx = context.WithValue(ctx, dnsserver.ViewKey{}, view)
		ctx = context.WithValue(ctx, dnsserver.LoopKey{}, 0)
		ask := func(remote net.Addr) *dns.Msg {
			answer := &capture{local: local, remote: remote}
			r := new(dns.Msg).SetQuestion(name, qtype).SetEdns0(dns.DefaultMsgSize, false)
			_, _ = plugin.NextOrFailure("lookalike", next, ctx, answer, r) // no answer says as much
			return answer.msg
		}
		m := ask(remote)
		if m != nil && m.Truncated {
			return ask(overTCP(remote))
		}
		return m
	}
}

// overTCP returns the address with which forward goes on over TCP.
func overTCP(a net.Addr) net.Addr {
	if a, ok := a.(*net.UDPAddr); ok {
		return &net.TCPAddr{IP: a.IP, Port: a.Port, Zone: a.Zone}
	}
	return &net.TCPAddr{}
}

// capture is a dns.ResponseWriter that keeps the answer.
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
		return 0, fmt.Errorf("unreadable answer: %w", err)
	}
	c.msg = m
	return len(b), nil
}
