package rpz

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name    string
		input   string
		origin  string
		classes []detect.Class
		tlds    string
		all     bool
		wantErr string
	}{
		{"a zone", "rpz rpz.example.org", "rpz.example.org.", nil, "", false, ""},
		{"in upper case", "rpz RPZ.Example.ORG.", "rpz.example.org.", nil, "", false, ""},
		{"with all", "rpz rpz.example.org {\n classes tld-swap typo\n tlds cm CO\n all\n}", "rpz.example.org.",
			[]detect.Class{detect.TLDSwap, detect.Typo}, "cm co", true, ""},
		{"no zone", "rpz", "", nil, "", false, "Testfile:1 - Error during parsing: rpz needs one zone, such as 'rpz rpz.example.org', got 0"},
		{"two zones", "rpz a.example.org b.example.org", "", nil, "", false, "got 2"},
		{"the same twice", "rpz rpz.example.org\nrpz rpz.example.org.", "", nil, "", false, "Testfile:2 - Error during parsing: zone rpz.example.org. is given twice"},
		{"no name", "rpz rpz..example.org", "", nil, "", false, `zone "rpz..example.org": empty label`},
		{"an unknown class", "rpz rpz.example.org {\n classes typos\n}", "", nil, "", false, `Testfile:2 - Error during parsing: unknown class "typos": want tld-swap,`},
		{"one that cannot be listed", "rpz rpz.example.org {\n classes embedding\n}", "", nil, "", false, "class embedding has too many names to list"},
		{"a class twice", "rpz rpz.example.org {\n classes typo typo\n}", "", nil, "", false, "class typo is given twice"},
		{"no class", "rpz rpz.example.org {\n classes\n}", "", nil, "", false, "want at least one class: tld-swap,"},
		{"a name as TLD", "rpz rpz.example.org {\n tlds co.uk\n}", "", nil, "", false, `tlds: "co.uk" is not a TLD`},
		{"no TLD", "rpz rpz.example.org {\n tlds\n}", "", nil, "", false, "tlds: want at least one TLD, such as cm"},
		{"all of something", "rpz rpz.example.org {\n all names\n}", "", nil, "", false, `all takes no argument, got "names"`},
		{"an unknown property", "rpz rpz.example.org {\n class typo\n}", "", nil, "", false, "unknown property 'class': want classes, tlds or all"},
	} {
		d := caddyfile.NewDispenser("Testfile", strings.NewReader(tc.input))
		zones, err := parse(&d)
		if tc.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
				t.Errorf("%s: error %v, want %q", tc.name, err, tc.wantErr)
			}
			continue
		}
		if err != nil || len(zones) != 1 {
			t.Errorf("%s: %v, %d zones", tc.name, err, len(zones))
			continue
		}
		s := zones[0]
		if s.origin != tc.origin || !slices.Equal(s.options.Classes, tc.classes) || strings.Join(s.options.TLDs, " ") != tc.tlds || s.options.All != tc.all {
			t.Errorf("%s: %+v", tc.name, s)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name     string
		corefile string
		want     []string
	}{
		{"complete", ".:53 {\n lookalike\n rpz rpz.example.org\n transfer rpz.example.org {\n to *\n }\n}\n", nil},
		{"nothing to list", ".:53 {\n rpz rpz.example.org\n transfer {\n to *\n }\n}\n", []string{"no lookalike directive"}},
		{"nobody to hand it out", ".:53 {\n lookalike\n rpz rpz.example.org\n}\n", []string{"no transfer directive"}},
		{"a mistake", ".:53 {\n lookalike\n rpz\n}\n", []string{"rpz needs one zone"}},
		{"without", ".:53 {\n lookalike\n}\n", nil},
	} {
		blocks, err := caddyfile.Parse("Corefile", strings.NewReader(tc.corefile), nil)
		if err != nil {
			t.Fatal(err)
		}
		errs := Check("Corefile", blocks)
		if len(errs) != len(tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, errs, tc.want)
			continue
		}
		for i, err := range errs {
			if !strings.Contains(err.Error(), tc.want[i]) || !strings.HasPrefix(err.Error(), "Corefile:3") && !strings.HasPrefix(err.Error(), "Corefile:2") {
				t.Errorf("%s: %v, want %q", tc.name, err, tc.want[i])
			}
		}
	}
}
