package names

import (
	"slices"
	"testing"
)

func TestEach(t *testing.T) {
	for _, tc := range []struct {
		name string
		set  *Set
		want []string
	}{
		{"no set", nil, nil},
		{"an empty set", NewSet(nil), nil},
		{"names, one of them twice", NewSet([]string{"b.ml", "a.ml", "b.ml"}), []string{"a.ml", "b.ml"}},
		{"a name in Unicode, which is found by both forms", NewSet([]string{"xn--zrich-kva.ml"}), []string{"xn--zrich-kva.ml"}},
	} {
		if got := slices.Sorted(tc.set.Each()); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
