package alertlog

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines returns an alert for each minute, in the order given.
func lines(minutes ...int) string {
	var b []byte
	for _, m := range minutes {
		r := recordtest.First()
		r.ID = fmt.Sprintf("minute %d", m)
		r.End = recordtest.Epoch.Add(time.Duration(m) * time.Minute)
		b = append(format.ECS().Append(b, r), '\n')
	}
	return string(b)
}

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.String()
}

func zstandard(t *testing.T, content string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return string(w.EncodeAll([]byte(content), nil))
}

func TestRead(t *testing.T) {
	tests := []struct {
		name     string
		files    []string
		want     string // minutes
		problems string // parts of messages
	}{
		{"nothing", []string{""}, "", ""},
		{"one file", []string{lines(1, 2, 3)}, "1 2 3", ""},
		{"in the order of times", []string{lines(4, 6), lines(1, 2, 5), lines(3)}, "1 2 3 4 5 6", ""},
		{"the order of a file is kept", []string{lines(4, 1), lines(2)}, "2 4 1", ""},
		{"compressed", []string{gzipped(t, lines(1, 3)), zstandard(t, lines(2))}, "1 2 3", ""},
		{"two compressed in one", []string{gzipped(t, lines(1)) + gzipped(t, lines(2))}, "1 2", ""},
		{"damaged", []string{gzipped(t, lines(1))[:300], lines(2)}, "2", "0: gzip: the file is cut off: unexpected EOF"},
		{"xz, whose third line is no alert", []string{"\xfd7zXZ\x00\x00\x01i\x22\xde6\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x0a\x0a\x0ano alert\x0a\x00\x00L\x00\xbc\xa3\x00\x01\x1f\x0b=b\x0ez\x90B\x99\x0d\x01\x00\x00\x00\x00\x01YZ"}, "", "0:3: no alert"},
		{"bzip2, likewise", []string{"BZh91AY&SY\x94\xb6\xfc\x0e\x00\x00\x00\xd1\x80\x00\x10@\x00\x22\x05\x94\x00 \x00\x22\x01\xa7\xa4 \xc9\x88u\x06r\xd0~.\xe4\x8ap\xa1!)m\xf8\x1c"}, "", "0:3: no alert"},
		{"no newline at the end", []string{strings.TrimSuffix(lines(1, 2), "\n")}, "1 2", ""},
		{"blank lines and CRLF", []string{"\n" + strings.ReplaceAll(lines(1, 2), "\n", "\r\n\r\n")}, "1 2", ""},
		{"other lines", []string{"hello\n" + lines(1) + "{}\n" + lines(2)[:40]}, "1", "0:1: no alert, 0:3: no alert, 0:4: no alert"},
		{"a long line", []string{strings.Repeat("x", 2<<20) + "\n" + lines(1)}, "1", "0:1: a line longer than 1048576 bytes"},
		{"UTF-16", []string{"\xff\xfe{\x00\n"}, "", "0: UTF-16: save it as UTF-8"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			var files []string
			for i, content := range tc.files {
				files = append(files, filepath.Join(dir, fmt.Sprint(i)))
				if err := os.WriteFile(files[i], []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var got, problems []string
			current := 0
			o := Options{
				Problem: func(p Problem) { problems = append(problems, strings.TrimPrefix(p.Error(), dir+"/")) },
				Current: func() error { current++; return nil },
			}
			err := Read(t.Context(), files, o, func(r *Record) error {
				got = append(got, strings.TrimPrefix(r.ID, "minute "))
				return nil
			})
			if err != nil || current != 1 {
				t.Errorf("Got error %v, at the end %d times", err, current)
			}
			if g := strings.Join(got, " "); g != tc.want {
				t.Errorf("Got minutes %s, want %s", g, tc.want)
			}
			wanted := strings.Split(tc.problems, ", ")
			if tc.problems == "" {
				wanted = nil
			}
			if len(problems) != len(wanted) {
				t.Fatalf("Got problems %q, want %q", problems, wanted)
			}
			for i, part := range wanted {
				if !strings.HasPrefix(problems[i], part) {
					t.Errorf("Got problem %q, want %q", problems[i], part)
				}
			}
		})
	}
}

// An alert that comes through a pipe is shown before the next one comes.
func TestReadPipe(t *testing.T) {
	r, w := io.Pipe()
	deadline := time.AfterFunc(10*time.Second, func() { w.Close() })
	var written sync.WaitGroup
	written.Go(func() { io.WriteString(w, lines(1)) })
	enough := errors.New("enough")
	err := Read(t.Context(), []string{"-"}, Options{Stdin: r}, func(*Record) error { return enough })
	if inTime := deadline.Stop(); !inTime || !errors.Is(err, enough) {
		t.Errorf("The alert came in time: %t; got error %v", inTime, err)
	}
	r.Close()
	written.Wait()
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	none := filepath.Join(dir, "none")
	broken := filepath.Join(dir, "broken.gz")
	if err := os.WriteFile(broken, []byte("\x1f\x8bno gzip at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "alerts.zip")
	if err := os.WriteFile(archive, []byte("PK\x03\x04"), 0o600); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	tests := []struct {
		name  string
		files []string
		o     Options
		want  string
	}{
		{"no such file", []string{none}, Options{}, "no such file or directory"},
		{"a directory", []string{dir}, Options{}, "is a directory: name the files in it"},
		{"an archive", []string{archive}, Options{}, "a zip archive: unpack it first"},
		{"no gzip", []string{broken}, Options{}, "gzip: invalid header"},
		{"emit ends it", []string{"-"}, Options{Stdin: strings.NewReader(lines(1, 2))}, "enough"},
		{"the end of the files", []string{"-"}, Options{Stdin: strings.NewReader(""), Current: func() error { return enough }}, "enough"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			err := Read(t.Context(), tc.files, tc.o, func(*Record) error { return enough })
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Got error %v, want %q", err, tc.want)
			}
		})
	}
}

// followed is a Read that goes on, and what has come of it.
type followed struct {
	mu  sync.Mutex
	got []string
}

func (f *followed) minutes() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.got, " ")
}

// follow reads files until the test ends.
func follow(t *testing.T, files ...string) *followed {
	t.Helper()
	f := new(followed)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	current := make(chan struct{})
	go func() {
		done <- Read(ctx, files, Options{Follow: true, Current: func() error { close(current); return nil }}, func(r *Record) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.got = append(f.got, strings.TrimPrefix(r.ID, "minute "))
			return nil
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := wait.For(t, "the end of Read", done); !errors.Is(err, context.Canceled) {
			t.Errorf("Got error %v", err)
		}
	})
	wait.For(t, "the ends of the files", current)
	return f
}

func write(t *testing.T, flags int, file, content string) {
	t.Helper()
	f, err := os.OpenFile(file, flags|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// TestFollow does to files what servers and logrotate do, while they are read.
func TestFollow(t *testing.T) {
	rename := func(t *testing.T, from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		do   func(t *testing.T, a, b string) // a has minute 1 and b minute 0
		want string
	}{
		{"grows", func(t *testing.T, a, _ string) {
			t.Helper()
			write(t, os.O_APPEND, a, lines(2))
		}, "0 1 2"},
		{"half a line at first", func(t *testing.T, a, _ string) {
			t.Helper()
			write(t, os.O_APPEND, a, lines(2)[:50])
			time.Sleep(2 * pollEvery)
			write(t, os.O_APPEND, a, lines(2)[50:])
		}, "0 1 2"},
		{"renamed", func(t *testing.T, a, _ string) {
			t.Helper()
			rename(t, a, a+".old")
			write(t, os.O_APPEND, a+".old", lines(2)) // the server has yet to notice
			write(t, os.O_APPEND, a, lines(3))
		}, "0 1 2 3"},
		{"renamed to the other", func(t *testing.T, a, b string) {
			t.Helper()
			rename(t, a, b)
			write(t, os.O_APPEND, a, lines(2))
		}, "0 1 2"},
		{"renamed to the other, twice", func(t *testing.T, a, b string) {
			t.Helper()
			rename(t, a, b)
			write(t, os.O_APPEND, a, lines(2))
			time.Sleep(4 * pollEvery)
			rename(t, a, b)
			write(t, os.O_APPEND, a, lines(3))
		}, "0 1 2 3"},
		{"cut", func(t *testing.T, a, _ string) {
			t.Helper()
			if err := os.Truncate(a, 0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * pollEvery)
			write(t, os.O_APPEND, a, lines(2))
		}, "0 1 2"},
		{"gone for a while", func(t *testing.T, a, _ string) {
			t.Helper()
			os.Remove(a)
			time.Sleep(2 * pollEvery)
			write(t, os.O_APPEND, a, lines(2))
		}, "0 1 2"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a, b := filepath.Join(dir, "alerts.json"), filepath.Join(dir, "alerts.json.1")
			write(t, 0, a, lines(1))
			write(t, 0, b, lines(0))
			f := follow(t, a, b)
			tc.do(t, a, b)
			wait.Until(t, "minutes "+tc.want, func() bool { return len(f.minutes()) >= len(tc.want) })
			time.Sleep(2 * pollEvery) // nothing comes twice
			if got := f.minutes(); got != tc.want {
				t.Errorf("Got minutes %s, want %s", got, tc.want)
			}
		})
	}
}
