package detect

import (
	"slices"
	"testing"
)

func TestWeak(t *testing.T) {
	for _, tc := range []struct {
		name, protected string
		want            Weakness
	}{
		{"a name of its own", "northwind-lines.com", NotWeak},
		{"four letters", "dtic.mil", NotWeak},
		{"three letters", "cia.gov", Short},
		{"two letters", "af.mil", Short},
		{"one letter", "x.com", Short},
		{"two labels of two letters", "us.af.mil", NotWeak},
		{"a host label says nothing", "www.ai.mil", Short},
		{"nor do two", "www.mail.ai.mil", Short},
		{"a host label before a long name", "mail.northwind.mil", NotWeak},
		{"hyphens are no letters", "a-b-c.mil", Short},
		{"a suffix of two labels is none", "abc.co.uk", Short},
		{"four letters below one", "abcq.co.uk", NotWeak},
		{"short in Unicode", "xn--db-xka.de", Short}, // ödb.de
		{"longer in Unicode", "xn--zrich-kva.ch", NotWeak},
		{"a host label", "mail.mil", UsualHost},
		{"with a number", "mx1.northwind-lines.mil", NotWeak},
		{"with a number, alone", "mx12.mil", UsualHost},
		{"put together", "mailserver.mil", UsualHost},
		{"host labels only", "web.mail.mil", UsualHost},
		{"a word", "garden.com", Word},
		{"a short word", "house.gov", Word},
		{"a French word", "merci.fr", Word},
		{"a word of three letters", "ice.gov", Short},
		{"a word below a host label", "www.garden.com", Word},
		{"a word below a name", "garden.dtic.mil", NotWeak},
		{"who writes army means one", "army.mil", NotWeak},
		{"a whole TLD", "mil", WholeTLD},
		{"no name", "a..mil", NotWeak},
	} {
		if got := Weak(tc.protected); got != tc.want {
			t.Errorf("%s: Weak(%q) = %q, want %q", tc.name, tc.protected, got, tc.want)
		}
	}
}

func TestIndexWeak(t *testing.T) {
	x, err := New(Config{TLDs: []string{"ml"}, Protected: []string{
		"garden.com", "army.mil", "af.mil", "mail.mil", "com", "af.mil", "ai.mil",
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		least Weakness
		want  []string
	}{
		{NotWeak, []string{"com", "mail.mil", "af.mil", "ai.mil", "garden.com"}},
		{Word, []string{"com", "mail.mil", "af.mil", "ai.mil", "garden.com"}},
		{Short, []string{"com", "mail.mil", "af.mil", "ai.mil"}},
		{WholeTLD, []string{"com"}},
	} {
		if got := x.Weak(tc.least); !slices.Equal(got, tc.want) {
			t.Errorf("Weak(%q) = %q, want %q", tc.least, got, tc.want)
		}
	}
}

func TestWeaknessSaysWhy(t *testing.T) {
	for w := Word; w <= WholeTLD; w++ {
		if w.String() == "" || w.Reason() == "" {
			t.Errorf("Weakness %d has no word or no reason", w)
		}
	}
}
