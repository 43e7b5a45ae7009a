package lookalike

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/durations"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"golang.org/x/net/idna"
)

const (
	pluginName = "lookalike"

	defaultTLD    = "ml"
	defaultTTL    = time.Minute
	defaultReload = 30 * time.Second

	// A false alarm lives on in caches for the TTL, and repeats are hidden
	// from the alerts for as long.
	minTTL, maxTTL = time.Second, time.Hour
	minReload      = time.Second
)

func init() { plugin.Register(pluginName, setup) }

// setup reads and compiles everything that the directives name, and starts
// nothing: a bad list fails here, and the instance that runs goes on.
func setup(c *caddy.Controller) error {
	config := dnsserver.GetConfig(c)
	policies, err := parse(&c.Dispenser, config.Root)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	e := engineOf(c)
	for _, p := range policies {
		if len(c.ServerBlockKeys) > 0 {
			p.block = c.ServerBlockKeys[0]
		}
		p.watch()
		if err := p.load(); err != nil {
			return plugin.Error(pluginName, err)
		}
		for _, address := range p.privateSinkholes() {
			log.Warningf("%s: sinkhole %s is a private address: Exim as Debian sets it up ignores those, and bounces without the sinkhole's text", p.where, address)
		}
		e.policies = append(e.policies, p)
		if err := checkSpools(e.policies); err != nil {
			return plugin.Error(pluginName, err)
		}
	}
	c.OnStartup(func() error {
		if config.Handler("any") != nil {
			log.Warningf("%s: the any plugin answers queries of type ANY before %s sees them: leave it out", c.Key, pluginName)
		}
		return nil
	})
	config.AddPlugin(func(next plugin.Handler) plugin.Handler {
		return &Lookalike{Next: next, policies: policies}
	})
	return nil
}

// checkSpools refuses directives that cannot share a spool.
func checkSpools(policies []*Policy) error {
	configs := make([]alert.Config, len(policies))
	for i, p := range policies {
		configs[i] = p.alerts
	}
	return alert.CheckSpools(configs...)
}

// parse reads every lookalike directive of a server block. It opens no file.
// Relative paths are below root.
func parse(d *caddyfile.Dispenser, root string) ([]*Policy, error) {
	var policies []*Policy
	for d.Next() {
		if err := directive.Begin(d, pluginName); err != nil {
			return nil, err
		}
		p := &parser{Dispenser: d, root: root}
		policy, err := p.directive()
		if err != nil {
			return nil, err
		}
		policies = append(policies, policy)
	}
	return policies, nil
}

// parser reads one directive.
type parser struct {
	*caddyfile.Dispenser
	root    string
	policy  *Policy
	actions selectors
	seen    map[string]bool // properties that may stand once
}

func (p *parser) directive() (*Policy, error) {
	p.policy = &Policy{
		where:  p.where(),
		ttl:    uint32(defaultTTL / time.Second),
		reload: defaultReload,
		alerts: alert.Config{Sensor: sensor(), Version: Version},
	}
	p.policy.init()
	p.seen = make(map[string]bool)
	if err := p.parseTLDs(p.RemainingArgs()); err != nil {
		return nil, err
	}
	for p.NextBlock() {
		if err := p.property(p.Val()); err != nil {
			return nil, err
		}
	}
	p.policy.actions = p.actions.table()
	p.policy.responders = newResponders(p.policy.actions)
	return p.policy, nil
}

// where is the place of the current word, for messages.
func (p *parser) where() string { return fmt.Sprintf("%s:%d", p.File(), p.Line()) }

func (p *parser) property(name string) error {
	args, err := directive.Args(p.Dispenser)
	if err != nil {
		return err
	}
	switch name {
	case "protect":
		return p.listArgs(name, &p.policy.protect.Spec, args)
	case "allow":
		return p.listArgs(name, &p.policy.allow.Spec, args)
	case "clients":
		return p.clients(args)
	case "action":
		if err := p.actions.add(args); err != nil {
			return p.Err(err.Error())
		}
		return nil
	case "ttl":
		d, err := p.duration(name, args, minTTL, maxTTL)
		p.policy.ttl = uint32(d / time.Second) //nolint:gosec // bounded by maxTTL
		return err
	case "reload":
		return p.reload(args)
	case "alert":
		dest, err := alert.ParseDestination(args)
		if err != nil {
			return p.Errf("alert: %v", err)
		}
		dest.Where = p.where()
		p.policy.alerts.Destinations = append(p.policy.alerts.Destinations, dest)
		return nil
	case "spool":
		return p.spool(args)
	case "verify":
		return p.verify(args)
	case "inspect":
		return p.inspect(args)
	}
	return directive.Unknown(p.Dispenser, pluginName, name, "protect, allow, clients, action, ttl, verify, inspect, alert, spool or reload")
}

// verify reads how long a query may wait for the lookup of its counterpart.
func (p *parser) verify(args []string) error {
	if err := p.once("verify"); err != nil {
		return err
	}
	wait := defaultVerify
	switch len(args) {
	case 0:
	case 1:
		var err error
		if wait, err = durations.NewDurationFromArg(args[0]); err != nil || wait < minVerify || wait > maxVerify {
			return p.Errf("verify %s: want a duration from %s to %s", args[0], directive.Duration(minVerify), directive.Duration(maxVerify))
		}
	default:
		return p.Errf("verify takes one duration at most, got %d", len(args))
	}
	p.policy.verifier = newVerifier(wait)
	return nil
}

func (p *parser) inspect(args []string) error {
	if len(args) > 0 {
		return p.Errf("inspect takes no argument, got %q", args[0])
	}
	p.policy.inspect = true
	return p.once("inspect")
}

// parseTLDs reads the lookalike TLDs behind the directive's name.
func (p *parser) parseTLDs(args []string) error {
	if len(args) == 0 {
		args = []string{defaultTLD}
	}
	for _, arg := range args {
		tld, err := parseTLD(arg)
		if err != nil {
			return p.Errf("lookalike TLD %q: %v", arg, err)
		}
		if slices.Contains(p.policy.tlds, tld) {
			return p.Errf("lookalike TLD %q is given twice: remove one", arg)
		}
		p.policy.tlds = append(p.policy.tlds, tld)
	}
	return nil
}

func parseTLD(arg string) (string, error) {
	tld, err := idna.Lookup.ToASCII(arg)
	switch {
	case strings.ContainsAny(arg, "{}"):
		return "", errors.New("write the '{' behind a blank at the end of the line, and the '}' on a line of its own")
	case strings.Contains(arg, ".") || strings.Contains(tld, "."): // IDNA has other dots, too
		return "", errors.New("write one label without a dot, such as 'ml'")
	case err != nil || len(tld) > 63 || tld == "":
		return "", errors.New("no domain label: write up to 63 letters, digits and hyphens, with no hyphen first or last, " +
			"such as 'ml', and blanks between several")
	case strings.Trim(tld, "0123456789") == "": // RFC 1123 section 2.1
		return "", errors.New("a number is no TLD: write one with letters, such as 'ml'")
	}
	return tld, nil
}

// listArgs adds names and files to a list.
func (p *parser) listArgs(name string, list *names.Spec, args []string) error {
	if len(args) == 0 {
		return p.Errf("%s needs at least one name or file", name)
	}
	list.Root = p.root
	for _, arg := range args {
		if err := list.Add(arg, p.where()); err != nil {
			return err
		}
	}
	return nil
}

// clients reads CIDRs and addresses. An IPv4-mapped one is IPv4.
func (p *parser) clients(args []string) error {
	if len(args) == 0 {
		return p.Err("clients needs at least one CIDR or address")
	}
	for _, arg := range args {
		prefix, err := parsePrefix(arg)
		if err != nil {
			return p.Errf("clients: %q is not a CIDR or an IP address: write such as 192.0.2.0/24 or 2001:db8::25, and blanks between several", arg)
		}
		p.policy.clients = append(p.policy.clients, prefix)
	}
	return nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), err
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return prefix, err
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return prefix, errors.New("wider than all of IPv4")
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), nil
}

func (p *parser) reload(args []string) error {
	if len(args) == 1 && (args[0] == "0" || args[0] == "0s") {
		p.policy.reload = 0
		return p.once("reload")
	}
	d, err := p.duration("reload", args, minReload, 24*time.Hour)
	p.policy.reload = d
	return err
}

func (p *parser) spool(args []string) error {
	if err := p.once("spool"); err != nil {
		return err
	}
	s, err := alert.ParseSpool(args)
	if err != nil {
		return p.Errf("spool: %v", err)
	}
	s.Where = p.where()
	p.policy.alerts.Spool = s
	return nil
}

// duration reads the only argument of a property: whole seconds between least
// and most. A bare number is seconds.
func (p *parser) duration(name string, args []string, least, most time.Duration) (time.Duration, error) {
	if err := p.once(name); err != nil {
		return 0, err
	}
	if len(args) != 1 {
		return 0, p.Errf("%s needs one duration, such as '%s 60s'", name, name)
	}
	d, err := durations.NewDurationFromArg(args[0])
	if err != nil {
		return 0, p.Errf("%s: %q is not a duration such as 60s, 5m or 1h", name, args[0])
	}
	if d < least || d > most || d%time.Second != 0 {
		return 0, p.Errf("%s %s: want whole seconds from %s to %s", name, args[0], directive.Duration(least), directive.Duration(most))
	}
	return d, nil
}

func (p *parser) once(name string) error {
	if p.seen[name] {
		return p.Errf("%s is given twice: remove one", name)
	}
	p.seen[name] = true
	return nil
}

// sensor is the name under which this server's alerts appear.
func sensor() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
