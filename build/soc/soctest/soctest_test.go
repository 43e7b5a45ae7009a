package soctest

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

// TestSample holds that the sample has every field that the code writes: else
// content could not be tested with it.
func TestSample(t *testing.T) {
	tests := []struct {
		format string
		parse  func(string) ([]Record, error)
		sample []Record
	}{
		{"ecs", ParseECS, ECS()},
		{"cef", ParseCEF, CEF()},
	}
	for _, tc := range tests {
		t.Run(tc.format, func(t *testing.T) {
			f, err := format.Parse(tc.format)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, r := range recordtest.EveryPhase() {
				text.Write(f.Append(nil, r))
				text.WriteByte('\n')
			}
			all, err := tc.parse(text.String())
			if err != nil {
				t.Fatal(err)
			}
			paths := Paths(tc.sample)
			for _, path := range Paths(all) {
				if !slices.Contains(paths, path) {
					t.Errorf("No record of the sample has %s: make them anew with TestSOCSample in test/", path)
				}
			}
		})
	}
}

func TestCondition(t *testing.T) {
	tests := []struct {
		text  string
		want  bool
		wrong string
	}{
		{"yes", true, ""},
		{"no", false, ""},
		{"not no", true, ""},
		{"yes no", false, ""},
		{"yes not no", true, ""},
		{"no and no or yes", true, ""},
		{"no and (no or yes)", false, ""},
		{"NOT (yes AND no) OR no", true, ""},
		{"yes or no and no", true, ""},
		{"not not\n\tyes", true, ""},
		{"android", false, "unknown"},
		{"", false, "want a term"},
		{"(yes", false, "want )"},
		{"yes)", false, "want nothing more"},
		{"yes and", false, "want a term"},
		{"and yes", false, "want a term"},
	}
	for _, tc := range tests {
		got, err := Condition(tc.text, regexp.MustCompile(`^\w+`), func(leaf string) (bool, error) {
			if leaf != "yes" && leaf != "no" {
				return false, errors.New("unknown")
			}
			return leaf == "yes", nil
		})
		switch {
		case tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)):
			t.Errorf("Condition(%q): got error %v, want %q", tc.text, err, tc.wrong)
		case tc.wrong == "" && (err != nil || got != tc.want):
			t.Errorf("Condition(%q) = %v, %v, want %v", tc.text, got, err, tc.want)
		}
	}
}

func TestMatches(t *testing.T) {
	r := Record{"name": {"mx.army.ml", "army.ml"}}
	for pattern, want := range map[string]bool{"army.ml": true, "ARMY.ml": true, "*.army.ml": true, "army?ml": false, "armyxml": false, "*": true, "": false} {
		if got := r.Matches("name", pattern); got != want {
			t.Errorf("Matches(%q) = %v, want %v", pattern, got, want)
		}
	}
	if r.Matches("other", "*") {
		t.Error("A field that the record lacks matches")
	}
}

func TestParseCEF(t *testing.T) {
	tests := []struct{ line, key, want string }{
		{"CEF:0|v|p|1|army|Name here|8|src=192.0.2.1 msg=two words, a\\=b c", "msg", `two words, a\=b c`},
		{"CEF:0|v|p|1|army|Name here|8|src=192.0.2.1 msg=x", "src", "192.0.2.1"},
		{"CEF:0|v|p|1|army|Name here|8|src=192.0.2.1", "Name", "Name here"},
		{"CEF:0|v|p|1|army|8|src=192.0.2.1", "", ""},
		{"CEF:0|v|p|1|army|Name|8|words src=1", "", ""},
	}
	for _, tc := range tests {
		got, err := ParseCEF(tc.line)
		if tc.key == "" && err == nil || tc.key != "" && (err != nil || !got[0].Has(tc.key, tc.want)) {
			t.Errorf("ParseCEF(%q) = %v, %v, want %s=%q", tc.line, got, err, tc.key, tc.want)
		}
	}
}

// TestFieldsDocumented holds that the README describes each field of ours, and no
// other.
func TestFieldsDocumented(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## The fields of a record\n")
	table, _, _ = strings.Cut(table, "\n## ")
	documented := make(map[string]bool)
	for _, name := range regexp.MustCompile("`(lookalike\\.[a-z_.]+)`").FindAllStringSubmatch(table, -1) {
		if documented[name[1]] {
			t.Errorf("%s is described twice", name[1])
		}
		documented[name[1]] = true
	}
	for _, path := range Paths(ECS()) {
		if strings.HasPrefix(path, "lookalike.") && !documented[path] {
			t.Errorf("%s is not described", path)
		}
		delete(documented, path)
	}
	for path := range documented {
		t.Errorf("%s is described, and no record of the sample has it", path)
	}
}

// TestRulesDocumented holds that the README has a row for each situation.
func TestRulesDocumented(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Situations() {
		if strings.Count(string(text), "\n| `"+name+"` | ") != 1 {
			t.Errorf("Want one row about %s in the table of rules", name)
		}
	}
}
