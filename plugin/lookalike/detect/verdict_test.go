package detect

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestTexts has classes and confidences as JSON, by name, and back.
func TestTexts(t *testing.T) {
	type graded struct {
		Class      Class
		Confidence Confidence
	}
	for _, c := range append(Classes(), None) {
		for _, conf := range []Confidence{Unsure, Low, Medium, High} {
			want := graded{c, conf}
			text, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			if names := `{"Class":"` + c.String() + `","Confidence":"` + conf.String() + `"}`; string(text) != names {
				t.Errorf("%v %v is written %s, want %s", c, conf, text, names)
			}
			got := graded{DoubleTypo, High}
			if err := json.Unmarshal(text, &got); err != nil || got != want {
				t.Errorf("%s is read as %v, %v", text, got, err)
			}
		}
	}
	for _, text := range []string{`{"Class":"typos"}`, `{"Confidence":"HIGH"}`, `{"Class":3}`} {
		if got := (graded{}); json.Unmarshal([]byte(text), &got) == nil {
			t.Errorf("%s is read as %v, want an error", text, got)
		}
	}
	if _, err := json.Marshal(Class(99)); err == nil {
		t.Error("an unknown class is written, want an error")
	}
	if _, err := json.Marshal(Confidence(99)); err == nil {
		t.Error("an unknown confidence is written, want an error")
	}
}

// TestMeant has names that several protected ones lead to.
func TestMeant(t *testing.T) {
	x := mustNew(t, "af.mil", "us.af.mil", "navy.mil")
	for _, tt := range []struct {
		qname string
		want  []string
	}{
		{"us.af.ml", []string{"us.af.mil"}},
		{"mx.us.af.ml", []string{"mx.us.af.mil"}},
		{"navy.ml", []string{"navy.mil"}},
	} {
		v, ok := x.Match(tt.qname)
		if !ok || !slices.Equal(v.Meant(), tt.want) {
			t.Errorf("Match(%q) = %+v, want %v meant", tt.qname, v, tt.want)
		}
	}
}

// TestBrief holds it against Match.
func TestBrief(t *testing.T) {
	x := mustNew(t, "army.mil", "army.smil.mil", "us.af.mil", "af.mil")
	for _, name := range []string{"army.ml", "mx.arrny.ml", "us-af.ml", "partner.ml", "army.mil.ml", "x.mil.ml", "army.mil", "..", "amry.com.ml"} {
		v, ok := x.Match(name)
		b, found := x.Brief(name)
		if ok != found {
			t.Errorf("%s: %v, want %v", name, found, ok)
		}
		if !ok {
			continue
		}
		var protected []string
		for _, m := range v.Matches {
			protected = append(protected, m.Protected)
		}
		if b.Class != v.Class || b.Confidence != v.Confidence || b.Registrable != v.Registrable || !slices.Equal(b.Protected, protected) {
			t.Errorf("%s: %+v, want %+v", name, b, v)
		}
	}
}

// TestVisible compares the set of visible code points, and their numbers, with the
// definition.
func TestVisible(t *testing.T) {
	for r := range rune(utf8.MaxRune + 1) {
		want := r < utf8.RuneSelf || unicode.IsPrint(r) || unicode.Is(unicode.Co, r)
		if got := visible(r); got != want {
			t.Errorf("visible(%#x) = %t, want %t", r, got, want)
		}
		if got, want := string(appendNumber(nil, r)), fmt.Sprintf("U+%04X", r); got != want {
			t.Errorf("appendNumber(%#x) = %s, want %s", r, got, want)
		}
	}
}

// TestRuneOctets compares the length of every code point, and of octets that are none,
// with what is written.
func TestRuneOctets(t *testing.T) {
	for r := range rune(notUnicode + 256) {
		if got, want := runeOctets(r), len(appendRune(nil, r)); got != want {
			t.Errorf("runeOctets(%#x) = %d, want %d", r, got, want)
		}
	}
}
