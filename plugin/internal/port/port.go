// Package port finds out whether another process has the port of a server.
// CoreDNS lets processes of one user share a port (SO_REUSEPORT): each then
// gets some of the queries, and those that go to a server without the guard are
// not guarded.
package port

import (
	"fmt"
	"net/netip"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
)

// protocols are what the sockets of a transport are, UDP first.
var protocols = map[string][]string{
	transport.DNS:    {"udp", "tcp"},
	transport.TLS:    {"tcp"},
	transport.HTTPS:  {"tcp"},
	transport.GRPC:   {"tcp"},
	transport.QUIC:   {"udp"},
	transport.HTTPS3: {"udp"},
}

// Check returns an error where another process listens on an address of a
// server block with these keys ("dns://.:53"). Its addresses are those of
// hosts, or all of this machine where a host is empty. A single address beside
// all of them, such as 127.0.0.53, is no conflict. Sockets of this process, which
// a server that reloads has, do not count. Check works on Linux only.
func Check(keys, hosts []string) error { return check(keys, hosts, ownSockets()) }

// check is Check, with the inodes of the sockets that do not count.
func check(keys, hosts []string, own map[string]bool) error {
	for _, key := range keys {
		scheme, rest := parse.Transport(key)
		_, number, err := plugin.SplitHostPort(rest)
		if err != nil {
			return err
		}
		for _, host := range hosts {
			addr := netip.IPv6Unspecified()
			if host != "" {
				if addr, err = netip.ParseAddr(host); err != nil {
					continue // what listens there is not known by its address
				}
			}
			for _, protocol := range protocols[scheme] {
				if taken(protocol, addr, number, own) {
					return fmt.Errorf("%s: address already in use: another process listens on port %s of %s (%s) and would get some of the "+
						"queries: end it, or give one of the two another address with bind", key, number, shown(host), protocol)
				}
			}
		}
	}
	return nil
}

func shown(host string) string {
	if host == "" {
		return "all addresses"
	}
	return host
}
