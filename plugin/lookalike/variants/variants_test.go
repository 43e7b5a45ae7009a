package variants

import (
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/test/proof"
)

// list returns the list for protected names under the given TLDs.
func list(tb testing.TB, o Options, protected ...string) *List {
	tb.Helper()
	x, err := detect.New(detect.Config{Protected: protected, TLDs: o.TLDs})
	if err != nil {
		tb.Fatal(err)
	}
	return New(x, protected, o)
}

// someNames are 44 names of the built-in list, or all of it for a proof, and some
// of other kinds.
func someNames() []string {
	all := names.Default()
	return append(all[:min(len(all), proof.N(44, len(all)))], "xn--zrich-kva.ch", "north-wind.co.uk", "eb.mil.br")
}

// TestList has names that must be listed, and some that must not.
func TestList(t *testing.T) {
	for _, tc := range []struct {
		name      string
		protected string
		tlds      string
		class     detect.Class
		want      string
		never     string
	}{
		{"the name itself, and below public suffixes", "army.mil", "ml", detect.TLDSwap, "army.ml army.com.ml army.gouv.ml", "army.mil.ml"},
		{"two TLDs", "army.mil", "ml cm", detect.TLDSwap, "army.ml army.cm army.co.cm", ""},
		{"a suffix of two labels", "example.co.uk", "ml", detect.TLDSwap, "example.ml example.co.ml", ""},
		{"one of them for names abroad", "eb.mil.br", "ml", detect.TLDSwap, "eb.ml", "eb.br.ml"},
		{"the TLD kept", "army.mil", "ml", detect.TLDKept, "army.mil.ml armymil.ml army-mil.ml armymil-login.ml us-army-mil.ml", "army.ml"},
		{"a suffix of two labels kept", "example.co.uk", "ml", detect.TLDKept, "example.co.uk.ml examplecouk.ml example-co-uk.ml", ""},
		{"one letter of another script", "army.mil", "ml", detect.IDNHomoglyph, "xn--rmy-5cd.ml xn--rmy-pla.ml", "army.ml"},
		{"all letters", "copy.com", "ml", detect.IDNHomoglyph, "xn--n1aebk.ml", ""},
		{"an umlaut left out", "xn--zrich-kva.ch", "ml", detect.Homoglyph, "zurich.ml", "xn--zrich-kva.ml"},
		{"a dot dropped or changed", "us.af.mil", "ml", detect.Separator, "usaf.ml us-af.ml", "us.af.ml"},
		{"a hyphen dropped or changed", "ab-cd.com", "ml", detect.Separator, "abcd.ml ab.cd.ml", ""},
		{"characters that look alike", "army.mil", "ml", detect.Homoglyph, "arrny.ml arnny.ml 4rmy.ml army.mi1.ml armymi1.ml army-rnil.ml", "army.mil.ml"},
		{"two of them", "disa.mil", "ml", detect.Homoglyph, "d1sa.ml d1s4.ml cl1sa.ml", ""},
		{"strong ones twice", "osdio.mil", "ml", detect.Homoglyph, "0sdi0.ml 0sdlo.ml", ""},
		{"slips of the finger", "army.mil", "ml", detect.Typo, "amry.ml armyy.ml armyyy.ml armyyyy.ml amy.ml atmy.ml army6.ml rmay.ml", "army.ml"},
		{"a dot or hyphen more", "army.mil", "ml", detect.Split, "ar.my.ml a-rmy.ml", ""},
		{"a hyphen that has moved", "north-wind.com", "ml", detect.Split, "nort-hwind.ml northw-ind.ml", ""},
		{"any other letter", "pentagon.mil", "ml", detect.Edit, "pentaxon.ml pentagxon.ml", "pentagonn.ml"},
		{"with a word", "army.mil", "ml", detect.Combosquat, "army-mail.ml login-army.ml", "armymail.ml army-login-mail.ml"},
		{"with a word and nothing between", "pentagon.mil", "ml", detect.Combosquat, "pentagonmail.ml webmailpentagon.ml", ""},
		{"under the own TLD", "example.com", "com", detect.Typo, "examlpe.com", "example.com"},
		{"a whole TLD has none", "mil", "ml", detect.TLDSwap, "", ""},
	} {
		got := make(map[string]bool)
		for v := range list(t, Options{TLDs: strings.Fields(tc.tlds), Classes: []detect.Class{tc.class}}, tc.protected).All() {
			got[v.Name] = true
		}
		for name := range strings.FieldsSeq(tc.want) {
			if !got[name] {
				t.Errorf("%s: %s is not listed for %s as %s", tc.name, name, tc.protected, tc.class)
			}
		}
		for name := range strings.FieldsSeq(tc.never) {
			if got[name] {
				t.Errorf("%s: %s is listed for %s as %s", tc.name, name, tc.protected, tc.class)
			}
		}
		if tc.want == "" && len(got) > 0 {
			t.Errorf("%s: %d names", tc.name, len(got))
		}
	}
}

// TestEachIsFound gives every listed name back to the detector, which must say
// what the list does. Each stands there once, and can be registered.
func TestEachIsFound(t *testing.T) {
	l := list(t, Options{TLDs: []string{"ml"}}, someNames()...)
	listed := make(map[string]bool)
	for v := range l.All() {
		found, ok := l.index.Match(v.Name)
		if !ok || found.Class != v.Class || found.Confidence != v.Confidence || found.Unicode != v.Unicode || found.Registrable != v.Registrable {
			t.Fatalf("%+v is listed, the detector has %+v", v, found)
		}
		if !slices.ContainsFunc(found.Matches, func(m detect.Match) bool { return m.Protected == v.Protected }) {
			t.Fatalf("%+v is listed, the detector has %v", v, found.Matches)
		}
		if listed[v.Name] {
			t.Fatalf("%s is listed twice", v.Name)
		}
		if _, err := names.Canonical(v.Name); err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		listed[v.Name] = true
	}
	if n := l.Count().Sum(); n != len(listed) {
		t.Errorf("%d names are counted, %d listed", n, len(listed))
	}
	if len(listed) < 100*l.Names() {
		t.Errorf("%d names are listed for %d: too few", len(listed), l.Names())
	}
	complete(t, l, listed)
	t.Logf("%d lookalikes of %d names", len(listed), l.Names())
}

// complete checks that no candidate is lost: what the detector finds to be of a
// class that can be listed is listed, or lies below a name that is. The exception
// are names in the public suffixes of the TLD.
func complete(t *testing.T, l *List, listed map[string]bool) {
	t.Helper()
	for _, p := range l.names {
		for _, class := range detect.Classes() {
			for candidate := range detect.Candidates(class, p, true) {
				labels, ok := registrable(candidate)
				if !ok || listed[labels+".ml"] {
					continue
				}
				b, ok := l.index.Brief(labels + ".ml")
				if ok && slices.Contains(detect.Listable(), b.Class) && !l.below(labels+".ml", b.Registrable) && !l.inSuffix(b.Registrable) {
					t.Fatalf("%s, proposed for %s as %s, is %s, and not listed", labels, p, class, b.Class)
				}
			}
		}
	}
}

// inSuffix reports whether a registrable name lies below a suffix of several labels.
func (l *List) inSuffix(registrable string) bool { return strings.Count(registrable, ".") > 1 }

// TestOptions leaves classes and words out.
func TestOptions(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options Options
		counts  Counts
	}{
		{"nothing but the name", Options{Classes: []detect.Class{detect.TLDSwap}}, Counts{detect.TLDSwap: 14}},
		{"without words", Options{Classes: []detect.Class{detect.TLDSwap, detect.TLDKept}, NoWords: true}, Counts{detect.TLDSwap: 14, detect.TLDKept: 3}},
		{"a class that cannot be listed", Options{Classes: []detect.Class{detect.DoubleTypo, detect.Embedding}}, Counts{}},
	} {
		tc.options.TLDs = []string{"ml"}
		got := list(t, tc.options, "army.mil", "army.mil").Count()
		if len(got) != len(tc.counts) || got.Sum() != tc.counts.Sum() || !slices.Equal(got.Classes(), tc.counts.Classes()) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.counts)
		}
	}
}

// TestStops ends the list early.
func TestStops(t *testing.T) {
	l := list(t, Options{TLDs: []string{"ml"}}, "pentagon.mil")
	var all []Variant
	for v := range l.All() {
		all = append(all, v)
	}
	for n := 1; n <= len(all); n += max(1, len(all)/100) {
		var some []Variant
		for v := range l.All() {
			if some = append(some, v); len(some) == n {
				break
			}
		}
		if !slices.Equal(some, all[:n]) {
			t.Fatalf("The first %d of %d are %v", n, len(all), some)
		}
	}
}

// FuzzList lists the lookalikes of any name, each of which must be one.
func FuzzList(f *testing.F) {
	for _, name := range []string{"army.mil", "us.af.mil", "xn--zrich-kva.ch", "example.co.uk", "*.mil", "a-b.c-d.e.mil", "_dmarc.army.mil",
		"xn--80ak6aa92e.com", "1.2.mil", "a.ml", strings.Repeat("a", 63) + ".mil"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, text string) {
		protected, err := names.Parse(text)
		if err != nil || len(protected) > 64 {
			return
		}
		x, err := detect.New(detect.Config{Protected: []string{protected}, TLDs: []string{"ml"}})
		if err != nil {
			return
		}
		seen := make(map[string]bool)
		for v := range New(x, []string{protected}, Options{TLDs: []string{"ml"}}).All() {
			if found, ok := x.Match(v.Name); !ok || found.Class != v.Class || seen[v.Name] {
				t.Fatalf("%+v is listed, the detector has %+v", v, found)
			}
			seen[v.Name] = true
		}
	})
}

// BenchmarkAll lists the lookalikes of the built-in list.
func BenchmarkAll(b *testing.B) {
	l := list(b, Options{TLDs: []string{"ml"}}, names.Default()...)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for range l.All() {
			n++
		}
	}
	b.ReportMetric(float64(n)/float64(b.N), "names/op")
}
