package names

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	name253 := label63 + "." + label63 + "." + label63 + "." + strings.Repeat("b", 61)
	tests := []struct {
		name, text, want string
	}{
		{"second level", "army.mil", "army.mil"},
		{"deeper", "us.af.mil", "us.af.mil"},
		{"whole TLD", "*.mil", "mil"},
		{"whole TLD in capitals, trailing dot", "*.MIL.", "mil"},
		{"whole TLD, U-label", "*.рф", "xn--p1ai"},
		{"upper case", "US.Army.MIL", "us.army.mil"},
		{"trailing dot", "army.mil.", "army.mil"},
		{"digits and hyphens", "jfhq-dodin.mil", "jfhq-dodin.mil"},
		{"number as label", "163.example.com", "163.example.com"},
		{"hyphens in third and fourth place", "r3---sn.example.com", "r3---sn.example.com"},
		{"service label", "_dmarc.army.mil", "_dmarc.army.mil"},
		{"U-label", "bücher.example", "xn--bcher-kva.example"},
		{"U-label in upper case", "BÜCHER.example", "xn--bcher-kva.example"},
		{"U-label, decomposed", "bu\u0308cher.example", "xn--bcher-kva.example"},
		{"A-label", "XN--Bcher-KVA.example", "xn--bcher-kva.example"},
		{"sharp s stays", "faß.example", "xn--fa-hia.example"},
		{"full-width letters and dot", "ａｒｍｙ．ｍｉｌ", "army.mil"},
		{"ideographic full stop", "例え。テスト", "xn--r8jz45g.xn--zckzah"},
		{"soft hyphen is ignored", "ar\u00admy.mil", "army.mil"},
		{"emoji", "☕.example", "xn--53h.example"},
		{"mixed directions", "aא.example", "xn--a-0hc.example"},
		{"label of 63", label63 + ".mil", label63 + ".mil"},
		{"name of 253", name253, name253},
		{"name of 253 and trailing dot", name253 + ".", name253},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got, err := Parse(tc.text); err != nil || got != tc.want {
				t.Errorf("Parse(%q) = %q, %v, want %q", tc.text, got, err, tc.want)
			}
		})
	}
}

func TestParseError(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	tests := []struct {
		name, text, want string // want is a part of the message
	}{
		{"empty", "", "not a name: write a domain name"},
		{"root", ".", "not a name"},
		{"half a name", "nav", "no dot: write nav.mil, or *.mil for every name under .mil"},
		{"no dot", "navy", "no dot: write navy.mil, or *.mil for every name under .mil"},
		{"no dot but at the end", "navy.", "no dot: write navy.mil"},
		{"bare TLD", "mil", "no dot: write *.mil for every name under .mil"},
		{"bare TLD of a country", "ML", "no dot: write *.ml for every name under .ml"},
		{"U-label without a dot", "bücher", "no dot: write xn--bcher-kva.mil"},
		{"whole of nothing", "*.", "not a name"},
		{"wildcards", "*.*", "wildcard"},
		{"wildcard alone", "*", "wildcard"},
		{"wildcard at the end", "army.*", "wildcard"},
		{"wildcard without a dot", "*army.mil", "wildcard"},
		{"built-in list", "@mil", "write it after protect in the Corefile"},
		{"wildcard", "*.army.mil", "without *, the names below it are included anyway"},
		{"wildcard within", "us.*.mil", "wildcard"},
		{"mail address", "someone@army.mil", "only the part after the @"},
		{"page", "https://www.army.mil", "the domain name alone"},
		{"leading dot", ".army.mil", "without it, the names below it are included anyway"},
		{"empty label", "us..mil", "empty label"},
		{"two trailing dots", "army.mil..", "empty label"},
		{"two names", "army.mil navy.mil", "one name per line"},
		{"hosts file", "0.0.0.0\tarmy.ml", "one name per line"},
		{"no-break space", "army.mil\u00a0navy.mil", "one name per line"},
		{"IPv4 address", "192.0.2.25", "not an address"},
		{"number", "12", "not an address"},
		{"whole TLD that is a number", "*.12", "not an address"},
		{"IPv6 address", "2001:db8::25", "character ':'"},
		{"comma", "army.mil,navy.mil", "character ','"},
		{"escape", `ar\.my.mil`, `character '\\'`},
		{"NUL", "army\x00.mil", `character '\x00'`},
		{"list marker", "-army.mil", "begins or ends with a hyphen"},
		{"hyphen at the end", "army-.mil", "begins or ends with a hyphen"},
		{"label of 64", label63 + "a.mil", "label of 64 characters"},
		{"name of 254", label63 + "." + label63 + "." + label63 + "." + strings.Repeat("b", 62), "254 characters"},
		{"U-label that is too long", strings.Repeat("ü", 63) + ".example", "label of "},
		{"not UTF-8", "b\xfccher.example", "not UTF-8"},
		{"broken A-label", "xn--a!b.example", "no IDNA rule"},
		{"broken A-label, upper case", "XN--999999999.example", "no IDNA rule"},
		{"empty A-label", "xn--.example", "empty label"},
		{"disallowed code point", "a\u200eb\u202e.example", "no IDNA rule"},
		{"quotes of a text", "\u201carmy.mil\u201d", `'“' (U+201C) is not allowed in a name: remove it`},
		{"ellipsis of a text", "army.mil\u2026", "(U+2026) is not allowed in a name"},
		{"dash of a text", "us\u2013af.mil", "(U+2013) is not allowed in a name"},
		{"apostrophe of a text", "ar\u2019my.mil", "(U+2019) is not allowed in a name"},
		{"joiner that nobody sees", "army.mil\u200d", "(U+200D) is not allowed in a name"},
		{"joiner at the front", "\u200carmy.mil", "(U+200C) is not allowed in a name"},
		{"dot that is none", "army\u2024mil", "(U+2024) is not allowed in a name"},
		{"letter that folds into a slash", "℅.example", "character '/'"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Parse(tc.text)
			if err == nil {
				t.Fatalf("Parse(%q) = %q, want an error", tc.text, got)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Parse(%q): %q, want a message with %q", tc.text, err, tc.want)
			}
		})
	}
}

// FuzzParse asserts that what Parse accepts is a name, in a form that Parse
// leaves alone and that its own rules and a Set agree with.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"army.mil", "US.AF.MIL.", "*.mil", "mil", "*.ＭＩＬ", "*.a.b", "@mil", "bücher.example", "xn--bcher-kva.example", "*.army.mil", "a..b", ".", "", "☕.example",
		"aא.example", "xn--a!b", "\xff\xfe", "１２.ｍｉｌ", "℅", "a\u3002b", "xn--xn--a-", "_a.b", "-a.b", "ｘn--a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := Parse(s)
		if err != nil {
			if name != "" {
				t.Errorf("Parse(%q) = %q with the error %v", s, name, err)
			}
			return
		}
		if err := checkLabels(name); err != nil {
			t.Errorf("Parse(%q) = %q: %v", s, name, err)
		}
		if strings.HasPrefix(s, "*.") == strings.Contains(name, ".") {
			t.Errorf("Parse(%q) = %q", s, name)
		}
		if again, err := Canonical(name); err != nil || again != name {
			t.Errorf("Parse(%q) = %q, which Canonical turns into %q, %v", s, name, again, err)
		}
		if set := NewSet([]string{name}); !set.Contains(name) || !set.Contains("x."+name+".") && len(name) <= maxName-2 {
			t.Errorf("A set of %q does not contain it and what is below it", name)
		}
	})
}
