// Package zone makes a response policy zone (RPZ, draft-vixie-dnsop-dns-rpz) of
// what the lookalike directives of a server block block, as far as it can be
// listed.
package zone

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/variants"
)

// Source is what one directive says of names. Its functions are safe for
// concurrent use where those of the directive are.
type Source struct {
	Index   *detect.Index
	TLDs    []string
	Allowed iter.Seq[string]                                    // the names on its allow list
	Allows  func(name string, class detect.Class) bool          // whether that list lets a lookalike pass
	Action  func(detect.Class, detect.Confidence) action.Action // what it does about one
}

// SourcesOf returns what directives say now. Each takes the names that are in
// force, which are not those of a later moment.
func SourcesOf(policies []*lookalike.Policy) []Source {
	sources := make([]Source, len(policies))
	for i, p := range policies {
		sources[i] = Source{
			Index:   p.Index(),
			TLDs:    p.TLDs(),
			Allowed: p.Lists().AllowedNames(),
			Allows:  p.Lists().Passes,
			Action:  p.Action,
		}
	}
	return sources
}

// Options say what to list.
type Options struct {
	Classes []detect.Class // nil for DefaultClasses
	TLDs    []string       // nil for those of each directive
	All     bool           // block what the directives do not, too
	Max     int            // the most names that are listed, 0 for MaxNames
}

// MaxNames is how many names are listed at most where nobody says how many. They
// make four million records, which takes resolvers gigabytes.
const MaxNames = 2_000_000

// DefaultClasses returns the classes that are listed where nobody says which:
// those that can be, but for the three whose names are many and whose matches are
// the least sure.
func DefaultClasses() []detect.Class {
	return slices.DeleteFunc(detect.Listable(), func(c detect.Class) bool {
		return c == detect.Split || c == detect.Edit || c == detect.Combosquat
	})
}

// compiler gathers the nodes of a zone.
type compiler struct {
	Options
	sources []Source
	zone    *Zone
	nodes   []node
}

// Compile makes the zone for what the sources, in their order, do about
// lookalikes. It fails where there are too many, and when ctx ends.
func Compile(ctx context.Context, sources []Source, o Options) (*Zone, error) {
	if o.Classes == nil {
		o.Classes = DefaultClasses()
	}
	if o.Max == 0 {
		o.Max = MaxNames
	}
	c := &compiler{Options: o, sources: sources, zone: &Zone{}}
	for i := range sources {
		c.wildcards(&sources[i])
		if err := c.variants(ctx, &sources[i]); err != nil {
			return nil, err
		}
	}
	for i := range sources {
		c.exceptions(&sources[i])
	}
	if len(c.nodes) > o.Max {
		return nil, c.tooMany()
	}
	c.zone.pack(c.nodes)
	return c.zone, nil
}

func (c *compiler) tooMany() error {
	return fmt.Errorf("more than %d names to list: name fewer classes, or protect fewer names", c.Max)
}

// tlds returns the TLDs under which lookalikes of a source are listed.
func (c *compiler) tlds(s *Source) []string {
	tlds := c.TLDs
	if tlds == nil {
		tlds = s.TLDs
	}
	return slices.DeleteFunc(slices.Clone(tlds), func(tld string) bool {
		if tld == detect.AnyTLD {
			c.zone.AnyTLD = true
			return true
		}
		return !s.Index.Watched("x." + tld)
	})
}

// wildcards adds what lies below a TLD of protected names, or is all there is.
func (c *compiler) wildcards(s *Source) {
	labels, all := s.Index.UnderTLD()
	for _, tld := range c.tlds(s) {
		if slices.Contains(c.Classes, detect.TLDKept) {
			for _, label := range labels {
				c.block(node{name: label + "." + tld, class: detect.TLDKept, wild: true}, s.Action(detect.TLDKept, detect.High))
			}
		}
		if all && slices.Contains(c.Classes, detect.TLDSwap) {
			c.block(node{name: tld, class: detect.TLDSwap, wild: true}, s.Action(detect.TLDSwap, detect.High))
		}
	}
}

// variants adds the lookalikes that a source finds.
func (c *compiler) variants(ctx context.Context, s *Source) error {
	list := variants.New(s.Index, slices.Collect(s.Index.Protected()), variants.Options{
		TLDs: c.tlds(s), Classes: c.Classes, NoWords: !slices.Contains(c.Classes, detect.Combosquat),
	})
	for v := range list.All() {
		if a, class, ok := c.decide(v.Name); ok {
			c.block(node{name: v.Name, class: class}, a)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(c.nodes) > c.Max {
			return c.tooMany()
		}
	}
	return nil
}

// decide returns what the first source does that has something to do about a
// name, or off where those that find it do nothing. It reports false where none
// does, or the lists let the name pass.
func (c *compiler) decide(name string) (a action.Action, class detect.Class, ok bool) {
	for i := range c.sources {
		s := &c.sources[i]
		b, found := s.Index.Brief(name)
		if !found || s.Allows(name, b.Class) {
			continue
		}
		if a, class, ok = s.Action(b.Class, b.Confidence), b.Class, true; a.Kind != record.Off || c.All {
			break
		}
	}
	return a, class, ok
}

// block adds a node with what an action is in a zone. A name that is not blocked
// is counted, or blocked nonetheless where all are.
func (c *compiler) block(n node, a action.Action) {
	if !a.Blocks() {
		if !c.All {
			c.zone.Passed++
			return
		}
		a = action.Action{Kind: record.NXDomain}
	}
	n.policy = c.zone.policyOf(a)
	c.nodes = append(c.nodes, n)
}

// exceptions adds the names that pass: those that a source allows, and the
// protected names below a TLD of the zone.
func (c *compiler) exceptions(s *Source) {
	tlds := make(map[string]bool)
	for i := range c.sources {
		for _, tld := range c.tlds(&c.sources[i]) {
			tlds[tld] = true
		}
	}
	listed := func(name string) bool { return tlds[name[strings.LastIndexByte(name, '.')+1:]] }
	for name := range s.Allowed {
		if a, _, found := c.decide(name); listed(name) && !(found && a.Blocks()) && s.Allows(name, detect.None) {
			c.nodes = append(c.nodes, node{name: name, pass: true})
		}
	}
	for name := range s.Index.Protected() {
		if listed(name) {
			c.nodes = append(c.nodes, node{name: name, pass: true, own: true})
		}
	}
}
