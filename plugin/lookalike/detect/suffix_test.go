package detect

import (
	"slices"
	"testing"
)

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
