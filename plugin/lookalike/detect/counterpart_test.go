package detect

import (
	"slices"
	"strings"
	"testing"
)

func TestCounterparts(t *testing.T) {
	x, err := New(Config{Protected: []string{"army.mil", "navy.mil", "example.org"}, TLDs: []string{"ml"}})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat(strings.Repeat("a", 60)+".", 4)
	tests := []struct {
		name, qname          string
		protected, meant     []string
		registrable, service string
	}{
		{"a name", "fort-example.ml.", []string{"fort-example.mil", "fort-example.org"}, []string{"fort-example.mil", "fort-example.org"}, "fort-example.ml", ""},
		{"below it, in upper case", "MX.Fort-Example.ML", []string{"fort-example.mil", "fort-example.org"}, []string{"mx.fort-example.mil", "mx.fort-example.org"}, "fort-example.ml", ""},
		{"under a public suffix", "fort-example.gouv.ml", []string{"fort-example.mil", "fort-example.org"}, []string{"fort-example.mil", "fort-example.org"}, "fort-example.gouv.ml", ""},
		{"with a service", "_dmarc.fort-example.ml", []string{"fort-example.mil", "fort-example.org"}, []string{"fort-example.mil", "fort-example.org"}, "fort-example.ml", "_dmarc"},
		{"with escapes", `a\.b\000.ml`, []string{`a\.b\000.mil`, `a\.b\000.org`}, []string{`a\.b\000.mil`, `a\.b\000.org`}, `a\.b\000.ml`, ""},
		{"too long under a longer TLD", long + "aaaaaa.ml", nil, nil, "", ""},
		{"of another TLD", "fort-example.net", nil, nil, "", ""},
		{"the TLD", "ml", nil, nil, "", ""},
		{"only a service", "_dmarc.ml", nil, nil, "", ""},
		{"no name", "a..ml", nil, nil, "", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var protected, meant []string
			for _, v := range x.Counterparts(tc.qname) {
				protected = append(protected, v.Matches[0].Protected)
				meant = append(meant, v.Matches[0].DidYouMean)
				if v.Class != TLDSwap || v.Confidence != High || v.Registrable != tc.registrable || v.Service != tc.service {
					t.Errorf("Got %+v", v)
				}
			}
			if !slices.Equal(protected, tc.protected) || !slices.Equal(meant, tc.meant) {
				t.Errorf("Got %q, meant %q", protected, meant)
			}
		})
	}
}
