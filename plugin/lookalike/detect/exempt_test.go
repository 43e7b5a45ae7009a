package detect

import "testing"

// TestSparing has names that somebody else protects, in other indexes.
func TestSparing(t *testing.T) {
	x, err := New(Config{Protected: []string{"example.com", "example.de"}, TLDs: []string{"uk", "co", "de"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name      string
		protected []string // by the others, one each
		qname     string
		spared    bool
	}{
		{"nobody else", nil, "example.co.uk", false},
		{"the name", []string{"example.co.uk"}, "example.co.uk", true},
		{"below it", []string{"example.co.uk"}, "mx.example.co.uk", true},
		{"above it", []string{"mx.example.co.uk"}, "example.co.uk", true},
		{"a neighbour", []string{"example.co.uk"}, "exarnple.co.uk", false},
		{"another TLD", []string{"example.co.uk"}, "example.co", false},
		{"the second of two", []string{"example.co", "example.co.uk"}, "example.co.uk", true},
		{"a whole TLD", []string{"uk"}, "example.uk", true},
		{"a whole TLD with suffixes of two labels", []string{"uk"}, "example.co.uk", true},
		{"a suffix", []string{"co.uk"}, "example.co.uk", true},
		{"the same under another suffix", []string{"co.uk"}, "example.uk", false},
	} {
		var others []*Index
		for _, p := range tt.protected {
			others = append(others, mustNew(t, p))
		}
		spares := x.Sparing(others...)
		if _, ok := spares.Match(tt.qname); ok == tt.spared {
			t.Errorf("%s: Match(%q) = %v, spared %v", tt.name, tt.qname, ok, tt.spared)
		}
		if n := len(spares.Counterparts(tt.qname)); (n == 0) != tt.spared {
			t.Errorf("%s: %d counterparts of %q, spared %v", tt.name, n, tt.qname, tt.spared)
		}
	}
	if _, ok := x.Match("example.co.uk"); !ok {
		t.Error("Sparing has changed its index")
	}
	if spares := x.Sparing(mustNew(t, "army.mil")); spares != x {
		t.Error("Sparing has made an index that spares no more")
	}
}
