package zone

import (
	"math"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// node is a name before it is packed into a zone.
type node struct {
	name   string
	class  detect.Class
	policy uint8
	wild   bool // only the names below it are blocked
	pass   bool // it passes
	own    bool // it is protected, and needs an entry only if it would be blocked
}

// pack puts sorted nodes into the zone: each name once, and without names that
// an entry above covers. An exception wins over a block. Of several blocks of
// one name, the first wins.
func (z *Zone) pack(nodes []node) {
	var above []node // the names of the zone above the next one, nearest last
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

// merge combines the first nodes, which have the same name, and returns how
// many there are.
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

// between returns the names between an exception and the blocked name above it.
// They need entries of their own: a wildcard does not cover the names above an
// existing one (RFC 4592 section 2.2.2).
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

// maxText is the most letters in a zone: about 300 million names.
const maxText = math.MaxUint32 - maxOwner

// append adds a name at the end. It leaves out names that are too long or do
// not fit into the zone.
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
