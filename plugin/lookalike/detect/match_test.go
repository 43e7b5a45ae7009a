package detect

import "testing"

func TestMatchFirst(t *testing.T) {
	x, err := New(Config{Protected: []string{"army.mil", "us.af.mil", "af.mil"}, TLDs: []string{"ml"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		qname, class, first, didYouMean string
		matches                         int
	}{
		{"aRmY.mL.", "tld-swap", "army.mil", "army.mil", 1},
		{"mx.army.ml.", "tld-swap", "army.mil", "mx.army.mil", 1},
		{"_dmarc.army.ml", "tld-swap", "army.mil", "army.mil", 1},
		{"army.com.ml", "tld-swap", "army.mil", "army.mil", 1},
		{"us.af.ml.", "tld-swap", "us.af.mil", "us.af.mil", 2},
		{"army.mil.ml", "tld-kept", "army.mil", "army.mil", 1},
		{"x.mil.ml", "tld-kept", "mil", "x.mil", 1},
		{"armymil.ml", "tld-kept", "army.mil", "army.mil", 1},
		{"army-mil.ml", "tld-kept", "army.mil", "army.mil", 1},
		{"us.afmil.ml", "tld-kept", "us.af.mil", "us.af.mil", 2},
		{"usaf.ml", "separator", "us.af.mil", "us.af.mil", 1},
		{"us-af.ml", "separator", "us.af.mil", "us.af.mil", 1},
		{"army.mil.", "", "", "", 0},
		{"gouv.ml", "", "", "", 0},
		{"example.ml", "", "", "", 0},
		{`army\.ml`, "", "", "", 0},
	} {
		v, ok := x.Match(tt.qname)
		if !ok {
			v = &Verdict{Matches: []Match{{}}}
		}
		if v.Class.String() != tt.class || v.Matches[0].Protected != tt.first || v.Matches[0].DidYouMean != tt.didYouMean || ok && len(v.Matches) != tt.matches {
			t.Errorf("Match(%q) = %v, want %v", tt.qname, v, tt)
		}
	}
}
