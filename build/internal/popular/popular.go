// Package popular finds the protected names that popular names resemble: queries
// for those raise false alerts every day.
package popular

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

// Weakness names the weakness of a protected name that a popular name resembles.
const Weakness = "popular"

// Names are popular names, the most popular first.
type Names []string

// Read reads a list of names, as a protect line names one. Its errors name the
// file, each broken line and the cure.
func Read(file string) (popular Names, err error) {
	err = names.WalkFile(file, func(name, _ string) { popular = append(popular, name) })
	return popular, err
}

// Neighbour is a popular name for which a directive raises an alert.
type Neighbour struct {
	Name       string
	Class      detect.Class
	Confidence detect.Confidence
}

// Reason explains why this makes a protected name weak.
func (n *Neighbour) Reason() string {
	return fmt.Sprintf("near to a popular name: %s raises an alert (%v, %v confidence)", n.Name, n.Class, n.Confidence)
}

// Near returns the most popular neighbour of each protected name of a directive that
// has one. Names that the directive allows, or for which its action is off, do not
// count. Whole TLDs are left out: all names are near to them.
func (p Names) Near(policy *lookalike.Policy) map[string]*Neighbour {
	near := make(map[string]*Neighbour)
	directive := []*lookalike.Policy{policy}
	for _, name := range p {
		opinion := lookalike.Explain(directive, name, netip.Addr{})[0]
		if opinion.Outcome != lookalike.Acts {
			continue
		}
		for _, m := range opinion.Verdict.Matches {
			if near[m.Protected] == nil && strings.Contains(m.Protected, ".") {
				near[m.Protected] = &Neighbour{name, opinion.Verdict.Class, opinion.Verdict.Confidence}
			}
		}
	}
	return near
}
