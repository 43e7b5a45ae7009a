package names

import (
	"slices"
	"testing"
)

func TestEach(t *testing.T) {
	spec, _ := allowFile(t, "a.ml until=2026-11-26\nb.ml until=2026-11-25\nc.ml owner=x\nd.ml clients=192.0.2.25\ne.ml class=typo\nf.ml class=typo\nf.ml\n")
	worded, err := spec.LoadSet(noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		set  *Set
		want []string
	}{
		{"no set", nil, nil},
		{"an empty set", NewSet(nil), nil},
		{"names, one of them twice", NewSet([]string{"b.ml", "a.ml", "b.ml"}), []string{"a.ml", "b.ml"}},
		{"exceptions that end, have ended, and are narrow", worded, []string{"a.ml", "c.ml", "f.ml"}},
		{"a name in Unicode, which is found by both forms", NewSet([]string{"xn--zrich-kva.ml"}), []string{"xn--zrich-kva.ml"}},
	} {
		if got := slices.Sorted(tc.set.Each(noon)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
