package lookalike

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	pkgparse "github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"

	"github.com/miekg/dns"
)

// Corefile is what the lookalike directives of a file say, and which queries
// get to them.
type Corefile struct {
	Policies []*Policy // of all directives, in the order of the file
	Unknown  []string  // directives that CoreDNS does not have: "Corefile:3: nosuchplugin"

	listeners []*listener // in the order of the file
}

// listener is an address on which the server takes queries.
type listener struct {
	address string
	zones   map[string][]*serverBlock // blocks of one zone in the order of the file
}

// serverBlock is one of a Corefile, whether it has the directive or not.
type serverBlock struct {
	policies []*Policy
	view     bool // it answers only some clients
}

// Load reads the lookalike directives of a Corefile, with their lists, and
// starts nothing. Of other plugins only those are looked at that say where a
// server block listens.
func Load(path string) (*Corefile, error) {
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return read(path, contents)
}

// Default returns what a directive without a block says, for all names.
func Default() (*Corefile, error) {
	return read("", []byte(". {\n"+pluginName+"\n}\n"))
}

func read(path string, contents []byte) (*Corefile, error) {
	blocks, err := caddyfile.Parse(path, bytes.NewReader(contents), nil)
	if err != nil {
		return nil, err
	}
	c := new(Corefile)
	for _, block := range blocks {
		policies, err := loadBlock(path, block)
		if err != nil {
			return nil, err
		}
		c.Policies = append(c.Policies, policies...)
		c.Unknown = append(c.Unknown, unknown(path, block)...)
		_, view := block.Tokens["view"]
		if err := c.listen(block, &serverBlock{policies, view}); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if len(c.Policies) == 0 {
		return nil, fmt.Errorf("%s: no server block has a %s directive", path, pluginName)
	}
	if err := checkSpools(c.Policies); err != nil {
		return nil, err
	}
	return c, nil
}

// loadBlock reads the directives of one server block.
func loadBlock(path string, block caddyfile.ServerBlock) ([]*Policy, error) {
	d := caddyfile.NewDispenserTokens(path, block.Tokens[pluginName])
	policies, err := parse(&d, rootOf(block))
	if err != nil {
		return nil, err
	}
	for _, p := range policies {
		p.block = block.Keys[0]
		if err := p.load(); err != nil {
			return nil, err
		}
	}
	return policies, nil
}

// unknown returns the directives of a block that are neither CoreDNS's nor of
// this module, each with its place. A server may have plugins of its own.
func unknown(path string, block caddyfile.ServerBlock) []string {
	var list []string
	for name, tokens := range block.Tokens {
		if name == pluginName || name == "smtpreject" || slices.Contains(dnsserver.Directives, name) {
			continue
		}
		d := caddyfile.NewDispenserTokens(path, tokens)
		d.Next()
		list = append(list, fmt.Sprintf("%s:%d: %s", d.File(), d.Line(), name))
	}
	slices.Sort(list)
	return list
}

// rootOf returns the argument of the block's root directive, below which
// relative paths are found, or the empty string.
func rootOf(block caddyfile.ServerBlock) string {
	d := caddyfile.NewDispenserTokens("", block.Tokens["root"])
	if d.Next() && d.NextArg() {
		return d.Val()
	}
	return ""
}

// listen adds a block to the addresses that its keys and its bind lines name.
// dnsserver groups blocks in the same way, but exports nothing of it.
func (c *Corefile) listen(block caddyfile.ServerBlock, b *serverBlock) error {
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
			l := c.listener(scheme + "://" + host + ":" + port)
			for _, zone := range zones {
				zone = plugin.Name(zone).Normalize()
				l.zones[zone] = append(l.zones[zone], b)
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
func (c *Corefile) listener(address string) *listener {
	for _, l := range c.listeners {
		if l.address == address {
			return l
		}
	}
	l := &listener{address, make(map[string][]*serverBlock)}
	c.listeners = append(c.listeners, l)
	return l
}

// Serving returns the policies that queries for qname get to, in the order of
// the file's addresses. It is empty where the server blocks that answer for
// qname have no directive.
func (c *Corefile) Serving(qname string) []*Policy {
	qname = strings.ToLower(dns.Fqdn(qname))
	var serving []*Policy
	for _, l := range c.listeners {
		for _, b := range l.answering(qname) {
			for _, p := range b.policies {
				if !slices.Contains(serving, p) {
					serving = append(serving, p)
				}
			}
		}
	}
	return serving
}

// answering returns the server blocks that answer for qname, as
// dnsserver.Server.ServeDNS chooses them: the one with the longest zone that
// qname lies in. A block with a view leaves the clients that it is not for to
// the next one.
func (l *listener) answering(qname string) []*serverBlock {
	var found []*serverBlock
	for off, end := 0, false; ; off, end = dns.NextLabel(qname, off) {
		zone := qname[off:]
		if end {
			zone = "."
		}
		for _, b := range l.zones[zone] {
			found = append(found, b)
			if !b.view {
				return found
			}
		}
		if end {
			return found
		}
	}
}
