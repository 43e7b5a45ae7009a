package zone

import (
	"math"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// node is a name on its way into a zone.
type node struct {
	name   string
	class  detect.Class
	policy uint8
	wild   bool // only what lies below it is blocked
	pass   bool // it passes
	own    bool // it is protected, and passes only where it would be blocked
}

// pack puts nodes, which are sorted, into the zone: each name once, and below a
// name only what is needed. An exception wins over what is blocked, and of those that block
// the same name the first.
func (z *Zone) pack(nodes []node) {
	var above []node // the names of the zone above the one that comes, the last the nearest
	for i := 0; i < len(nodes); {
		n, next := merge(nodes[i:])
		i += next
		for len(above) > 0 && !isBelow(n.name, above[len(above)-1].name) {
			above = above[:len(above)-1]
		}
		covered := len(above) > 0
		switch {
		case covered && above[len(above)-1].pass == n.pass: // says the same
			continue
		case covered && !n.pass: // an exception has it
			continue
		case !covered && n.own:
			continue
		case covered:
			for _, fill := range between(n, above[len(above)-1]) {
				z.append(fill)
				above = append(above, fill)
			}
		}
		z.append(n)
		above = append(above, n)
	}
	z.text, z.entries = slices.Clip(z.text), slices.Clip(z.entries)
}

// merge returns what the first nodes, which have the same name, come to, and how
// many they are.
func merge(nodes []node) (node, int) {
	n, end := nodes[0], 1
	for ; end < len(nodes) && nodes[end].name == n.name; end++ {
		switch other := nodes[end]; {
		case n.pass && other.pass:
			n.own = n.own && other.own
		case other.pass, !n.pass && n.wild && !other.wild:
			n = other
		}
	}
	return n, end
}

// between returns the names between an exception and the blocked name that it lies
// below. They have to be blocked anew: a wildcard does not reach the names above
// one that exists (RFC 4592 section 2.2.2).
func between(n, above node) (fill []node) {
	for _, name, _ := strings.Cut(n.name, "."); name != above.name; _, name, _ = strings.Cut(name, ".") {
		one := above
		one.name, one.wild = name, false
		fill = append(fill, one)
	}
	slices.Reverse(fill)
	return fill
}

func isBelow(name, above string) bool {
	return len(name) > len(above) && strings.HasSuffix(name, above) && name[len(name)-len(above)-1] == '.'
}

// maxText is how many letters a zone has room for: about 300 million names.
const maxText = math.MaxUint32 - maxOwner

// append adds a name at the end. One of more characters than a name has, or beyond
// the room, is left out.
func (z *Zone) append(n node) {
	if len(n.name) > maxOwner || len(z.text) > maxText {
		return
	}
	e := entry{at: uint32(len(z.text)), n: uint8(len(n.name)), policy: n.policy, class: n.class, wild: n.wild} //nolint:gosec // both are bounded
	if n.pass {
		e.policy = passes
	}
	z.text = append(z.text, n.name...)
	z.entries = append(z.entries, e)
}
