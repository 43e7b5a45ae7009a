package input

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	const tld = "but a TLD has only letters, digits and hyphens: give one name a line, nothing else"
	tests := []struct {
		text string
		want string // the name, or a part of the error
	}{
		{"army.ml", "army.ml"},
		{"ARMY.ML.", "ARMY.ML."},
		{".", "."},
		{"ml", "ml"},
		{"army.xn--p1ai", "army.xn--p1ai"},
		{"_25._tcp.army.ml", "_25._tcp.army.ml"},
		{`a\044b\.c\@d\,.ml`, `a\044b\.c\@d\,.ml`},
		{"a#b|'c.ml", "a#b|'c.ml"},
		{"\xff\xe9.ml", "\xff\xe9.ml"},

		// As mail programs read it.
		{"ａｒｍｙ．ｍｌ", "army.ml"},
		{"army。ml", "army.ml"},
		{"army.ⓜⓛ", "army.ml"},
		{"army.m\u00adl.", "army.ml"},
		{"аrmy.ml", "xn--rmy-5cd.ml"},
		{"army.рф", "army.xn--p1ai"},
		{`a\044b.ⓜⓛ.`, `a\044b.ml`},
		{"\xff｡ｍｌ", "\xff.ml"},

		// Of a mail address, the domain.
		{"someone@army.ml", "army.ml"},
		{`a\@b@army.ml`, "army.ml"},
		{`"a,b@c"@army.ml`, "army.ml"},
		{"someone@аrmy.ml", "xn--rmy-5cd.ml"},

		// What lists have besides names.
		{"army.ml,high", `the last label is "ml,high", ` + tld},
		{"army.ml;", `the last label is "ml;", ` + tld},
		{`"army.ml"`, `the last label is "ml\"", ` + tld},
		{"army.ml:25", `the last label is "ml:25", ` + tld},
		{"army.ml/x", `the last label is "ml/x", ` + tld},
		{"<army.ml>", `the last label is "ml>", ` + tld},
		{"(army.ml)", `the last label is "ml)", ` + tld},
		{"army.ml%20", `the last label is "ml%20", ` + tld},
		{"army.ml.,", `the last label is ",", ` + tld},
		{"army.m_l", `the last label is "m_l", ` + tld},
		{`army.m\108`, `the last label is "m\\108", ` + tld},
		{`army\.ml`, `the last label is "army\\.ml", ` + tld},
		{"army.ml，high", `the last label is "ml，high", ` + tld},
		{"army.m\xef", `the last label is "m\xef", ` + tld},
		{"army.\u202eml", `the last label is "\u202eml", ` + tld},
		{"army.ml,navy.ml", "one name a line"},
		{"high;army.ml", "one name a line"},
		{"army.ml\x00navy.ml", "a NUL byte"},
		{"a\x00r\x00m\x00y\x00", "save UTF-16 as UTF-8"},
		{"someone@", "nothing follows the @"},
		{"army..ml", "not a domain name"},
		{"..", "not a domain name"},
		{"ａｒｍｙ．．ｍｌ", "not a domain name"},
	}
	for _, tc := range tests {
		got, err := Name(tc.text)
		if err != nil {
			if got != "" || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%q: %q, %v, want %q", tc.text, got, err, tc.want)
			}
			continue
		}
		if got != tc.want {
			t.Errorf("%q: %q, want %q", tc.text, got, tc.want)
		}
	}
}
