package lookalike

import (
	"bytes"
	"fmt"
	"os"

	"github.com/coredns/caddy/caddyfile"
)

// Load reads the lookalike directives of a Corefile, with their lists, and
// starts nothing. Directives of other plugins are not looked at.
func Load(corefile string) ([]*Policy, error) {
	contents, err := os.ReadFile(corefile)
	if err != nil {
		return nil, err
	}
	blocks, err := caddyfile.Parse(corefile, bytes.NewReader(contents), nil)
	if err != nil {
		return nil, err
	}
	var all []*Policy
	for _, block := range blocks {
		d := caddyfile.NewDispenserTokens(corefile, block.Tokens[pluginName])
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
		all = append(all, policies...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no server block has a %s directive", corefile, pluginName)
	}
	if err := checkSpools(all); err != nil {
		return nil, err
	}
	return all, nil
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
