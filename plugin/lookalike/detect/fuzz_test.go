package detect

import (
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzMatch feeds Match arbitrary bytes: it must not panic, must look at a
// bounded number of protected names, must not care about ASCII case or a
// trailing dot, and what it returns must be names that can be written down.
func FuzzMatch(f *testing.F) {
	for _, seed := range []string{
		"army.ml", "ArMy.mL.", "us-af.ml", "usafmil.ml", "_dmarc.x.army.com.ml", "xn--rmy-5cd.ml", "xn--a.xn--.ml", "\u0430rmy.ml",
		`\208\176rmy.ml`, `ar\.my.ml`, `army\000.ml`, "arnny.ml", "cent-cmo.ml", "srtatcmo.ml", "secure-army-login.ml",
		"a-army.mil.x.ml", "a..ml", "\xff\xfe.ml", strings.Repeat("rn", 30) + ".ml", strings.Repeat("a-", 31) + ".cm",
		"ﬁﬁﬁﬁﬁﬁﬁﬁ.ml", "xn--99999999.ml", "xn--000-.ml", "Xn-- -.ml", "xn---.ml", `\`, `\2`, `x.\255.ml.`,
	} {
		f.Add(seed)
	}
	listed := mustNew(f, recallNames...)
	whole, err := New(Config{Protected: []string{"mil", "example.co.uk", "xn--bcher-kva.example", "stratcom.mil"}, TLDs: []string{"ml", "cm"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, qname string) {
		for _, x := range []*Index{listed, whole} {
			v, ok := x.Match(qname)
			if ok != (v != nil) || ok && !x.Watched(qname) {
				t.Fatalf("Match(%q) = %v, %v", qname, v, ok)
			}
			x.Explain(qname)
			for _, same := range []string{mapCase(qname, unicode.ToUpper), mapCase(qname, unicode.ToLower)} {
				if w, _ := x.Match(same); !reflect.DeepEqual(v, w) {
					t.Fatalf("Match(%q) = %v, but Match(%q) = %v", qname, v, same, w)
				}
			}
			if rooted := qname + "."; !strings.HasSuffix(qname, ".") && !strings.HasSuffix(qname, `\`) {
				if w, _ := x.Match(rooted); !reflect.DeepEqual(v, w) {
					t.Fatalf("Match(%q) = %v, but Match(%q) = %v", qname, v, rooted, w)
				}
			}
			if ok {
				checkVerdict(t, x, v)
			}
		}
	})
}

// mapCase changes the case of ASCII letters.
func mapCase(s string, to func(rune) rune) string {
	b := []byte(s)
	for i, c := range b {
		if c < utf8.RuneSelf {
			b[i] = byte(to(rune(c)))
		}
	}
	return string(b)
}

// checkVerdict checks that a verdict is complete and printable, and that the
// canonical name in it has the same one.
func checkVerdict(t *testing.T, x *Index, v *Verdict) {
	t.Helper()
	if v.Class == None || v.Confidence == Unsure || len(v.Matches) == 0 || len(v.Matches) > mostMatches {
		t.Fatalf("incomplete verdict %+v", v)
	}
	for _, text := range []string{v.Class.String(), v.Confidence.String(), v.Reason, v.Unicode} {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.Co, r) }) {
			t.Fatalf("unprintable %q in %+v", text, v)
		}
	}
	var n name
	names := append(make([]string, 0, 2+2*len(v.Matches)), v.Name, v.Registrable)
	for _, m := range v.Matches {
		names = append(names, m.Protected, m.DidYouMean)
		if !strings.HasSuffix(m.DidYouMean, m.Protected) {
			t.Fatalf("%q was meant by %q", m.DidYouMean, m.Protected)
		}
	}
	for _, s := range names {
		if !n.parse(s) || n.text(0, n.labels) != s {
			t.Fatalf("%q is no canonical name in %+v", s, v)
		}
	}
	checkReplay(t, v)
	if w, _ := x.Match(v.Name); !reflect.DeepEqual(v, w) {
		t.Fatalf("Match(%q) = %+v, was %+v", v.Name, w, v)
	}
}

// FuzzPunycode decodes arbitrary labels within the bounds of a label.
func FuzzPunycode(f *testing.F) {
	for _, seed := range []string{"rmy-5cd", "", "-", "a-", "-a", "999999", "0000000000", "zzzzzzzzzz", "bcher-kva"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, label []byte) {
		label = label[:min(len(label), maxLabel-4)]
		runes, ok := decodePunycode(nil, label)
		if len(runes) > maxRunes || !ok && len(runes) > 0 {
			t.Fatalf("decodePunycode(%q) = %q, %v", label, runes, ok)
		}
		for _, r := range runes {
			if r < 0 || r > utf8.MaxRune {
				t.Fatalf("decodePunycode(%q) has code point %#x", label, r)
			}
		}
	})
}
