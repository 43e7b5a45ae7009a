// Package serving finds the server blocks of a Corefile that answer for a name.
package serving

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	pkgparse "github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"

	"github.com/miekg/dns"
)

// Blocks holds a value for each server block of a Corefile. The zero value is
// empty. It may be read by many at once when all blocks are in it.
type Blocks[T any] struct {
	listeners []*Listener[T] // in the order of the file
}

// Listener is an address on which the server takes queries.
type Listener[T any] struct {
	address string
	zones   map[string][]*entry[T] // blocks of one zone in the order of the file
}

// entry is one server block.
type entry[T any] struct {
	value T
	view  bool // it answers only some clients
}

// Add puts a block on the addresses that its keys and its bind lines name.
// dnsserver groups blocks in the same way, but exports nothing of it.
func (b *Blocks[T]) Add(block caddyfile.ServerBlock, value T) error {
	_, view := block.Tokens["view"]
	e := &entry[T]{value, view}
	for _, key := range block.Keys {
		scheme, rest := pkgparse.Transport(key)
		zones, port, err := plugin.SplitHostPort(rest)
		if err != nil {
			return fmt.Errorf("server block %s: %w", key, err)
		}
		if port == "" {
			port = defaultPort(scheme)
		}
		for _, host := range bound(block) {
			l := b.listener(scheme + "://" + host + ":" + port)
			for _, zone := range zones {
				zone = plugin.Name(zone).Normalize()
				l.zones[zone] = append(l.zones[zone], e)
			}
		}
	}
	return nil
}

// defaultPort is where the server listens for a key without a port.
func defaultPort(scheme string) string {
	switch scheme {
	case transport.TLS:
		return transport.TLSPort
	case transport.QUIC:
		return transport.QUICPort
	case transport.GRPC:
		return transport.GRPCPort
	case transport.HTTPS, transport.HTTPS3:
		return transport.HTTPSPort
	}
	return dnsserver.Port
}

// bound returns the arguments of the block's bind lines, or the empty string
// for every address of the host. Interfaces stay names: the Corefile may be
// that of another host.
func bound(block caddyfile.ServerBlock) []string {
	var hosts []string
	d := caddyfile.NewDispenserTokens("", block.Tokens["bind"])
	for d.Next() {
		hosts = append(hosts, d.RemainingArgs()...)
		for d.NextBlock() {
			d.RemainingArgs()
		}
	}
	if len(hosts) == 0 {
		return []string{""}
	}
	return hosts
}

// listener returns the listener at address, a new one where there is none yet.
func (b *Blocks[T]) listener(address string) *Listener[T] {
	for _, l := range b.listeners {
		if l.address == address {
			return l
		}
	}
	l := &Listener[T]{address, make(map[string][]*entry[T])}
	b.listeners = append(b.listeners, l)
	return l
}

// Answering returns the values of the server blocks that answer for qname, for
// one address after the other, in the order of the file. A block that answers at
// several comes several times.
func (b *Blocks[T]) Answering(qname string) []T {
	found := make([]T, 0, len(b.listeners))
	for _, l := range b.listeners {
		found = append(found, l.Answering(qname)...)
	}
	return found
}

// Listeners returns the addresses in the order of the file.
func (b *Blocks[T]) Listeners() []*Listener[T] { return b.listeners }

// A Conflict is a zone that two blocks without a view have at one address,
// which the server refuses.
type Conflict[T any] struct {
	Zone, Address string
	First, Second T
}

// Twice returns the conflicts, for one address after the other.
func (b *Blocks[T]) Twice() (conflicts []Conflict[T]) {
	for _, l := range b.listeners {
		for _, zone := range l.Zones() {
			var first *entry[T]
			for _, e := range l.zones[zone] {
				switch {
				case e.view:
				case first == nil:
					first = e
				default:
					conflicts = append(conflicts, Conflict[T]{zone, l.Address(), first.value, e.value})
				}
			}
		}
	}
	return conflicts
}

// Zones returns the zones that blocks have here, sorted.
func (l *Listener[T]) Zones() []string { return slices.Sorted(maps.Keys(l.zones)) }

// Address returns the address for people: "port 53", "tls port 853",
// "192.0.2.1:53".
func (l *Listener[T]) Address() string {
	address := strings.TrimPrefix(l.address, transport.DNS+"://")
	if scheme, port, ok := strings.Cut(address, "://:"); ok {
		return scheme + " port " + port
	}
	if port, ok := strings.CutPrefix(address, ":"); ok {
		return "port " + port
	}
	return address
}

// Answering returns the values of the server blocks that answer for qname, as
// dnsserver.Server.ServeDNS chooses them: the one with the longest zone that
// qname lies in. A block with a view leaves other clients to the next one.
func (l *Listener[T]) Answering(qname string) []T {
	qname = strings.ToLower(dns.Fqdn(qname))
	var found []T
	for off, end := 0, false; ; off, end = dns.NextLabel(qname, off) {
		zone := qname[off:]
		if end {
			zone = "."
		}
		for _, b := range l.zones[zone] {
			found = append(found, b.value)
			if !b.view {
				return found
			}
		}
		if end {
			return found
		}
	}
}
