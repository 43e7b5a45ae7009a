package zone

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Compiler makes the zone of the same directives again and again, as their lists
// change. It keeps the lookalikes of each while its protected names stay the same,
// since these take most of the time to find. It is not safe for concurrent use.
type Compiler struct {
	options Options
	kept    []*lookalikes // by the number of the source
}

// NewCompiler returns a compiler of zones with these options.
func NewCompiler(o Options) *Compiler {
	if o.Classes == nil {
		o.Classes = DefaultClasses()
	}
	if o.Max == 0 {
		o.Max = MaxNames
	}
	return &Compiler{options: o}
}

// Compile makes the zone for what the sources, in their order, do about
// lookalikes. It fails where there are too many, and when ctx ends.
func Compile(ctx context.Context, sources []Source, o Options) (*Zone, error) {
	return NewCompiler(o).Compile(ctx, sources)
}

// Compile is the function of that name, for sources of which some are as they
// were.
func (c *Compiler) Compile(ctx context.Context, sources []Source) (*Zone, error) {
	b := &builder{Options: c.options, sources: sources, zone: &Zone{}}
	kept := make([]*lookalikes, len(sources))
	for i := range sources {
		s := &sources[i]
		b.wildcards(s)
		tlds := b.tlds(s)
		if i < len(c.kept) && c.kept[i].are(s.Index, tlds) {
			kept[i] = c.kept[i]
		} else if kept[i] = find(ctx, s.Index, tlds, &c.options); ctx.Err() != nil {
			return nil, ctx.Err()
		}
		b.lookalikes(s, kept[i])
		if len(kept[i].finds) > b.Max || len(b.nodes) > b.Max {
			return nil, b.tooMany()
		}
	}
	c.kept = kept
	for i := range sources {
		b.exceptions(&sources[i])
	}
	if len(b.nodes) > b.Max {
		return nil, b.tooMany()
	}
	b.zone.pack(b.nodes)
	return b.zone, nil
}

// builder gathers the nodes of a zone.
type builder struct {
	Options
	sources []Source
	zone    *Zone
	nodes   []node // sorted
	group   []node // that are still to be put among them
}

func (b *builder) tooMany() error {
	return fmt.Errorf("more than %d names to list: name fewer classes, or protect fewer names", b.Max)
}

// tlds returns the TLDs under which lookalikes of a source are listed.
func (b *builder) tlds(s *Source) []string {
	tlds := b.TLDs
	if tlds == nil {
		tlds = s.TLDs
	}
	return slices.DeleteFunc(slices.Clone(tlds), func(tld string) bool {
		if tld == detect.AnyTLD {
			b.zone.AnyTLD = true
			return true
		}
		return !s.Index.Watched("x." + tld)
	})
}

// wildcards adds what lies below a TLD of protected names, or is all there is.
func (b *builder) wildcards(s *Source) {
	labels, all := s.Index.UnderTLD()
	for _, tld := range b.tlds(s) {
		if slices.Contains(b.Classes, detect.TLDKept) {
			for _, label := range labels {
				b.block(node{name: label + "." + tld, class: detect.TLDKept, wild: true}, s.Action(detect.TLDKept, detect.High))
			}
		}
		if all && slices.Contains(b.Classes, detect.TLDSwap) {
			b.block(node{name: tld, class: detect.TLDSwap, wild: true}, s.Action(detect.TLDSwap, detect.High))
		}
	}
	b.merge()
}

// lookalikes adds what a source finds, without what passes.
func (b *builder) lookalikes(s *Source, l *lookalikes) {
	b.group = slices.Grow(b.group, len(l.finds))
	for _, f := range l.finds {
		name := l.name(f)
		if a, class, ok := b.decide(name, s, verdict{f.class, f.confidence}); ok {
			b.block(node{name: name, class: class}, a)
		}
	}
	b.merge()
}

// verdict is what a source says of a name.
type verdict struct {
	class      detect.Class
	confidence detect.Confidence
}

// decide returns what the first source does that has something to do about a
// name, or off where those that find it do nothing. It reports false where none
// does, or the lists let the name pass. What one of them says may be known.
func (b *builder) decide(name string, knows *Source, known verdict) (a action.Action, class detect.Class, ok bool) {
	for i := range b.sources {
		s := &b.sources[i]
		v := known
		if s != knows {
			brief, found := s.Index.Brief(name)
			if !found {
				continue
			}
			v = verdict{brief.Class, brief.Confidence}
		}
		if s.Allows(name, v.class) {
			continue
		}
		if a, class, ok = s.Action(v.class, v.confidence), v.class, true; a.Kind != record.Off || b.All {
			break
		}
	}
	return a, class, ok
}

// block adds a node with what an action is in a zone. A name that is not blocked
// is counted, or blocked nonetheless where all are.
func (b *builder) block(n node, a action.Action) {
	if !a.Blocks() {
		if !b.All {
			b.zone.Passed++
			return
		}
		a = action.Action{Kind: record.NXDomain}
	}
	n.policy = b.zone.policyOf(a)
	b.group = append(b.group, n)
}

// exceptions adds the names that pass: those that a source allows, and the
// protected names below a TLD of the zone.
func (b *builder) exceptions(s *Source) {
	tlds := make(map[string]bool)
	for i := range b.sources {
		for _, tld := range b.tlds(&b.sources[i]) {
			tlds[tld] = true
		}
	}
	listed := func(name string) bool { return tlds[name[strings.LastIndexByte(name, '.')+1:]] }
	for name := range s.Allowed {
		if a, _, found := b.decide(name, nil, verdict{}); listed(name) && (!found || !a.Blocks()) && s.Allows(name, detect.None) {
			b.group = append(b.group, node{name: name, pass: true})
		}
	}
	for name := range s.Index.Protected() {
		if listed(name) {
			b.group = append(b.group, node{name: name, pass: true, own: true})
		}
	}
	b.merge()
}

// merge puts the group among the nodes, behind those of the same name.
func (b *builder) merge() {
	if !slices.IsSortedFunc(b.group, byName) {
		slices.SortStableFunc(b.group, byName)
	}
	if len(b.nodes) == 0 {
		b.nodes, b.group = b.group, nil
		return
	}
	merged := make([]node, 0, len(b.nodes)+len(b.group))
	for _, n := range b.group {
		for len(b.nodes) > 0 && byName(b.nodes[0], n) <= 0 {
			merged, b.nodes = append(merged, b.nodes[0]), b.nodes[1:]
		}
		merged = append(merged, n)
	}
	b.nodes, b.group = append(merged, b.nodes...), b.group[:0]
}

func byName(a, b node) int { return compareNames(a.name, b.name) }
