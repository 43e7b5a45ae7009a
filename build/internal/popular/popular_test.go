package popular

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// TestNear has a directive and popular names in each row. Wanted are the weak
// names, each with its neighbour, class and confidence.
func TestNear(t *testing.T) {
	tests := []struct{ name, directive, popular, want string }{
		{"a typo of a protected name", "lookalike {\n protect gogle.mil northwind.mil\n }", "google.ml",
			"gogle.mil google.ml typo medium"},
		{"the most popular one", "lookalike {\n protect northwind.mil\n }", "nortwhind.ml northwindd.ml",
			"northwind.mil nortwhind.ml typo high"},
		{"two protected names", "lookalike {\n protect northwind.mil northwind.gov\n }", "nortwhind.ml",
			"northwind.gov nortwhind.ml typo high, northwind.mil nortwhind.ml typo high"},
		{"under another TLD", "lookalike {\n protect northwind.mil\n }", "nortwhind.com", ""},
		{"under any TLD", "lookalike * {\n protect northwind.mil\n }", "nortwhind.com",
			"northwind.mil nortwhind.com typo medium"},
		{"the protected name itself", "lookalike com {\n protect northwind.com\n }", "northwind.com www.northwind.com", ""},
		{"allowed", "lookalike {\n protect northwind.mil\n allow nortwhind.ml\n }", "nortwhind.ml", ""},
		{"allowed, another one is not", "lookalike {\n protect northwind.mil\n allow nortwhind.ml\n }", "nortwhind.ml northwindd.ml",
			"northwind.mil northwindd.ml typo high"},
		{"action off", "lookalike {\n protect northwind.mil\n action typo off\n }", "nortwhind.ml", ""},
		{"a whole TLD", "lookalike {\n protect *.mil\n }", "nortwhind.ml", ""},
		{"nothing popular", "lookalike {\n protect northwind.mil\n }", "", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "Corefile")
			text := ".:1053 {\n " + tc.directive + "\n}\n"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			corefile, err := lookalike.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			near := Names(strings.Fields(tc.popular)).Near(corefile.Policies[0])
			var got []string
			for _, protected := range slices.Sorted(maps.Keys(near)) {
				n := near[protected]
				got = append(got, strings.Join([]string{protected, n.Name, n.Class.String(), n.Confidence.String()}, " "))
			}
			if strings.Join(got, ", ") != tc.want {
				t.Errorf("Got %q, want %q", got, tc.want)
			}
		})
	}
}
