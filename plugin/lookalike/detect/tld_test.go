package detect

import (
	"slices"
	"testing"
)

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
