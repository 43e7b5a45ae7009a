package names

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSpec(t *testing.T) {
	file := write(t, "list.txt", "navy.mil\narmy.mil\nus.af.mil # the mail domain\n")
	var s Spec
	if !s.Empty() {
		t.Error("A new Spec is not empty")
	}
	for i, text := range []string{"Army.MIL", file, "bücher.example", file, "army.mil."} {
		if err := s.Add(text, "Corefile:"+string(rune('1'+i))); err != nil {
			t.Fatal(err)
		}
	}
	if s.Empty() {
		t.Error("The Spec is empty")
	}
	if got := s.Files(); !slices.Equal(got, []string{file}) {
		t.Errorf("Files %q, want %q once", got, file)
	}
	want := []string{"army.mil", "navy.mil", "us.af.mil", "xn--bcher-kva.example"}
	got, err := s.Load()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Load() = %q, %v, want %q", got, err, want)
	}
	for name, want := range map[string]string{
		"army.mil":              "Corefile:1",
		"navy.mil":              file + ":1",
		"us.af.mil":             file + ":3",
		"xn--bcher-kva.example": "Corefile:3",
		"uscg.mil":              "",
		"":                      "",
	} {
		if got := s.Where(name); got != want {
			t.Errorf("Where(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSpecRoot(t *testing.T) {
	file := write(t, "list.txt", "army.mil\n")
	s := Spec{Root: filepath.Dir(file)}
	if err := s.Add("./list.txt", "Corefile:1"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(); err != nil || !slices.Equal(got, []string{"army.mil"}) {
		t.Errorf("Load() = %q, %v", got, err)
	}
	if err := s.Add("list.txt", "Corefile:2"); err == nil || !strings.Contains(err.Error(), "a file of that name exists") {
		t.Errorf("Error %v, want that the file exists", err)
	}
}

func TestSpecAddError(t *testing.T) {
	t.Chdir(t.TempDir())
	overwrite(t, "army.mil", "x")
	overwrite(t, "protected", "x")
	overwrite(t, "mil", "x")
	must(t, os.Mkdir("gov", 0o700))
	tests := []struct{ text, want string }{
		{"protect.txt", `Corefile:7: "protect.txt": looks like a file, and .txt is not a TLD: write ./protect.txt to mean the file`},
		{"names.list", "write ./names.list"},
		{"names.LST", "write ./names.LST"},
		{"lookalike.conf", "write ./lookalike.conf"},
		{"names.csv", "write ./names.csv"},
		{"my.hosts", "write ./my.hosts"},
		{"army.mil", `"army.mil": a file of that name exists: write ./army.mil to mean the file, or army.mil. with a trailing dot`},
		{"protected", "write ./protected"},
		{"*.army.mil", `Corefile:7: "*.army.mil": wildcard`},
		{"https://army.mil/", "the domain name alone"},
		{"a\x00b", `Corefile:7: "a\x00b": character`},
		{"", "not a name"},
		{"mil", `Corefile:7: "mil": a file of that name`},
		{"navy", `Corefile:7: "navy": no dot: write navy.mil, or *.mil for every name under .mil`},
		{"@gov", `Corefile:7: "@gov": no built-in list: the only one is @mil`},
		{"bob@army.mil", "a mail address"},
	}
	for _, tc := range tests {
		t.Run(tc.text, func(t *testing.T) {
			var s Spec
			err := s.Add(tc.text, "Corefile:7")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Add(%q): %v, want %q", tc.text, err, tc.want)
			}
			if !s.Empty() {
				t.Errorf("Add(%q) added something", tc.text)
			}
		})
	}
	for _, text := range []string{"army.mil.", "*.mil", "navy.mil", "example.md", "list.example", "txt.mil", "*.gov"} {
		if err := new(Spec).Add(text, "Corefile:7"); err != nil {
			t.Errorf("Add(%q): %v, want none", text, err)
		}
	}
}

func TestSpecLoadError(t *testing.T) {
	dir := t.TempDir()
	broken := write(t, "broken.txt", "army.mil\nus army\n")
	empty := write(t, "empty.txt", "")
	tests := []struct{ text, want string }{
		{filepath.Join(dir, "none"), "Corefile:3: stat " + filepath.Join(dir, "none") + ": no such file"},
		{dir, "Corefile:3: " + dir + ": a directory"},
		{broken, "Corefile:3: " + broken + `:2: "us army": more than one word`},
		{empty, "Corefile:3: " + empty + ": has no names"},
	}
	for _, tc := range tests {
		s := new(Spec)
		for _, text := range []string{"army.mil", tc.text} {
			if err := s.Add(text, "Corefile:3"); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Load()
		if err == nil || got != nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Load() = %q, %v, want %q", got, err, tc.want)
		}
	}
}

// TestSpecBuiltIn: @mil is the built-in list, beside names of one's own.
func TestSpecBuiltIn(t *testing.T) {
	var s Spec
	for i, text := range []string{"example.com", "@mil", "army.mil"} {
		must(t, s.Add(text, "Corefile:"+string(rune('1'+i))))
	}
	want := append([]string{"example.com"}, Default()...)
	if got, err := s.Load(); err != nil || !slices.Equal(got, want) {
		t.Errorf("Load() = %q, %v, want %q", got, err, want)
	}
	if got := s.Where("navy.mil"); got != "Corefile:2: @mil" {
		t.Errorf("navy.mil is given at %q", got)
	}
	allow := Spec{Exceptions: true}
	if err := allow.Add("@mil", "Corefile:4"); err == nil || !strings.Contains(err.Error(), "write it after protect") {
		t.Errorf("Allowed with %v", err)
	}
}

// TestSpecEmpty: no exceptions are in order, nothing to protect is an error.
func TestSpecEmpty(t *testing.T) {
	link := filepath.Join(t.TempDir(), "null")
	must(t, os.Symlink(os.DevNull, link))
	for name, file := range map[string]string{
		"empty":               write(t, "empty.txt", ""),
		"comments only":       write(t, "comments.txt", "# navy.ml, until May\n\n"),
		"byte order mark":     write(t, "bom.txt", "\ufeff"),
		"null device":         os.DevNull,
		"link to null device": link,
	} {
		for _, names := range [][]string{nil, {"army.ml"}} {
			for _, exceptions := range []bool{true, false} {
				s := Spec{Exceptions: exceptions}
				must(t, s.Add(file, "Corefile:3"))
				if names != nil {
					must(t, s.Add(write(t, "names.txt", "army.ml\n"), "Corefile:3"))
				}
				got, err := s.Load()
				if exceptions && (err != nil || !slices.Equal(got, names)) || !exceptions && err == nil {
					t.Errorf("%s, exceptions %t: %q, %v", name, exceptions, got, err)
				}
			}
		}
	}
}

// TestSpecRest waits for a file that has just been written, and not for others.
func TestSpecRest(t *testing.T) {
	for _, tc := range []struct {
		name  string
		age   time.Duration
		limit time.Duration
		waits bool
	}{
		{"old", time.Hour, time.Minute, false},
		{"of the future", -time.Hour, time.Minute, false},
		{"fresh", 0, time.Minute, true},
		{"fresh, no time", 0, 0, false},
	} {
		file := write(t, "list.txt", "army.mil\n")
		written := time.Now().Add(-tc.age)
		must(t, os.Chtimes(file, written, written))
		var s Spec
		must(t, s.Add(file, "Corefile:1"))
		must(t, s.Add(filepath.Join(filepath.Dir(file), "none"), "Corefile:1"))
		began := time.Now()
		s.Rest(tc.limit)
		if took := time.Since(began); took > 500*time.Millisecond != tc.waits {
			t.Errorf("%s: waited %v", tc.name, took)
		}
	}
}

func TestSpecWalk(t *testing.T) {
	one := write(t, "one.txt", "# ours\nnavy.mil\narmy.mil # again\n\n*.gov\n")
	two := write(t, "two.txt", "navy.mil\nuscg.mil\n")
	broken := write(t, "broken.txt", "dla.mil\nnav..mil\n")
	for _, tc := range []struct {
		name    string
		args    []string
		want    []string
		wantErr string
	}{
		{"none", nil, nil, ""},
		{"names and files", []string{"army.mil", one, two}, []string{
			"army.mil Corefile:1", "navy.mil " + one + ":2", "gov " + one + ":5", "uscg.mil " + two + ":2"}, ""},
		{"a broken file", []string{"army.mil", broken}, []string{"army.mil Corefile:1", "dla.mil " + broken + ":1"}, broken + ":2: "},
	} {
		var s Spec
		for i, arg := range tc.args {
			must(t, s.Add(arg, "Corefile:"+strconv.Itoa(i+1)))
		}
		var got []string
		err := s.Walk(func(name, where string) { got = append(got, name+" "+where) })
		if !slices.Equal(got, tc.want) || (err != nil) != (tc.wantErr != "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
			t.Errorf("%s: got %q and %v, want %q and %q", tc.name, got, err, tc.want, tc.wantErr)
		}
	}
	var s Spec
	must(t, s.Add("@mil", "Corefile:1"))
	got := 0
	must(t, s.Walk(func(_, where string) {
		if got++; where != BuiltIn {
			t.Errorf("@mil: got %q, want %q", where, BuiltIn)
		}
	}))
	if got != len(Default()) || !s.HasBuiltIn() {
		t.Errorf("@mil: got %d names, want %d", got, len(Default()))
	}
}

func TestWalkFile(t *testing.T) {
	list := write(t, "list.txt", "# popular\nexample.com\n\nMünchen.example\nexample.com\n")
	broken := write(t, "broken.txt", "example.com\n2,example.org\n")
	for _, tc := range []struct {
		name, path string
		want       []string
		wantErr    string
	}{
		{"names", list, []string{"example.com " + list + ":2", "xn--mnchen-3ya.example " + list + ":4"}, ""},
		{"a broken line", broken, []string{"example.com " + broken + ":1"}, broken + `:2: "2,example.org": CSV: write plain names, one per line`},
		{"no names", write(t, "empty.txt", "# none\n"), nil, "empty.txt: has no names"},
		{"no file", list + ".gz", nil, list + ".gz: no such file"},
	} {
		var got []string
		err := WalkFile(tc.path, func(name, where string) { got = append(got, name+" "+where) })
		if !slices.Equal(got, tc.want) || (err != nil) != (tc.wantErr != "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
			t.Errorf("%s: got %q and %v, want %q and %q", tc.name, got, err, tc.want, tc.wantErr)
		}
	}
}
