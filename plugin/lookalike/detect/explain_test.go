package detect

import (
	"slices"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	x := mustNew(t, "army.mil", "us.af.mil", "centcom.mil")
	for _, tt := range []struct {
		qname string
		want  []string
	}{
		{"army.mil", []string{"it does not lie under a lookalike TLD (ml)"}},
		{"a..ml", []string{"it is not a domain name: a label has 1 to 63 octets, a name at most 255"}},
		{"gouv.ml", []string{`nothing is left to compare before "gouv.ml"`}},
		{"_dmarc.ml", []string{`nothing is left to compare before "ml"`}},
		{"_25._tcp.mx.arrny.com.ml.", []string{
			`it lies under the lookalike TLD "ml"`,
			`"com.ml" is a public suffix and left out like the TLD`,
			`"_25._tcp" names a service and is set aside`,
			`compared with the protected names: "arrny", "mx.arrny"`,
			`label "arrny" resembles "army" of army.mil: "rn" reads as "m" at letter 3`,
			`"army" counts as 4 letters: homoglyph is high from 3 letters, medium from 2 letters`,
		}},
		{"xn--rmy-5cd.ml", []string{
			`it lies under the lookalike TLD "ml"`,
			`label "xn--rmy-5cd" is "аrmy" in Unicode and reads as "army"`,
			`compared with the protected names: "xn--rmy-5cd"`,
			`label "xn--rmy-5cd" resembles "army" of army.mil: "а" reads as "a" at letter 1`,
			`"army" counts as 4 letters: idn-homoglyph is high from 3 letters, medium from 2 letters`,
		}},
		{"arm.ml", []string{
			`it lies under the lookalike TLD "ml"`,
			`compared with the protected names: "arm"`,
			`label "arm" resembles "army" of army.mil: "y" is left out at letter 4`,
			`"army" counts as 3 letters: typo is high from 5 letters, medium from 3 letters; what was typed is a common word, which is low at most`,
		}},
		{"amry.mil.ml", []string{
			`it lies under the lookalike TLD "ml"`,
			`compared with the protected names: "mil", "amry.mil"`,
			`label "amry" resembles "army" of army.mil: "rm" is typed as "mr" at letter 2; its TLD is kept`,
			`"army" counts as 4 letters: typo is high from 5 letters, medium from 3 letters; as tld-kept it is high`,
		}},
		{"example.ml", []string{
			`it lies under the lookalike TLD "ml"`,
			`compared with the protected names: "example"`,
			`none of 3 protected names is the same but for its TLD, reads the same, is within the slips that its length allows, or stands in it`,
		}},
	} {
		if got := x.Explain(tt.qname); !slices.Equal(got, tt.want) {
			t.Errorf("Explain(%q) =\n%s\nwant\n%s", tt.qname, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}
