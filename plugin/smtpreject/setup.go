package smtpreject

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
)

const (
	defaultAddress     = ":25"
	defaultConnections = 1000
	maxConnections     = 100_000
	defaultTimeout     = 30 * time.Second
	minTimeout         = time.Second
	maxTimeout         = 10 * time.Minute
)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	config := dnsserver.GetConfig(c)
	p, err := parse(&c.Dispenser, config.Root)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	config.AddPlugin(func(next plugin.Handler) plugin.Handler { return &Responder{Next: next, policy: p} })

	o := owners.Of(c, func() *owner { return new(owner) })
	c.OnStartup(func() error {
		if err := p.start(o, config); err != nil {
			return plugin.Error(pluginName, fmt.Errorf("%s: %w", p.where, err))
		}
		return nil
	})
	return nil
}

// start puts p in force when the plugins of its server block are there.
func (p *policy) start(o *owner, config *dnsserver.Config) error {
	d, ok := config.Handler("lookalike").(Detector)
	if !ok {
		return errNoDetector
	}
	p.detector = d
	return o.serve(p)
}

// properties are those of the directive, in the order of its grammar.
var properties = []directive.Property[*policy]{
	directive.Once("tls", (*policy).setTLS),
	directive.Once("hostname", (*policy).setHostname),
	directive.Text("reply", (*policy).setReply),
	directive.Once("connections", (*policy).setConnections),
	directive.Once("timeout", (*policy).setTimeout),
}

var errNoDetector = errors.New("no lookalike directive in this server block: add one to find what a recipient's domain resembles")

// Check returns what a server would refuse about the directives of a Corefile.
// It listens on no address.
func Check(path string, blocks []caddyfile.ServerBlock) (errs []error) {
	holders := make(map[string]string) // of addresses
	for _, block := range blocks {
		d := caddyfile.NewDispenserTokens(path, block.Tokens[pluginName])
		p, err := parse(&d, directive.Root(block))
		if err != nil {
			errs = append(errs, err)
		}
		if err != nil || p == nil {
			continue
		}
		if _, ok := block.Tokens["lookalike"]; !ok {
			errs = append(errs, fmt.Errorf("%s: %w", p.where, errNoDetector))
		}
		for _, address := range p.addresses {
			if first, taken := holders[address]; taken {
				errs = append(errs, fmt.Errorf("%s: the directive at %s also listens on %s for mail: give each an address of its own", p.where, first, address))
			}
			holders[address] = p.where
		}
	}
	return errs
}

// parse reads the one directive that a server block may have, nil if it has
// none. Relative paths are below root.
func parse(c *caddyfile.Dispenser, root string) (*policy, error) {
	var p *policy
	for c.Next() {
		if err := directive.Begin(c, pluginName); err != nil {
			return nil, err
		}
		if p != nil {
			return nil, c.Errf("%s can stand once in a server block: remove one, or give one all the addresses", pluginName)
		}
		p = &policy{
			where:       directive.Where(c),
			root:        root,
			connections: defaultConnections,
			timeout:     defaultTimeout,
		}
		words, err := directive.Words(c)
		if err != nil {
			return nil, err
		}
		if err := p.listen(words); err != nil {
			return nil, c.Err(err.Error())
		}
		if err := directive.Block(c, pluginName, properties, p); err != nil {
			return nil, err
		}
	}
	if p == nil {
		return nil, nil
	}
	return p, p.complete()
}

// listen takes over the addresses to listen on.
func (p *policy) listen(args []string) error {
	for _, arg := range args {
		address, err := parseAddress(arg)
		if err != nil {
			return err
		}
		if slices.Contains(p.addresses, address) {
			return fmt.Errorf("address %s is given twice: remove one", arg)
		}
		p.addresses = append(p.addresses, address)
	}
	return nil
}

func (p *policy) setTLS(l directive.Line) error {
	if len(l.Args) != 2 {
		return errors.New("tls needs a certificate and a key: 'tls cert.pem key.pem'")
	}
	pair, err := tls.LoadX509KeyPair(p.path(l.Args[0]), p.path(l.Args[1]))
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	p.tls = tlsConfig(pair)
	return nil
}

// path returns where a relative path leads: below the server block's root.
func (p *policy) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.root, path)
}

func (p *policy) setHostname(l directive.Line) error {
	arg, err := l.Arg()
	p.hostname = strings.TrimSuffix(arg, ".")
	if err == nil && !isHostname(p.hostname) {
		return fmt.Errorf("hostname %q is not a host name: want letters, digits and hyphens, A-labels for others", arg)
	}
	return err
}

func (p *policy) setReply(l directive.Line) (err error) {
	if len(l.Args) == 0 {
		return errors.New("reply needs a text")
	}
	p.reply, err = parseTemplate(strings.Join(l.Args, " "))
	return err
}

func (p *policy) setConnections(l directive.Line) error {
	arg, err := l.Arg()
	if err != nil {
		return err
	}
	if p.connections, err = strconv.Atoi(arg); err != nil || p.connections < 1 || p.connections > maxConnections {
		return fmt.Errorf("connections %q: want a number from 1 to %d", arg, maxConnections)
	}
	return nil
}

func (p *policy) setTimeout(l directive.Line) (err error) {
	p.timeout, err = l.Duration(minTimeout, maxTimeout)
	return err
}

// complete fills in what the directive left out.
func (p *policy) complete() (err error) {
	if len(p.addresses) == 0 {
		p.addresses = []string{defaultAddress}
	}
	if p.hostname == "" {
		p.hostname = defaultHostname()
	}
	if p.reply == nil {
		p.reply, err = parseTemplate(defaultReply)
	}
	if p.tls == nil && err == nil {
		p.tls, err = selfSigned(p.hostname, time.Now())
	}
	return err
}

// parseAddress reads an address to listen on, with or without a port.
func parseAddress(arg string) (string, error) {
	if ip, err := netip.ParseAddr(strings.Trim(arg, "[]")); err == nil {
		return net.JoinHostPort(ip.String(), "25"), nil
	}
	host, port, err := net.SplitHostPort(arg)
	if err != nil {
		return "", fmt.Errorf("address %q: want an IP address with or without a port, or ':25'", arg)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("address %q: port %q is not a number from 0 to 65535", arg, port)
	}
	if host == "" {
		return ":" + port, nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "", fmt.Errorf("address %q: %q is not an IP address", arg, host)
	}
	return net.JoinHostPort(ip.String(), port), nil
}

// defaultHostname is a name below this host's. It must differ from the name of
// a mail server on the same host: Postfix and sendmail take a greeting with
// their own name for a mail loop.
func defaultHostname() string {
	host, err := os.Hostname()
	name := pluginName + "." + strings.TrimSuffix(host, ".")
	if err != nil || !isHostname(name) {
		return pluginName + ".invalid"
	}
	return name
}

// isHostname reports whether s is a host name as RFC 1123 section 2.1 has it.
func isHostname(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}
