package lookalike

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coredns/caddy/caddyfile"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/verify"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
	"golang.org/x/net/idna"
)

const (
	defaultTLD    = "ml"
	defaultTTL    = time.Minute
	defaultReload = 30 * time.Second

	// A false alarm lives on in caches for the TTL, and repeats are hidden
	// from the alerts for as long.
	minTTL, maxTTL       = time.Second, time.Hour
	minReload, maxReload = time.Second, 24 * time.Hour
)

// parser is what reads one directive.
type parser struct {
	*Policy
	root    string // relative paths are below it
	actions action.Lines
}

// properties are those of the directive, in the order of its grammar.
var properties = []directive.Property[*parser]{
	directive.Many("protect", func(p *parser, l directive.Line) error { return p.addNames(&p.protect, l) }),
	directive.Many("allow", (*parser).addAllowed).WithBlock(),
	directive.Many("clients", (*parser).addClients),
	directive.Many("action", func(p *parser, l directive.Line) error { return p.actions.Add(l.Args) }),
	directive.Once("ttl", (*parser).setTTL),
	directive.Once("verify", (*parser).setVerify),
	directive.Once("inspect", (*parser).setInspect),
	directive.Many("alert", (*parser).addAlert),
	directive.Once("spool", (*parser).setSpool),
	directive.Once("reload", (*parser).setReload),
}

// parse reads every lookalike directive of a server block. It opens no file.
// Relative paths are below root.
func parse(d *caddyfile.Dispenser, root string) ([]*Policy, error) {
	var policies []*Policy
	for d.Next() {
		if err := directive.Begin(d, pluginName); err != nil {
			return nil, err
		}
		p := &parser{root: root, Policy: &Policy{
			where:  directive.Where(d),
			ttl:    uint32(defaultTTL / time.Second),
			reload: defaultReload,
			alerts: alert.Config{Sensor: sensor(), Version: Version},
		}}
		p.allow.Exceptions = true
		words, err := directive.Words(d)
		if err != nil {
			return nil, err
		}
		if err := p.addTLDs(words); err != nil {
			return nil, d.Err(err.Error())
		}
		if err := directive.Block(d, pluginName, properties, p); err != nil {
			return nil, err
		}
		if p.protect.Empty() && !slices.Equal(p.tlds, []string{defaultTLD}) {
			return nil, fmt.Errorf("%s: %s %s has no protect line, and the built-in list of .mil names is for lookalikes under %s alone: "+
				"name your own with 'protect NAME...', or write 'protect @mil' for that list", p.where, pluginName, strings.Join(p.tlds, " "), defaultTLD)
		}
		p.Policy.actions = p.actions.Table()
		policies = append(policies, p.Policy)
	}
	return policies, nil
}

// addTLDs reads the lookalike TLDs behind the directive's name.
func (p *parser) addTLDs(args []string) error {
	if len(args) == 0 {
		args = []string{defaultTLD}
	}
	for _, arg := range args {
		tld, err := parseTLD(arg)
		if err != nil {
			return fmt.Errorf("lookalike TLD %q: %w", arg, err)
		}
		if slices.Contains(p.tlds, tld) {
			return fmt.Errorf("lookalike TLD %q is given twice: remove one", arg)
		}
		p.tlds = append(p.tlds, tld)
	}
	if len(p.tlds) > 1 && slices.Contains(p.tlds, detect.AnyTLD) {
		return fmt.Errorf("lookalike TLD %s stands for every TLD: remove the others", detect.AnyTLD)
	}
	return nil
}

func parseTLD(arg string) (string, error) {
	tld, err := idna.Lookup.ToASCII(arg)
	switch {
	case arg == detect.AnyTLD:
		return arg, nil
	case strings.ContainsAny(arg, "{}"):
		return "", errors.New("write the '{' after a blank at the end of the line, and the '}' on a line of its own")
	case strings.Contains(arg, ".") || strings.Contains(tld, "."): // IDNA has other dots, too
		return "", errors.New("write one label without a dot, such as 'ml'")
	case err != nil || len(tld) > 63 || tld == "":
		return "", errors.New("not a domain label: write up to 63 letters, digits and hyphens, with no hyphen first or last, " +
			"such as 'ml', with blanks between several")
	case strings.Trim(tld, "0123456789") == "": // RFC 1123 section 2.1
		return "", errors.New("a TLD cannot be a number: write one with letters, such as 'ml'")
	}
	return tld, nil
}

// addNames adds names and files to a list.
func (p *parser) addNames(list *names.Spec, l directive.Line) error {
	if len(l.Args) == 0 {
		return fmt.Errorf("%s needs at least one name or file", l.Name)
	}
	list.Root = p.root
	for _, arg := range l.Args {
		if err := list.Add(arg, l.Where); err != nil {
			return directive.Placed{Err: err}
		}
	}
	return nil
}

// addAllowed adds names and files to the allow list, with the rules in the block
// behind them.
func (p *parser) addAllowed(l directive.Line) (err error) {
	if p.allow.Rules = nil; l.Block != nil {
		if p.allow.Rules, err = exception.ParseRules(l.Where, l.Block); err != nil {
			return directive.Placed{Err: err}
		}
	}
	return p.addNames(&p.allow, l)
}

// addClients reads CIDRs and addresses. An IPv4-mapped one is IPv4.
func (p *parser) addClients(l directive.Line) error {
	if len(l.Args) == 0 {
		return errors.New("clients needs at least one CIDR or address")
	}
	for _, arg := range l.Args {
		prefix, err := address.ParsePrefix(arg)
		if err != nil {
			return fmt.Errorf("clients: %q is not a CIDR or an IP address: write, for example, 192.0.2.0/24 or 2001:db8::25, with blanks between several", arg)
		}
		p.clients = append(p.clients, prefix)
	}
	return nil
}

func (p *parser) setTTL(l directive.Line) error {
	d, err := l.Duration(minTTL, maxTTL)
	p.ttl = uint32(d / time.Second) //nolint:gosec // bounded by maxTTL
	return err
}

// setVerify reads how long a query may wait for the lookup of its counterpart.
func (p *parser) setVerify(l directive.Line) (err error) {
	wait := verify.DefaultWait
	switch {
	case len(l.Args) > 1:
		return fmt.Errorf("verify takes one duration at most, got %d", len(l.Args))
	case len(l.Args) == 1:
		wait, err = l.Duration(verify.MinWait, verify.MaxWait)
	}
	p.verifier = verify.New(wait)
	return err
}

func (p *parser) setInspect(l directive.Line) error {
	if len(l.Args) > 0 {
		return fmt.Errorf("inspect takes no argument, got %q", l.Args[0])
	}
	p.inspect = true
	return nil
}

func (p *parser) addAlert(l directive.Line) error {
	dest, err := alert.ParseDestination(l.Args)
	if err != nil {
		return fmt.Errorf("alert: %w", err)
	}
	dest.Where = l.Where
	p.alerts.Destinations = append(p.alerts.Destinations, dest)
	return nil
}

func (p *parser) setSpool(l directive.Line) error {
	s, err := alert.ParseSpool(l.Args)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.Where = l.Where
	p.alerts.Spool = s
	return nil
}

func (p *parser) setReload(l directive.Line) (err error) {
	if len(l.Args) == 1 && (l.Args[0] == "0" || l.Args[0] == "0s") {
		p.reload = 0
		return nil
	}
	p.reload, err = l.Duration(minReload, maxReload)
	return err
}

// sensor is the name under which this server's alerts appear.
func sensor() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
