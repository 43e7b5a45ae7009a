package names

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lookalike-dns/lookalike/test/proof"
)

func TestReadFile(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"one a line", "army.mil\nnavy.mil\n", []string{"army.mil", "navy.mil"}},
		{"no newline at the end", "army.mil\nnavy.mil", []string{"army.mil", "navy.mil"}},
		{"no newline at the end, one name", "army.internal", []string{"army.internal"}},
		{"no newline at the end, a TLD of one's own", "army.internal\nnavy.internal", []string{"army.internal", "navy.internal"}},
		{"comments", "# ours\narmy.mil # and below\nnavy.mil# glued\n#", []string{"army.mil", "navy.mil"}},
		{"blank lines and blanks", "\n \t\n  army.mil \t\n\n\tnavy.mil\n", []string{"army.mil", "navy.mil"}},
		{"CRLF", "army.mil\r\nnavy.mil\r\n", []string{"army.mil", "navy.mil"}},
		{"byte order mark", "\ufeffarmy.mil\n", []string{"army.mil"}},
		{"byte order mark and comment", "\ufeff# ours\narmy.mil\n", []string{"army.mil"}},
		{"upper case, trailing dots", "ARMY.mil.\nNavy.Mil\n", []string{"army.mil", "navy.mil"}},
		{"U-labels", "bücher.example\n", []string{"xn--bcher-kva.example"}},
		{"duplicates, first place kept", "b.mil\na.mil\nB.mil.\na.mil\n", []string{"b.mil", "a.mil"}},
		{"whole TLD", "*.mil\narmy.gov\n", []string{"mil", "army.gov"}},
		{"many number signs", "## ours ##\narmy.mil ## below\nnavy.mil #@# x\n", []string{"army.mil", "navy.mil"}},
		{"names below others", "us.army.mil\narmy.mil\n", []string{"us.army.mil", "army.mil"}},
		{"long comment", "army.mil #" + strings.Repeat("x", maxLine-12) + "\n", []string{"army.mil"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var l list
			if err := l.readFile(write(t, "list.txt", tc.text)); err != nil || !slices.Equal(l.names, tc.want) {
				t.Errorf("Names %q, error %v, want %q", l.names, err, tc.want)
			}
		})
	}
}

func TestReadFileError(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // parts of the message, FILE is the path
	}{
		{"empty", "", []string{"FILE: has no names: write one per line"}},
		{"comments only", "# nothing yet\n\n", []string{"FILE: has no names"}},
		{"broken line", "army.mil\n\n*.navy.mil # all\n", []string{`FILE:3: "*.navy.mil": wildcard`}},
		{"all broken lines", "*.a.b\nb c\n", []string{`FILE:1: "*.a.b": `, `; FILE:2: "b c": `}},
		{"any bytes", "a\x00\x1b[31m\xff\n", []string{`FILE:1: "a\x00\x1b[31m\xff": not UTF-8`}},
		{"long text is shortened", strings.Repeat("a", 300) + "\n", []string{`FILE:1: "` + strings.Repeat("a", 61) + `...": 300 characters`}},
		{"long line", "army.mil\n" + strings.Repeat("a", 100000) + "\n*.b.c\n", []string{
			`FILE:2: "` + strings.Repeat("a", 61) + `...": line longer than 4096 bytes`, `FILE:3: "*.b.c": `,
		}},
		{"long line without end", strings.Repeat("a", 1<<20), []string{"FILE:1: ", "line longer"}},
		{"UTF-16", "\xff\xfea\x00.\x00m\x00", []string{"FILE: UTF-16: save it as UTF-8"}},
		{"half a copy", "army.mil\nnav", []string{`FILE:2: "nav": no dot: write nav.mil, or *.mil`}},
		{"half a copy, cut off behind the dot", "army.mil\nnavy.m", []string{`FILE:2: "navy.m": the file ends within this line, and no other name has this TLD`}},
		{"eight broken lines", "good.mil\n" + strings.Repeat("*\n", 8), []string{"FILE:6: ", "; and 3 more broken lines"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, "list.txt", tc.text)
			err := new(list).readFile(path)
			if err == nil {
				t.Fatal("No error")
			}
			for _, want := range tc.want {
				if want = strings.ReplaceAll(want, "FILE", path); !strings.Contains(err.Error(), want) {
					t.Errorf("Message %q, want it to contain %q", err, want)
				}
			}
			if strings.ContainsAny(err.Error(), "\x00\x1b\n") {
				t.Errorf("Message %q has raw control characters", err)
			}
		})
	}
}

func TestReadFileErrorType(t *testing.T) {
	path := write(t, "list.txt", strings.Repeat("*\n", 8))
	err := new(list).readFile(path)
	var all *ListError
	if !errors.As(err, &all) || all.Total != 8 || len(all.First) != maxErrors {
		t.Errorf("Error %#v, want a ListError of 8 lines, %d in full", err, maxErrors)
	}
	var first *Error
	if !errors.As(err, &first) || first.Where != path+":1" || first.Text != "*" {
		t.Errorf("First error %#v, want that of line 1", first)
	}
}

func TestReadFileUnreadable(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	huge := write(t, "huge", "")
	if err := os.Truncate(huge, maxFile+1); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.txt"), "none.txt: no such file"},
		{"directory", dir, "a directory: name the files in it"},
		{"named pipe", pipe, "not a regular file"},
		{"device", "/dev/zero", "not a regular file"},
		{"null device", os.DevNull, "not a regular file"},
		{"symbolic link to itself", loop, "too many levels of symbolic links"},
		{"huge", huge, "larger than 256 MiB"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			err := new(list).readFile(tc.path)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.path) {
				t.Errorf("Error %v, want %q and the path", err, tc.want)
			}
		})
	}
}

// endless is a list that never ends.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[e.at]
		e.at = (e.at + 1) % len(e.text)
	}
	return len(p), nil
}

func TestReadBounded(t *testing.T) {
	mebibytes := proof.N(1, 16)
	texts := []string{"a", "army.mil\n", "# comment", "*.broken.example\n", "||army.ml^\n", "\n"}
	for _, text := range texts[:proof.N(4, len(texts))] {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		l := list{max: int64(mebibytes) << 20}
		err := l.read(&endless{text: text}, "endless")
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("endless: larger than %d MiB", mebibytes)) {
			t.Errorf("Error %v for endless %q, want that it is too large", err, text)
		}
		if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 1<<20 {
			t.Errorf("%d bytes held after endless %q", held, text)
		}
		runtime.KeepAlive(l)
	}
}

func TestReadFailure(t *testing.T) {
	err := new(list).read(failing{}, "list.txt")
	if !errors.Is(err, syscall.EIO) || !strings.HasPrefix(err.Error(), "list.txt: ") {
		t.Errorf("Error %v, want EIO of list.txt", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, syscall.EIO }

// long is a list of n names.
func long(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "host%d.unit%d.example.mil\n", i, i%1000)
	}
	return b.String()
}

func TestReadMillion(t *testing.T) {
	n := proof.N(100_000, 1_000_000)
	path := write(t, "list.txt", long(n))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var l list
	if err := l.readFile(path); err != nil || len(l.names) != n {
		t.Fatalf("%d names, error %v, want %d", len(l.names), err, n)
	}
	l.slots = nil
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / int64(len(l.names)); held > 80 {
		t.Errorf("%d bytes a name held, want 80 or fewer", held)
	}
	runtime.KeepAlive(l)
}

func BenchmarkReadMillion(b *testing.B) {
	path := write(b, "list.txt", long(1_000_000))
	b.ReportAllocs()
	for b.Loop() {
		var l list
		if err := l.readFile(path); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzRead asserts that any bytes are read without a panic, and that an error
// names the place and is fit for a log.
func FuzzRead(f *testing.F) {
	for _, tc := range foreignLists {
		f.Add([]byte(tc.line + "\n"))
	}
	f.Add([]byte("army.mil\nnavy.mil # both\n"))
	f.Add([]byte("army.mil\nnav"))
	f.Add([]byte("*.mil\n"))
	f.Add([]byte("\xef\xbb\xbfA.mil.\r\n\r\n*.b\n"))
	f.Add([]byte("\xff\xfea\x00\n\x00"))
	f.Add([]byte(strings.Repeat("x", maxLine+1)))
	f.Add([]byte("bücher.example#\n☕\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var l list
		err := l.read(strings.NewReader(string(text)), "list.txt")
		if err == nil && len(l.names) == 0 {
			t.Error("No name and no error")
		}
		exceptions := list{exceptions: new(exceptions)}
		if again := exceptions.read(strings.NewReader(string(text)), "list.txt"); err == nil && (again != nil || !slices.Equal(exceptions.names, l.names)) {
			t.Errorf("As exceptions %q, %v; to protect %q", exceptions.names, again, l.names)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "list.txt:") || strings.ContainsAny(err.Error(), "\x00\n\r\x1b")) {
			t.Errorf("Message %q", err)
		}
	})
}
