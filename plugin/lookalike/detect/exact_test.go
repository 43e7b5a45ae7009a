package detect

import "testing"

// TestMatchExact: the classes that it finds are those of Match, the others it
// leaves out.
func TestMatchExact(t *testing.T) {
	x, err := New(Config{Protected: []string{"army.mil", "us.af.mil"}, TLDs: []string{"ml"}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		qname string
		want  Class
	}{
		{"army.ml.", TLDSwap},
		{"mx.US.AF.ml", TLDSwap},
		{"army.mil.ml", TLDKept},
		{"anything.mil.ml", TLDKept},
		{"usaf.ml", Separator},
		{"arrny.ml", Homoglyph},
		{"xn--rmy-5cd.ml", IDNHomoglyph},
		{"amry.ml", None},
		{"army-mail.ml", None},
		{"example.ml", None},
		{"army.org", None},
		{"a..ml", None},
	}
	for _, tc := range tests {
		v, ok := x.MatchExact(tc.qname)
		if ok != (tc.want != None) || ok && v.Class != tc.want {
			t.Errorf("%s: got %+v, want %s", tc.qname, v, tc.want)
			continue
		}
		if full, _ := x.Match(tc.qname); ok && (full.Class != v.Class || full.Confidence != v.Confidence) {
			t.Errorf("%s: got %+v, Match says %+v", tc.qname, v, full)
		}
	}
}
