package detect

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestNewErrors(t *testing.T) {
	army := []string{"army.mil"}
	ml := []string{"ml"}
	long := strings.Repeat("abcdefghi.", 25) + "army.mil" // 259 octets
	for _, tt := range []struct {
		name      string
		protected []string
		tlds      []string
		want      error
		entry     string
	}{
		{"no TLD", army, nil, errNoTLD, ""},
		{"no protected name", nil, ml, errNoProtected, ""},
		{"TLD with a dot", army, []string{"ml", "com.ml"}, errTLDSyntax, "com.ml"},
		{"TLD with a trailing dot", army, []string{"ml."}, errTLDSyntax, "ml."},
		{"TLD in upper case", army, []string{"ML"}, errTLDSyntax, "ML"},
		{"empty TLD", army, []string{""}, errTLDSyntax, ""},
		{"TLD too long", army, []string{strings.Repeat("a", 64)}, errTLDSyntax, strings.Repeat("a", 64)},
		{"protected TLD is the lookalike TLD", []string{"ml"}, ml, errUnderTLD, "ml"},
		{"empty protected name", []string{""}, ml, errNameSyntax, ""},
		{"label too long", []string{strings.Repeat("a", 64) + ".mil"}, ml, errNameSyntax, strings.Repeat("a", 64) + ".mil"},
		{"name too long", []string{long}, ml, errNameSyntax, long},
		{"empty label", []string{"army..mil"}, ml, errNameSyntax, "army..mil"},
		{"upper case", []string{"Army.mil"}, ml, errNotCanonical, "Army.mil"},
		{"trailing dot", []string{"army.mil."}, ml, errNotCanonical, "army.mil."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Config{Protected: tt.protected, TLDs: tt.tlds})
			if !errors.Is(err, tt.want) {
				t.Fatalf("New: %v, want %v", err, tt.want)
			}
			var entry *EntryError
			if errors.As(err, &entry) != (tt.want != errNoTLD && tt.want != errNoProtected) {
				t.Fatalf("New: %#v", err)
			}
			if entry != nil && entry.Entry != tt.entry {
				t.Errorf("the error names %q, want %q", entry.Entry, tt.entry)
			}
		})
	}
}

func TestLen(t *testing.T) {
	if n := mustNew(t, "mil", "army.mil", "us.af.mil").Len(); n != 3 {
		t.Errorf("Len = %d, want 3", n)
	}
}

// TestOddProtectedNames builds an index of names that are hardly names.
func TestOddProtectedNames(t *testing.T) {
	x := mustNew(t, "-.mil", "---.mil", `\000.mil`, `a\.b.mil`, "xn--.mil", "xn--4gbrim.mil", strings.Repeat("a", 63)+".mil", "co.uk", "gouv.fr",
		strings.TrimSuffix(strings.Repeat("a.", 124), ".")+".mil")
	testRows(t, x, []row{
		{"-.ml", ""},
		{`\000.ml`, `tld-swap high \000.mil`},
		{`a\.b.ml`, `tld-swap high a\.b.mil`},
		{"xn--4gbrim.ml", "tld-swap high xn--4gbrim.mil"},
		{"a.b.ml", ""},
		{strings.Repeat("a", 62) + ".ml", "typo high " + strings.Repeat("a", 63) + ".mil"},
		{"co.ml", "tld-swap high co.uk"},
		{"gouv.ml", ""},
	})
}

func TestSuffixes(t *testing.T) {
	for _, tt := range []struct{ name, suffix string }{
		{"army.ml", "ml"},
		{"army.gouv.ml", "gouv.ml"},
		{"x.presse.ml", "presse.ml"},
		{"army.mil.ml", "ml"}, // anybody's
		{"com.ml", "com.ml"},
		{"x.co.uk", "co.uk"},
		{"x.army.uk", "uk"},
		{"x.plc.uk", "plc.uk"},
		{"army.mm", "mm"}, // where all labels are suffixes by a wildcard, only those that everybody has
		{"x.com.mm", "com.mm"},
		{"x.army.mm", "mm"},
		{"x.co.ck", "co.ck"},
		{"x.www.ck", "ck"},                    // an exception
		{"x.city.kawasaki.jp", "kawasaki.jp"}, // another
		{"x.any.kawasaki.jp", "any.kawasaki.jp"},
		{"x.k12.ca.us", "k12.ca.us"},
		{"army.us.com", "us.com"}, // the private section
		{"army.uk.com", "uk.com"},
		{"x.github.io", "github.io"},
		{"github.io", "io"}, // is somebody's name as well
		{"x.y.compute.amazonaws.com", "y.compute.amazonaws.com"},
		{"x.com.no-such-tld", "no-such-tld"},
		{"xn--55qx5d.cn", "xn--55qx5d.cn"},
	} {
		var n name
		if !n.parse(tt.name) {
			t.Fatal(tt.name)
		}
		if got := n.text(n.labels-publicSuffixes().of(&n), n.labels); got != tt.suffix {
			t.Errorf("the suffix of %s is %s, want %s", tt.name, got, tt.suffix)
		}
	}
}

func TestTailOf(t *testing.T) {
	for _, tt := range []struct{ protected, tail string }{
		{"army.mil", "mil"},
		{"us.af.mil", "mil"},
		{"mil", "mil"},
		{"example.co.uk", "co.uk"},
		{"co.uk", "uk"},
		{"foo.github.io", "github.io"},
		{"github.io", "io"},
		{"a.b.no-such-tld", "no-such-tld"},
		{"x.city.kawasaki.jp", "kawasaki.jp"},
	} {
		var n name
		n.parse(tt.protected)
		if got := n.text(n.labels-tailOf(&n), n.labels); got != tt.tail {
			t.Errorf("the suffix of %s is %s, want %s", tt.protected, got, tt.tail)
		}
	}
}

func TestProtected(t *testing.T) {
	want := []string{"army.mil", "us.af.mil", "mil"}
	if got := slices.Collect(mustNew(t, "army.mil", "us.af.mil", "army.mil", "mil").Protected()); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
