package detect

import (
	"cmp"
	"slices"
	"testing"
)

// TestMaxMatches asks for names that resemble more protected names than a verdict has
// room for. It wants the best ones, by what each says about an index of its own.
func TestMaxMatches(t *testing.T) {
	const node, letters = "sensornode", "abcdefghijklmnopqrstuvwxyz0123456789"
	var protected []string
	for _, c := range letters {
		protected = append(protected, string(c)+node+".mil", node+string(c)+".mil", node[:5]+string(c)+node[5:]+".mil")
	}
	for _, core := range slices.Concat(transpositions(node), omissions(node)) {
		protected = append(protected, core+".mil")
	}
	for _, order := range []struct {
		name  string
		names []string
	}{
		{"best names first", protected},
		{"best names last", reversedNames(protected)},
	} {
		x := mustNew(t, order.names...)
		for _, tt := range []struct {
			qname string
			class Class
			fits  bool
		}{
			{"sensornode.ml", Typo, false},
			{"mx.sensornode.ml", Typo, false},
			{"sensornode.mil.ml", TLDKept, false},
			{"sensornodemil.ml", Typo, false},
			{"sensornodea.ml", TLDSwap, true},
		} {
			v, ok := x.Match(tt.qname)
			if !ok || v.Class != tt.class || (len(v.Matches) < MaxMatches) != tt.fits {
				t.Fatalf("%s: Match(%q) = %v", order.name, tt.qname, v)
			}
			if got, want := protectedOf(v), bestAlone(t, order.names, tt.qname, tt.class); !slices.Equal(got, want) {
				t.Errorf("%s: Match(%q) has\n%v\nwant\n%v", order.name, tt.qname, got, want)
			}
		}
	}
}

func reversedNames(names []string) []string {
	names = slices.Clone(names)
	slices.Reverse(names)
	return names
}

func protectedOf(v *Verdict) (names []string) {
	for _, m := range v.Matches {
		names = append(names, m.Protected)
	}
	return names
}

// bestAlone returns the protected names that qname resembles in a class, best first,
// MaxMatches at most: each is compared as if there were no other.
func bestAlone(t *testing.T, protected []string, qname string, class Class) (best []string) {
	t.Helper()
	confidence := make(map[string]Confidence)
	for _, p := range protected {
		if v, ok := mustNew(t, p).Match(qname); ok && v.Class == class && v.Matches[0].Protected == p {
			confidence[p] = v.Confidence
			best = append(best, p)
		}
	}
	slices.SortStableFunc(best, func(p, q string) int {
		return cmp.Or(cmp.Compare(confidence[q], confidence[p]), cmp.Compare(len(q), len(p)))
	})
	best = slices.Compact(best)
	return best[:min(len(best), MaxMatches)]
}
