package lookalike

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/miekg/dns"
	"golang.org/x/net/publicsuffix"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
	"github.com/lookalike-dns/lookalike/plugin/internal/environment"
	"github.com/lookalike-dns/lookalike/plugin/internal/serving"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/lists"
)

// Problem is a part of a Corefile that a server refuses or warns about.
type Problem struct {
	Refused bool   // the server does not start with it
	Text    string // file, line, fault and cure
}

// Refusal is the problem of an error with which a server does not start. Caddy's
// own words are left out: the place stands before each.
func Refusal(err error) Problem {
	return Problem{true, strings.Replace(err.Error(), " - Error during parsing:", ":", 1)}
}

// serverBlock is one of a Corefile, whether it has the directive or not.
type serverBlock struct {
	where    string // file and line of its first directive, for messages
	key      string // as it is in the file
	policies []*Policy
	guarded  bool // it has the directive, which may be broken
	view     bool // it answers only some clients
}

// problems collects the problems of a Corefile.
type problems []Problem

func (l *problems) refuse(errs ...error) {
	for _, err := range errs {
		if err != nil {
			*l = append(*l, Refusal(err))
		}
	}
}

func (l *problems) warn(warnings ...string) {
	for _, w := range warnings {
		*l = append(*l, Problem{false, w})
	}
}

// Examine returns everything that a server would refuse or warn about in the Corefile at
// path. It examines the lookalike directives, their server blocks and this host. Each
// summary describes one directive in a line. Examine starts nothing and changes nothing.
// It returns an error only if the file cannot be read.
func Examine(path string) (found []Problem, summaries []string, err error) {
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	var l problems
	l.warn(environment.Variables(path, contents)...)
	l.warn(environment.Imports(path, contents)...)
	c, inParts := survey(path, contents)
	l = slices.Concat(l, inParts)
	for _, unknown := range c.Unknown {
		l.refuse(unknown)
	}
	l.refuse(c.twice()...)
	var loaded []*Policy
	for _, p := range c.Policies {
		if err := p.load(); err != nil {
			l.refuse(err)
			continue
		}
		loaded = append(loaded, p)
	}
	lists.Join(listsOf(loaded)...)
	for _, p := range loaded {
		l.warn(p.doubts()...)
		refused, doubtful := alert.Check(p.alerts)
		l.refuse(refused...)
		l.warn(doubtful...)
		summaries = append(summaries, p.summary())
	}
	l.refuse(checkSpools(c.Policies))
	l.warn(c.unguarded(loaded)...)
	if len(c.Policies) == 0 && len(l) == 0 {
		l.warn(errNoDirective(path).Error())
	}
	return l, summaries, nil
}

// survey reads the server blocks of a Corefile, and its lookalike directives
// without their lists. It goes on behind what is wrong in a block.
func survey(path string, contents []byte) (*Corefile, problems) {
	var l problems
	c := new(Corefile)
	blocks, err := caddyfile.Parse(path, bytes.NewReader(contents), nil)
	if err != nil && strings.HasSuffix(err.Error(), "Unexpected EOF") {
		err = fmt.Errorf("%w: close the quotes that begin there or above, or write the '}' that is missing", err)
	}
	l.refuse(err)
	for _, block := range blocks {
		b := &serverBlock{where: directive.WhereOf(path, block), key: strings.Join(block.Keys, " ")}
		_, b.view = block.Tokens["view"]
		d := caddyfile.NewDispenserTokens(path, block.Tokens[pluginName])
		if b.policies, err = parse(&d, directive.Root(block)); err != nil {
			l.refuse(err)
		}
		_, b.guarded = block.Tokens[pluginName]
		for _, p := range b.policies {
			p.block = block.Keys[0]
		}
		if b.guarded {
			l.warn(environment.Neighbours(path, block)...)
		}
		c.Policies = append(c.Policies, b.policies...)
		c.Unknown = append(c.Unknown, directive.Strangers(path, block)...)
		if err := c.blocks.Add(block, b); err != nil {
			l.refuse(fmt.Errorf("%s: %w", b.where, err))
		}
	}
	return c, l
}

func errNoDirective(path string) error {
	return fmt.Errorf("%s: no server block has a %s directive, so nothing is guarded: add one, or look into the files that it imports", path, pluginName)
}

// twice returns an error for each zone that two blocks without a view have at
// one address: the server starts with neither.
func (c *Corefile) twice() (errs []error) {
	for _, t := range c.blocks.Twice() {
		errs = append(errs, fmt.Errorf("%s: server block %s: zone %s at %s also belongs to the block at %s: remove one, or give it another port or bind line",
			t.Second.where, t.Second.key, t.Zone, t.Address, t.First.where))
	}
	return errs
}

// unguarded returns a warning for each server block that answers for names
// below a lookalike TLD without the directive. Such a block has an address of
// its own, or comes before the one with the directive. Zones below such a TLD
// are somebody's own, and counted only where they resemble what one of the
// loaded policies protects, or are public suffixes.
func (c *Corefile) unguarded(loaded []*Policy) (warnings []string) {
	var tlds []string
	for _, p := range c.Policies {
		tlds = append(tlds, p.tlds...)
	}
	slices.Sort(tlds)
	tlds = slices.Compact(tlds)
	for _, l := range c.blocks.Listeners() {
		open := make(map[*serverBlock][]string)
		for _, tld := range tlds {
			for _, name := range samples(l, tld, loaded) {
				for _, b := range l.Answering(name) {
					if !b.guards(tld) && !slices.Contains(open[b], tld) {
						open[b] = append(open[b], tld)
					}
				}
			}
		}
		for _, b := range slices.SortedFunc(maps.Keys(open), func(a, b *serverBlock) int { return cmp.Compare(a.where, b.where) }) {
			warnings = append(warnings, c.unguardedBlock(l.Address(), b, open[b]))
		}
	}
	return warnings
}

func (c *Corefile) unguardedBlock(address string, b *serverBlock, tlds []string) string {
	who := ""
	if b.view {
		who = " of the clients in its view"
	}
	guard := slices.IndexFunc(c.Policies, func(p *Policy) bool { return p.guards(tlds[0]) })
	return fmt.Sprintf("%s: server block %s answers queries%s for names below %s at %s unguarded: add the %s directive of %s to it, or answer other zones there",
		b.where, b.key, who, tldsForPeople(tlds), address, pluginName, c.Policies[guard].where)
}

// samples returns names that stand for all below a TLD: one for those that no
// zone is for, the zones that are lookalikes themselves, and public suffixes, below
// which others are.
func samples(l *serving.Listener[*serverBlock], tld string, loaded []*Policy) []string {
	const nobody = "lookalike-sample."
	if tld == detect.AnyTLD {
		return []string{nobody + "invalid."} // RFC 6761 section 6.4: no zone is
	}
	names := []string{nobody + tld + "."}
	for _, zone := range l.Zones() {
		if dns.IsSubDomain(tld+".", zone) && dns.CountLabel(zone) > 1 &&
			(isSuffix(zone) || slices.ContainsFunc(loaded, func(p *Policy) bool { return p.guards(tld) && p.resembles(zone) })) {
			names = append(names, zone)
		}
	}
	return names
}

func isSuffix(zone string) bool {
	name := strings.TrimSuffix(zone, ".")
	suffix, _ := publicsuffix.PublicSuffix(name)
	return suffix == name
}

func (b *serverBlock) guards(tld string) bool {
	return slices.ContainsFunc(b.policies, func(p *Policy) bool { return p.guards(tld) }) || b.guarded && len(b.policies) == 0
}

func (p *Policy) guards(tld string) bool {
	return slices.Contains(p.tlds, tld) || slices.Contains(p.tlds, detect.AnyTLD)
}

func (p *Policy) resembles(name string) bool {
	_, ok := p.Index().Match(name)
	return ok && !p.Allowed(name)
}
