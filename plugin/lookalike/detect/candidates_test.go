package detect

import (
	"slices"
	"testing"
)

func TestListable(t *testing.T) {
	for _, c := range Classes() {
		want := c != Embedding && c != DoubleTypo
		if got := slices.Contains(Listable(), c); got != want {
			t.Errorf("%s can be listed: %v, want %v", c, got, want)
		}
	}
}

func TestUnderTLD(t *testing.T) {
	for _, tc := range []struct {
		name      string
		protected []string
		want      []string
		all       bool
	}{
		{"a military name", []string{"army.mil"}, []string{"mil"}, false},
		{"several", []string{"army.mil", "navy.mil", "cia.gov", "example.com"}, []string{"gov", "mil"}, false},
		{"none", []string{"example.com"}, nil, false},
		{"a whole TLD", []string{"mil"}, []string{"mil"}, true},
	} {
		labels, all := mustNew(t, tc.protected...).UnderTLD()
		if !slices.Equal(labels, tc.want) || all != tc.all {
			t.Errorf("%s: %q %v, want %q %v", tc.name, labels, all, tc.want, tc.all)
		}
	}
}

func TestSuffixesUnder(t *testing.T) {
	for _, tc := range []struct {
		tld       string
		some, not string
	}{
		{"ml", "com.ml", "ml"},
		{"uk", "co.uk", "barsy.uk"},
		{"mil", "", ""},
		{"no-such-tld", "", ""},
	} {
		got := SuffixesUnder(tc.tld)
		if (tc.some != "") != slices.Contains(got, tc.some) || slices.Contains(got, tc.not) || (tc.some == "") != (len(got) == 0) {
			t.Errorf("%s: %q", tc.tld, got)
		}
	}
}

// TestBrief holds it against Match.
func TestBrief(t *testing.T) {
	x := mustNew(t, "army.mil", "army.smil.mil", "us.af.mil", "af.mil")
	for _, name := range []string{"army.ml", "mx.arrny.ml", "us-af.ml", "partner.ml", "army.mil.ml", "x.mil.ml", "army.mil", "..", "amry.com.ml"} {
		v, ok := x.Match(name)
		b, found := x.Brief(name)
		if ok != found {
			t.Errorf("%s: %v, want %v", name, found, ok)
		}
		if !ok {
			continue
		}
		var protected []string
		for _, m := range v.Matches {
			protected = append(protected, m.Protected)
		}
		if b.Class != v.Class || b.Confidence != v.Confidence || b.Registrable != v.Registrable || !slices.Equal(b.Protected, protected) {
			t.Errorf("%s: %+v, want %+v", name, b, v)
		}
	}
}

func TestProtected(t *testing.T) {
	want := []string{"army.mil", "us.af.mil", "mil"}
	if got := slices.Collect(mustNew(t, "army.mil", "us.af.mil", "army.mil", "mil").Protected()); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
