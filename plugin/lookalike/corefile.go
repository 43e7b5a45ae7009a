package lookalike

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/lookalike-dns/lookalike/plugin/internal/serving"
)

// Corefile is what the lookalike directives of a file say, and which queries
// get to them.
type Corefile struct {
	Policies []*Policy // of all directives, in the order of the file
	Unknown  []string  // directives that CoreDNS does not have: "Corefile:3: nosuchplugin"

	blocks serving.Blocks[[]*Policy] // with those that do not have the directive
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
		if err := c.blocks.Add(block, policies); err != nil {
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

// Serving returns the policies that queries for qname get to, in the order of
// the file's addresses. It is empty where the server blocks that answer for
// qname have no directive.
func (c *Corefile) Serving(qname string) []*Policy {
	var serving []*Policy
	for _, policies := range c.blocks.Answering(qname) {
		for _, p := range policies {
			if !slices.Contains(serving, p) {
				serving = append(serving, p)
			}
		}
	}
	return serving
}
