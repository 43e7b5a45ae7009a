package environment

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestVariables(t *testing.T) {
	t.Setenv("ONE", "1")
	t.Setenv("TWO", "1 2")
	t.Setenv("BLANK", " ")
	const unset, several = " is not set here and stands for an empty word: set it as for the server, or write the value",
		" has several words here, but a variable is one word: write them in the Corefile, or in a file that it imports"
	tests := []struct {
		corefile string
		want     []string
	}{
		{"", nil},
		{". {\n bind {$ONE} {%ONE%}\n}", nil},
		{"x {$NONE} # {$TWO}\n# {$TWO}", []string{"C:1: {$NONE}" + unset}},
		{"\nx {%TWO%} y{$NONE}\n", []string{"C:2: {%TWO%}" + several, "C:2: {$NONE}" + unset}},
		{"x {$BLANK}", []string{"C:1: {$BLANK}" + unset}},
		{"x a#{$TWO}", []string{"C:1: {$TWO}" + several}},
		{"x {$} {%%} {$ONE {ONE}", nil},
	}
	for _, tc := range tests {
		if got := Variables("C", []byte(tc.corefile)); !slices.Equal(got, tc.want) {
			t.Errorf("%q: got %q, want %q", tc.corefile, got, tc.want)
		}
	}
}

func TestImports(t *testing.T) {
	dir := t.TempDir()
	for name, contents := range map[string]string{"full": "lookalike\n", "empty": "", "comments": " \n# nothing\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		corefile string
		want     []string
	}{
		{"import full # all", nil},
		{"import " + dir + "/full", nil},
		{"(empty) {\n}\n. {\n import empty\n}", nil},
		{"import none", nil}, // which the parser refuses
		{"import empty", []string{"DIR/C:1: the imported file DIR/empty is empty: put back what it had, or remove the line"}},
		{"\n import comments", []string{"DIR/C:2: the imported file DIR/comments is empty: put back what it had, or remove the line"}},
		{"import *l", nil},
		{"import none*", []string{"DIR/C:1: import none*: there is no such file: put it there, or remove the line"}},
	}
	for _, tc := range tests {
		var got []string
		for _, w := range Imports(filepath.Join(dir, "C"), []byte(tc.corefile)) {
			got = append(got, strings.ReplaceAll(w, dir, "DIR"))
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%q: got %q, want %q", tc.corefile, got, tc.want)
		}
	}
}
