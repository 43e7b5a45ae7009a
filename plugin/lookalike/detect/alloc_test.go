//go:build !race

// With the race detector a sync.Pool forgets on purpose, so that there are
// allocations.

package detect

import (
	"maps"
	"slices"
	"testing"
)

// TestNoAllocation wants no allocation for any name that does not match,
// however hard it is to compare.
func TestNoAllocation(t *testing.T) {
	x := mustNew(t, append(syntheticNames(5_000), "army.mil", "us.af.mil", "mail.mil")...)
	qnames := []string{
		"www.example.org.", "sample.ml.", "mail.sample.ml.", "login.sample.ml", "a.b.c.d.sample.com.ml.", "xn--mnchen-3ya.ml.",
		"_dmarc.sample.ml.", "mail-us.sample-web-login.ml", "müller.ml", `\255\254.ml.`, "burnvvillecl.ml", "a..ml", "ml.", "gouv.ml.",
		"samplemil.ml", "sample-mil.ml",
	}
	for _, qname := range slices.AppendSeq(qnames, maps.Values(worstNames())) {
		if v, ok := x.Match(qname); ok {
			t.Errorf("Match(%q) = %v, want no match", qname, v)
		}
		if n := testing.AllocsPerRun(100, func() { x.Match(qname) }); n != 0 {
			t.Errorf("Match(%q) allocates %v times", qname, n)
		}
		if n := testing.AllocsPerRun(100, func() { x.Watched(qname) }); n != 0 {
			t.Errorf("Watched(%q) allocates %v times", qname, n)
		}
	}
}
