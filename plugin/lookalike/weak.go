package lookalike

import (
	"fmt"
	"slices"
)

// TLDs returns the lookalike TLDs.
func (p *Policy) TLDs() []string { return slices.Clone(p.tlds) }

// EachProtected hands over each protected name with where it is given, as
// [lists.Lists.EachProtected] does.
func (p *Policy) EachProtected(visit func(name, where string)) error {
	return p.lists.EachProtected(visit)
}

// weakDoubt names the operator's weakest names, and is empty without any.
func (p *Policy) weakDoubt() string {
	weak := p.lists.Weak()
	if len(weak) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s may raise false alarms, being short or a usual host label: %s: watch them with action monitor first; '%s list -weak -conf COREFILE' shows why",
		p.where, count(len(weak), "protected name"), some(weak), pluginName)
}
