package rpz

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	config := dnsserver.GetConfig(c)
	zones, err := parse(&c.Dispenser)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	config.AddPlugin(func(next plugin.Handler) plugin.Handler { return &RPZ{Next: next, zones: zones} })
	o := owners.Of(c, func() *owner { return new(owner) })
	key := strings.Join(c.ServerBlockKeys, " ")
	c.OnStartup(func() error {
		for _, s := range zones {
			s.key = key + " " + config.ViewName + " " + s.origin
			if err := s.start(o, config); err != nil {
				return plugin.Error(pluginName, fmt.Errorf("%s: %w", s.where, err))
			}
			show(s.origin)
		}
		return nil
	})
	return nil
}

// Check returns the errors that a server would report about the directives of a
// Corefile.
func Check(path string, blocks []caddyfile.ServerBlock) (errs []error) {
	for _, block := range blocks {
		d := caddyfile.NewDispenserTokens(path, block.Tokens[pluginName])
		zones, err := parse(&d)
		if err != nil {
			errs = append(errs, err)
		}
		for _, s := range zones {
			for name, missing := range map[string]error{"lookalike": errNoLookalike, "transfer": errNoTransfer} {
				if _, ok := block.Tokens[name]; !ok {
					errs = append(errs, fmt.Errorf("%s: %w", s.where, missing))
				}
			}
		}
	}
	return errs
}

// properties lists the properties of the directive, in the order of its
// grammar.
var properties = []directive.Property[*served]{
	directive.Once("classes", (*served).setClasses),
	directive.Once("tlds", (*served).setTLDs),
	directive.Once("all", (*served).setAll),
}

// parse reads the directives of a server block.
func parse(d *caddyfile.Dispenser) (zones []*served, err error) {
	for d.Next() {
		if err := directive.Begin(d, pluginName); err != nil {
			return nil, err
		}
		s := &served{where: directive.Where(d)}
		words, err := directive.Words(d)
		if err != nil {
			return nil, err
		}
		if len(words) != 1 {
			return nil, d.Errf("%s needs one zone, such as 'rpz rpz.example.org', got %d", pluginName, len(words))
		}
		if s.origin, err = ParseZone(words[0]); err != nil {
			return nil, d.Errf("zone %q: %v", words[0], err)
		}
		if slices.ContainsFunc(zones, func(other *served) bool { return other.origin == s.origin }) {
			return nil, d.Errf("zone %s is given twice: remove one, or give it another name", s.origin)
		}
		if err := directive.Block(d, pluginName, properties, s); err != nil {
			return nil, err
		}
		zones = append(zones, s)
	}
	return zones, nil
}

// ParseZone returns the name of a zone in lower case with a trailing dot.
func ParseZone(arg string) (string, error) {
	name, err := names.Canonical(arg)
	if err != nil {
		return "", err
	}
	return name + ".", nil
}

func (s *served) setClasses(l directive.Line) (err error) {
	s.options.Classes, err = ParseClasses(l.Args)
	return err
}

// ParseClasses reads one or more classes that can be listed.
func ParseClasses(args []string) (classes []detect.Class, err error) {
	for _, arg := range args {
		class, err := detect.ParseClass(arg)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: want %s", err, listable())
		case !slices.Contains(detect.Listable(), class):
			return nil, fmt.Errorf("class %s has too many names to list: want %s", class, listable())
		case slices.Contains(classes, class):
			return nil, fmt.Errorf("class %s is given twice: remove one", class)
		}
		classes = append(classes, class)
	}
	if len(classes) == 0 {
		return nil, errors.New("want at least one class: " + listable())
	}
	return classes, nil
}

func listable() string {
	all := make([]string, len(detect.Listable()))
	for i, class := range detect.Listable() {
		all[i] = class.String()
	}
	return text.Join(all, "or")
}

func (s *served) setTLDs(l directive.Line) (err error) {
	if s.options.TLDs, err = ParseTLDs(l.Args); err != nil {
		return fmt.Errorf("tlds: %w", err)
	}
	return nil
}

// ParseTLDs reads one or more TLDs.
func ParseTLDs(args []string) (tlds []string, err error) {
	for _, arg := range args {
		tld, err := names.Canonical(arg)
		if err != nil || strings.Contains(tld, ".") {
			return nil, fmt.Errorf("%q is not a TLD: write one label, such as cm", arg)
		}
		tlds = append(tlds, tld)
	}
	if len(tlds) == 0 {
		return nil, errors.New("want at least one TLD, such as cm")
	}
	return tlds, nil
}

func (s *served) setAll(l directive.Line) error {
	if len(l.Args) > 0 {
		return fmt.Errorf("all takes no argument, got %q", l.Args[0])
	}
	s.options.All = true
	return nil
}
