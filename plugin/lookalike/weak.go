package lookalike

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

// TLDs returns the lookalike TLDs.
func (p *Policy) TLDs() []string { return slices.Clone(p.tlds) }

// EachProtected hands over each protected name with where it is given: a line of
// the Corefile or of a file, or [names.BuiltIn]. A whole TLD is handed over
// without a dot. It reads the files again; its error is that of a file.
func (p *Policy) EachProtected(visit func(name, where string)) error {
	if !p.protect.Empty() {
		return p.protect.Walk(visit)
	}
	for _, name := range names.Default() {
		visit(name, names.BuiltIn)
	}
	return nil
}

// weakDoubt names the weakest of the operator's own names, and is empty where
// none is weak. Words, of which many a list is full, and whole TLDs, whose star
// the operator wrote, are left to the tool.
func (p *Policy) weakDoubt() string {
	if p.protect.Empty() {
		return ""
	}
	weak := slices.DeleteFunc(p.Index().Weak(detect.Short), func(name string) bool { return !strings.Contains(name, ".") })
	if len(weak) > 0 && p.protect.HasBuiltIn() {
		builtIn := make(map[string]bool)
		for _, name := range names.Default() {
			builtIn[name] = true
		}
		weak = slices.DeleteFunc(weak, func(name string) bool { return builtIn[name] })
	}
	if len(weak) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s may raise false alarms, being short or a usual host label: %s: watch them with action monitor first; '%s list -weak -conf COREFILE' shows why",
		p.where, count(len(weak), "protected name"), some(weak), pluginName)
}
