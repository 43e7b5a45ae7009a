package judge

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// load returns a judge by a Corefile of one server block.
func load(t *testing.T, directive string) *Judge {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(path, []byte(". {\n"+directive+"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := lookalike.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return New(file, path)
}

func TestSwift(t *testing.T) {
	const directive = `lookalike ml {
		protect army.mil
		allow club.army.ml
		action low off
		clients 192.0.2.0/24
	}`
	inside, outside := netip.MustParseAddr("192.0.2.25"), netip.MustParseAddr("198.51.100.25")
	tests := []struct {
		name   string
		client netip.Addr
		want   string // class, action; empty: nothing is found
	}{
		{"army.ml", inside, "tld-swap nxdomain"},
		{"ARMY.ML.", inside, "tld-swap nxdomain"},
		{"army.ml", netip.Addr{}, "tld-swap nxdomain"},
		{"army.ml", outside, "tld-swap "},
		{"mail.club.army.ml", inside, "tld-swap allow"},
		{"аrmy.ml", inside, "idn-homoglyph nxdomain"},
		{`army.m\108`, inside, ""}, // no TLD is written so
		{"army.ml。", inside, "tld-swap nxdomain"},
		{"army.mil", inside, ""},
		{"army.com", inside, ""},
		{"ml", inside, ""},
		{"", inside, ""},
		{"army..ml", inside, ""},
		{"army.ml,navy.ml", inside, ""},
	}
	s := NewSwift(load(t, directive))
	for range 2 { // the second answers are remembered
		for _, tc := range tests {
			got := ""
			if f := s.Judge(tc.name, tc.client); f != nil {
				got = f.Verdict.Class.String() + " " + f.ActionName()
			}
			if got != tc.want {
				t.Errorf("%s for %v: got %q, want %q", tc.name, tc.client, got, tc.want)
			}
		}
	}
}

// TestSwiftEveryTLD: under *, no TLD is passed over.
func TestSwiftEveryTLD(t *testing.T) {
	s := NewSwift(load(t, "lookalike * {\nprotect example.com\n}"))
	for _, name := range []string{"example.de", "examlpe.com"} {
		if s.Judge(name, netip.Addr{}) == nil {
			t.Errorf("%s: got nothing", name)
		}
	}
}

// TestSwiftForgets: however many names there are, few are remembered, and the
// answers stay right.
func TestSwiftForgets(t *testing.T) {
	s := NewSwift(load(t, "lookalike ml {\nprotect army.mil\n}"))
	s.most = 100
	for i := range 350 {
		if f := s.Judge(fmt.Sprintf("a%d.army.ml", i), netip.Addr{}); f == nil {
			t.Fatalf("Got nothing for name %d", i)
		}
		if s.Judge("army.ml", netip.Addr{}) == nil {
			t.Fatal("Got nothing for army.ml")
		}
	}
	if n := len(s.now) + len(s.before); n > 2*s.most {
		t.Errorf("Got %d answers remembered, want %d at most", n, 2*s.most)
	}
}

func BenchmarkSwift(b *testing.B) {
	file, err := lookalike.Default()
	if err != nil {
		b.Fatal(err)
	}
	s := NewSwift(New(file, ""))
	for _, name := range []string{"mail.example.com", "example.ml", "army.ml"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Judge(name, netip.Addr{})
			}
		})
	}
}
