package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// TestForms: each form of a list has the names that the zone blocks.
func TestForms(t *testing.T) {
	const zone = "@ 60 IN SOA localhost. hostmaster.localhost. 7 60 30 604800 60\n@ 60 IN NS localhost.\n" +
		"army.ml 60 IN CNAME .\n*.army.ml 60 IN CNAME .\n*.mil.ml 60 IN CNAME .\n"
	l, err := parseZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	l.protected = []string{"army.mil"}
	if want := []string{"army.ml"}; !slices.Equal(l.blocked, want) {
		t.Errorf("It blocks %q, want %q", l.blocked, want)
	}
	tests := []struct {
		name    string
		form    form
		want    string
		entries int
	}{
		{"protected names", protected, "army.mil\n", 1},
		{"zone", zoneFile, zone, 5},
		{"names", nameLines, "army.ml\nmil.ml\n", 2},
		{"servers", serverLines, "server=/army.ml/\nserver=/mil.ml/\n", 2},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got, entries := tc.form(l); got != tc.want || entries != tc.entries {
				t.Errorf("%d entries, want %d, in\n%swant\n%s", entries, tc.entries, got, tc.want)
			}
		})
	}
}

// TestZoneRefused: rules that not every server has are refused.
func TestZoneRefused(t *testing.T) {
	tests := []struct{ name, zone, want string }{
		{"an exception", "army.ml 60 IN CNAME rpz-passthru.\n", "only NXDOMAIN can be compared"},
		{"not the names below", "army.ml 60 IN CNAME .\n", "does not block names below army.ml"},
		{"no zone", "army.ml CNAME\n", "dns: "},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := parseZone(tc.zone); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Got %v, want %q", err, tc.want)
			}
		})
	}
}

// TestDraw draws a thousand different names under the TLD, the same ones each time, even
// where few names are protected.
func TestDraw(t *testing.T) {
	for _, names := range [][]string{{"af.mil"}, {"army.mil", "us.af.mil", "js.pentagon.mil"}} {
		index, err := detect.New(detect.Config{Protected: names, TLDs: []string{"ml"}})
		if err != nil {
			t.Fatal(err)
		}
		got := draw(index, names)
		if !slices.Equal(got, draw(index, names)) {
			t.Errorf("%q: other names the second time", names)
		}
		seen := make(map[string]bool)
		for _, d := range got {
			if _, ok := dns.IsDomainName(d.name); !ok || seen[d.name] || !strings.HasSuffix(d.name, ".ml") {
				t.Errorf("%q: %+v", names, d)
			}
			seen[d.name] = true
		}
		if len(seen) != 1000 {
			t.Errorf("%q: %d names, want 1,000", names, len(seen))
		}
	}
}
