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
