package variants

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/time/rate"
)

// Resolver asks a resolver about names. It is safe for concurrent use.
type Resolver struct {
	Server netip.AddrPort
	Limit  *rate.Limiter // of queries, those that are sent again, too
}

const (
	tries      = 3
	timeout    = 3 * time.Second
	pause      = 500 * time.Millisecond // before the second try, and twice as long before the third
	bufferSize = 1232
)

// errFiltered is the error of a resolver that blocks lookalikes itself.
var errFiltered = errors.New("this resolver blocks lookalikes itself (EDE 15 to 17): name one by -server that does not")

// Lookup asks for a name and its registrable name. What cannot be found out is
// said in the answer; its error ends the run.
func (r *Resolver) Lookup(ctx context.Context, name, registrable string) (*Answer, error) {
	a := &Answer{Mail: NoMail, NS: []string{}, MX: []string{}, Addresses: []string{}}
	ns, rcode, err := r.ask(ctx, registrable, dns.TypeNS)
	if err != nil || rcode == dns.RcodeNameError {
		return a.failed(ctx, err)
	}
	for _, rr := range ns {
		if ns, ok := rr.(*dns.NS); ok {
			a.NS = append(a.NS, host(ns.Ns))
		}
	}
	null := false
	for _, qtype := range []uint16{dns.TypeMX, dns.TypeA, dns.TypeAAAA} {
		rrs, rcode, err := r.ask(ctx, name, qtype)
		if err != nil {
			return a.failed(ctx, err)
		}
		if rcode == dns.RcodeNameError {
			break
		}
		for _, rr := range rrs {
			switch rr := rr.(type) {
			case *dns.MX:
				null = null || rr.Mx == "."
				a.MX = append(a.MX, fmt.Sprintf("%d %s", rr.Preference, host(rr.Mx)))
			case *dns.A:
				a.Addresses = append(a.Addresses, rr.A.String())
			case *dns.AAAA:
				a.Addresses = append(a.Addresses, rr.AAAA.String())
			}
		}
	}
	a.finish(null)
	return a, nil
}

// finish draws the conclusions from the records.
func (a *Answer) finish(null bool) {
	a.Exists = len(a.NS)+len(a.MX)+len(a.Addresses) > 0
	switch {
	case null && len(a.MX) == 1:
		a.Mail = NullMX
	case len(a.MX) > 0:
		a.Mail = ByMX
	case len(a.Addresses) > 0:
		a.Mail = ByAddress
	}
	for _, list := range [][]string{a.NS, a.MX, a.Addresses} { // servers turn them round
		slices.Sort(list)
	}
}

// failed returns the answer with an error that concerns this name alone, or the
// error.
func (a *Answer) failed(ctx context.Context, err error) (*Answer, error) {
	switch {
	case err == nil:
		return a, nil
	case errors.Is(err, errFiltered):
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	a.Error = err.Error()
	return a, nil
}

func host(name string) string {
	if name == "." {
		return name
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// ask sends a query, again where it fails. The error is that of the last try.
func (r *Resolver) ask(ctx context.Context, name string, qtype uint16) (answer []dns.RR, rcode int, err error) {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	m.SetEdns0(bufferSize, false)
	for try := range tries {
		if try > 0 {
			select {
			case <-time.After(pause << (try - 1)):
			case <-ctx.Done():
				return nil, 0, ctx.Err()
			}
		}
		var reply *dns.Msg
		if reply, err = r.exchange(ctx, m); err == nil {
			return reply.Answer, reply.Rcode, nil
		}
		if errors.Is(err, errFiltered) || ctx.Err() != nil {
			break
		}
	}
	return nil, 0, fmt.Errorf("%s %s: %w", dns.TypeToString[qtype], name, err)
}

// exchange sends a query once, over TCP where the reply has no room in a datagram.
func (r *Resolver) exchange(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	m.Id = dns.Id()
	for _, network := range []string{"udp", "tcp"} {
		if err := r.Limit.Wait(ctx); err != nil {
			return nil, err
		}
		client := dns.Client{Net: network, Timeout: timeout, UDPSize: bufferSize}
		reply, _, err := client.ExchangeContext(ctx, m, r.Server.String())
		switch {
		case err != nil:
			return nil, err
		case reply.Truncated && network == "udp":
		case filtered(reply):
			return nil, errFiltered
		case reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError:
			return nil, fmt.Errorf("the resolver answers %s", dns.RcodeToString[reply.Rcode])
		default:
			return reply, nil
		}
	}
	return nil, errors.New("the reply is truncated, over TCP, too")
}

// filtered reports whether a reply says that the name is blocked (RFC 8914).
func filtered(reply *dns.Msg) bool {
	opt := reply.IsEdns0()
	if opt == nil {
		return false
	}
	return slices.ContainsFunc(opt.Option, func(o dns.EDNS0) bool {
		ede, ok := o.(*dns.EDNS0_EDE)
		return ok && ede.InfoCode >= dns.ExtendedErrorCodeBlocked && ede.InfoCode <= dns.ExtendedErrorCodeFiltered
	})
}

// SystemServer returns the first resolver of a file like /etc/resolv.conf.
func SystemServer(file string) (netip.AddrPort, error) {
	conf, err := dns.ClientConfigFromFile(file)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(conf.Servers) == 0 {
		return netip.AddrPort{}, fmt.Errorf("%s names no nameserver: name one by -server", file)
	}
	return ParseServer(conf.Servers[0])
}

// ParseServer reads an address with or without a port.
func ParseServer(s string) (netip.AddrPort, error) {
	const port = 53
	if address, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(address, port), nil
	}
	server, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no address: write such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353", s)
	}
	return server, nil
}
