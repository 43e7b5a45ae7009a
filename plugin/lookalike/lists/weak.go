package lists

import (
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

// EachProtected hands over each protected name with where it is given: a line of
// the Corefile or of a file, or [names.BuiltIn]. A whole TLD is handed over
// without a dot. It reads the files again; its error is that of a file.
func (l *Lists) EachProtected(visit func(name, where string)) error {
	if !l.Protect.Empty() {
		return l.Protect.Walk(visit)
	}
	for _, name := range names.Default() {
		visit(name, names.BuiltIn)
	}
	return nil
}

// Weak returns the weakest of the operator's own names. Words, of which many a
// list is full, and whole TLDs, whose star the operator wrote, are left to the
// tool.
func (l *Lists) Weak() []string {
	if l.Protect.Empty() {
		return nil
	}
	weak := slices.DeleteFunc(l.Index().Weak(detect.Short), func(name string) bool { return !strings.Contains(name, ".") })
	if len(weak) > 0 && l.Protect.HasBuiltIn() {
		builtIn := make(map[string]bool)
		for _, name := range names.Default() {
			builtIn[name] = true
		}
		weak = slices.DeleteFunc(weak, func(name string) bool { return builtIn[name] })
	}
	return weak
}
