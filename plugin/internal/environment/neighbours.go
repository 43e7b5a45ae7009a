package environment

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/coredns/caddy/caddyfile"
)

// neighbour is another plugin of a server block, which may do what is not meant.
type neighbour struct {
	name  string
	doubt func(tokens []caddyfile.Token) string // what to say of it; empty: nothing
}

var neighbours = []neighbour{
	{"any", func([]caddyfile.Token) string {
		return "the any plugin answers queries of type ANY before they are looked at: leave it out"
	}},
	{"proxyproto", forgeable},
}

// Neighbours returns a warning for each other plugin of a server block that
// answers queries unseen, or has clients appear as others. The path is that of
// the Corefile.
func Neighbours(path string, block caddyfile.ServerBlock) (warnings []string) {
	for _, n := range neighbours {
		tokens := block.Tokens[n.name]
		if len(tokens) == 0 {
			continue
		}
		if doubt := n.doubt(tokens); doubt != "" {
			warnings = append(warnings, fmt.Sprintf("%s:%d: %s", cmp.Or(tokens[0].File, path), tokens[0].Line, doubt))
		}
	}
	return warnings
}

// forgeable says that proxyproto believes everybody, which it does without an
// allow line, and with "default use".
func forgeable(tokens []caddyfile.Token) string {
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = t.Text
	}
	i := slices.Index(words, "default")
	if slices.Contains(words, "allow") && (i < 0 || i+1 == len(words) || words[i+1] != "use") {
		return ""
	}
	return "proxyproto lets everybody name another client, so that clients and source.ip can be forged: name the proxies in an allow line, and none by 'default use'"
}
