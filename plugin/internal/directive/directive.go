// Package directive reads what the directives of our plugins have in common,
// and finds the braces in wrong places that caddy lets pass.
package directive

import (
	"slices"
	"strings"
	"time"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
)

// Begin returns an error where the current word is not the directive name.
// Caddy hands over as such what stands behind the '}' of a directive, and a '{'
// on a line of its own with all that follows.
func Begin(d *caddyfile.Dispenser, name string) error {
	switch d.Val() {
	case name:
		return nil
	case "{":
		return d.Errf("'{' begins a line: write it at the end of the line above, behind %s", name)
	}
	return d.Errf("'%s' stands behind the '}' of %s: begin a new line for it", d.Val(), name)
}

// Args returns the arguments of the property that is the current word.
func Args(d *caddyfile.Dispenser) ([]string, error) {
	property := d.Val()
	args := d.RemainingArgs()
	if d.NextArg() { // only a brace ends the arguments of a line
		return nil, d.Errf("%s takes no block: remove the '{' and its '}'", property)
	}
	if slices.Contains(args, "}") {
		return nil, d.Errf("'}' stands behind %s: write each property on a line of its own, and the '}' below the last", property)
	}
	return args, nil
}

// Unknown is the error of a property that the directive name does not have. One
// that is a plugin stands there because a '}' is missing.
func Unknown(d *caddyfile.Dispenser, name, property, want string) error {
	if slices.Contains(dnsserver.Directives, property) {
		return d.Errf("'%s' stands in the block of %s: the '}' of that is missing above it", property, name)
	}
	return d.Errf("unknown property '%s': want %s", property, want)
}

// Duration returns d without the zeros that its String has: 1h, not 1h0m0s.
func Duration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-len("0s")]
		}
	}
	return s
}
