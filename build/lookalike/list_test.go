package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

// TestList runs list in a directory with the files of each row. Runs of blanks
// are one in what is wanted.
func TestList(t *testing.T) {
	const (
		own = ".:1053 {\n lookalike {\n  protect army.mil names.txt\n }\n}\n"
		two = ".:1053 {\n lookalike cm co {\n  protect example.com\n }\n lookalike * {\n  protect northwind.com zz.com\n }\n}\n"
	)
	tests := []struct {
		name, corefile, list string // list is ./names.txt
		args                 []string
		status               int
		stdout               string
		stderr               string
	}{
		{"own names", own, "# ours\nnavy.mil\narmy.mil\n*.gov\n", nil, exitNothing,
			"# C:2: protected names, lookalikes under ml\narmy.mil # C:3\nnavy.mil # names.txt:2\n*.gov # names.txt:4\n", ""},
		{"weak ones", own, "northwind.mil\naf.mil\nmail.mil\ngarden.mil\n*.gov\n", []string{"-weak"}, exitFound,
			"# C:2: weak among the protected names, lookalikes under ml\n" +
				"af.mil # names.txt:2: at most 3 letters of its own: one slip makes another short name of it\n" +
				"mail.mil # names.txt:3: a usual host label: hosts of all kinds carry it\n" +
				"garden.mil # names.txt:4: a dictionary word: honest names contain it, or differ from it by one letter\n" +
				"*.gov # names.txt:5: a whole TLD: every name below the lookalike TLD resembles one below it\n", ""},
		{"no weak ones", own, "northwind.mil\n", []string{"-weak"}, exitNothing,
			"# C:2: weak among the protected names, lookalikes under ml\n", ""},
		{"two directives", two, "", nil, exitNothing,
			"# C:2: protected names, lookalikes under cm and co\nexample.com # C:3\n" +
				"# C:5: protected names, lookalikes under *\nnorthwind.com # C:6\nzz.com # C:6\n", ""},
		{"JSON", own, "af.mil\n", []string{"-format", "json"}, exitNothing,
			`{"name":"army.mil","source":"C:3","directive":"C:2","tlds":["ml"],"weak":"","reason":""}` + "\n" +
				`{"name":"af.mil","source":"names.txt:1","directive":"C:2","tlds":["ml"],"weak":"short","reason":"at most 3 letters of its own: one slip makes another short name of it"}` + "\n", ""},
		{"JSON, weak ones", two, "", []string{"-weak", "-format=json"}, exitFound,
			`{"name":"example.com","source":"C:3","directive":"C:2","tlds":["cm","co"],"weak":"word","reason":"a dictionary word: honest names contain it, or differ from it by one letter"}` + "\n" +
				`{"name":"zz.com","source":"C:6","directive":"C:5","tlds":["*"],"weak":"short","reason":"at most 3 letters of its own: one slip makes another short name of it"}` + "\n", ""},
		{"popular names", own, "gogle.mil\naf.mil\nnorthwind.mil\n", []string{"-weak", "-popular", "popular.txt"}, exitFound,
			"# C:2: weak among the protected names, lookalikes under ml\n" +
				"gogle.mil # names.txt:1: near to a popular name: google.ml raises an alert (typo, medium confidence)\n" +
				"af.mil # names.txt:2: at most 3 letters of its own: one slip makes another short name of it\n", ""},
		{"popular names, JSON", own, "gogle.mil\n", []string{"-weak", "-popular", "popular.txt", "-format", "json"}, exitFound,
			`{"name":"gogle.mil","source":"names.txt:1","directive":"C:2","tlds":["ml"],"weak":"popular",` +
				`"reason":"near to a popular name: google.ml raises an alert (typo, medium confidence)"}` + "\n", ""},
		{"a ranking as it comes", own, "gogle.mil\n", []string{"-weak", "-popular", "ranking.csv"}, exitError, "",
			`flag -popular: ranking.csv:1: "1,google.ml": CSV: write plain names, one per line`},
		{"no popular names", own, "gogle.mil\n", []string{"-weak", "-popular", "none.txt"}, exitError, "", "none.txt: no such file or directory: create the file, or correct the path"},
		{"popular names without -weak", own, "gogle.mil\n", []string{"-popular", "popular.txt"}, exitError, "", "-popular needs -weak"},
		{"broken list", own, "navy..mil\n", nil, exitError, "", "names.txt:1: "},
		{"no list", two + "x {\n lookalike {\n  protect ./none.txt\n }\n}\n", "", nil, exitError, "", "none.txt"},
		{"broken Corefile", ".:1053 {\n lookalike {\n  protcet army.mil\n }\n}\n", "", nil, exitError, "", "C:3: unknown property 'protcet'"},
		{"no directive", ".:1053 {\n whoami\n}\n", "", nil, exitError, "", "no server block has a lookalike directive"},
		{"an argument", own, "navy.mil\n", []string{"army.mil"}, exitError, "", `takes no argument, got "army.mil"`},
		{"a format that there is not", own, "navy.mil\n", []string{"-format", "csv"}, exitError, "", "want text or json"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			tc.corefile = strings.ReplaceAll(tc.corefile, "names.txt", "./names.txt")
			files := map[string]string{
				defaultConf: tc.corefile, "names.txt": tc.list,
				"popular.txt": "# of the week\nexample.com\ngoogle.ml\n", "ranking.csv": "1,google.ml\n",
			}
			for name, contents := range files {
				if err := os.WriteFile(name, []byte(contents), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			status, stdout, stderr := runTool("", append([]string{"list"}, tc.args...)...)
			got := strings.NewReplacer("Corefile:", "C:", "./names.txt", "names.txt").Replace(stdout)
			for strings.Contains(got, "  ") {
				got = strings.ReplaceAll(got, "  ", " ")
			}
			stderr = strings.ReplaceAll(stderr, "Corefile:", "C:")
			if status != tc.status || got != tc.stdout || !strings.Contains(stderr, tc.stderr) || tc.stderr == "" && stderr != "" {
				t.Errorf("Got status %d, output\n%sand errors %q, want %d,\n%sand %q", status, got, stderr, tc.status, tc.stdout, tc.stderr)
			}
		})
	}
}

// TestListBuiltIn lists what is protected without a Corefile, and beside names
// of one's own.
func TestListBuiltIn(t *testing.T) {
	t.Chdir(t.TempDir())
	conf := corefile(t, ".:1053 {\n lookalike {\n  protect zz.mil @mil\n }\n}\n")
	for _, tc := range []struct {
		args        []string
		names       int
		first, last string
	}{
		{nil, len(names.Default()), "", ""},
		{[]string{"-conf", conf}, len(names.Default()) + 1, "zz.mil", conf + ":3"},
	} {
		status, stdout, stderr := runTool("", append([]string{"list", "-format", "json"}, tc.args...)...)
		var got []listedName
		for line := range strings.Lines(stdout) {
			var n listedName
			if err := json.Unmarshal([]byte(line), &n); err != nil {
				t.Fatal(line, err)
			}
			got = append(got, n)
		}
		if status != exitNothing || stderr != "" || len(got) != tc.names {
			t.Errorf("%q: got status %d, %d names and errors %q, want %d names", tc.args, status, len(got), stderr, tc.names)
			continue
		}
		if tc.first != "" {
			if got[0].Name != tc.first || got[0].Source != tc.last {
				t.Errorf("%q: got %+v first, want %s at %s", tc.args, got[0], tc.first, tc.last)
			}
			got = got[1:]
		} else if got[0].Directive != "" {
			t.Errorf("%q: got directive %q without a Corefile", tc.args, got[0].Directive)
		}
		for _, n := range got {
			if n.Source != names.BuiltIn {
				t.Errorf("%q: got %s from %q, want %s", tc.args, n.Name, n.Source, names.BuiltIn)
			}
		}
	}
}

// TestListIsAList: the directive reads what list writes as text.
func TestListIsAList(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	_, want, _ := runTool("", "list")
	if err := os.WriteFile("listed.txt", []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := corefile(t, ".:1053 {\n lookalike {\n  protect "+filepath.Join(dir, "listed.txt")+"\n }\n}\n")
	status, got, stderr := runTool("", "list", "-conf", conf)
	if status != exitNothing || strings.Count(got, "\n") != strings.Count(want, "\n") {
		t.Errorf("Got status %d, %q and %d lines, want %d", status, stderr, strings.Count(got, "\n"), strings.Count(want, "\n"))
	}
}

// TestListLarge lists 100,000 names. Looking each one's place up would read the
// file as many times.
func TestListLarge(t *testing.T) {
	const many = 100_000
	file := filepath.Join(t.TempDir(), "names.txt")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range many {
		fmt.Fprintf(w, "unit-%d-base.mil\n", i)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	conf := corefile(t, ".:1053 {\n lookalike {\n  protect "+file+"\n }\n}\n")
	status, stdout, stderr := runTool("", "list", "-conf", conf)
	last := fmt.Sprintf("# %s:%d\n", file, many)
	if status != exitNothing || strings.Count(stdout, "\n") != many+1 || !strings.HasSuffix(stdout, last) {
		t.Errorf("Got status %d, %d lines and errors %q, want %d lines that end in %q", status, strings.Count(stdout, "\n"), stderr, many+1, last)
	}
}
