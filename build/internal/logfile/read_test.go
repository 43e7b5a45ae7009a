package logfile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// told is a format for the tests: "to ADDRESS" is an event, "idle" tells
// nothing.
type told struct{ prefix string }

func (p told) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	text := string(l.Text)
	switch to, ok := strings.CutPrefix(text, p.prefix+" "); {
	case ok:
		emit(&event.Event{Recipient: to, Time: l.Time, Guessed: l.Guessed(), Count: l.Repeated, File: l.File, Line: l.Number})
		return event.Used
	case text == "idle":
		return event.Passed
	}
	return event.Unknown
}

func (p told) Flush(emit func(*event.Event)) {
	emit(&event.Event{Recipient: p.prefix + " flushed"})
}

func format(name string) event.Format {
	return event.Format{
		Name: name,
		New:  func(event.Options) event.Parser { return told{name} },
	}
}

// noLines is a format without lines.
var noLines = event.Format{
	Name:  "binary",
	Magic: func(head []byte) bool { return bytes.HasPrefix(head, []byte("\x00BIN")) },
	Stream: func(r io.Reader, _ event.Options, emit func(*event.Event)) ([]string, error) {
		all, err := io.ReadAll(r)
		emit(&event.Event{Name: fmt.Sprint(len(all))})
		return nil, err
	},
}

func options() Options {
	return Options{
		Options: event.Options{Location: time.UTC, Now: time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC)},
		Formats: []event.Format{format("to"), format("rcpt"), noLines},
	}
}

// write writes a file that was changed at the time modified, and returns its
// path.
func write(t *testing.T, dir, name, contents string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(contents), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
	return path
}

// read returns the recipients that files tell of, with their times where there
// are some.
func read(t *testing.T, o Options, stdin io.Reader, paths ...string) (files []*File, got []string) {
	t.Helper()
	files, err := Read(context.Background(), paths, stdin, o, func(e *event.Event) {
		s := e.Recipient + e.Name
		if !e.Time.IsZero() {
			s = e.Time.Format("2006-01-02 ") + s
		}
		got = append(got, s)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, got
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

// stored returns a gzip file whose text stands behind 15 bytes as it is.
func stored(text string) string {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.NoCompression)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func zstandard(text string) string {
	var b bytes.Buffer
	z, _ := zstd.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func utf16le(text string) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteByte(byte(c))
		b.WriteByte(byte(c >> 8))
	}
	return b.String()
}

// fileRow is a file, what it tells, and what is wrong with it.
type fileRow struct{ name, contents, want, damage string }

// fileRows are files in each encoding, whole and damaged.
func fileRows() []fileRow {
	return []fileRow{
		{"plain", "to a\nto b\n", "a b", ""},
		{"no newline at the end", "to a\nto b", "a b", ""},
		{"empty", "", "", ""},
		{"gzip", gzipped("to a\nto b\n"), "a b", ""},
		{"gzip, concatenated", gzipped("to a\nto") + gzipped(" b\n"), "a b", ""},
		{"gzip, cut off in a line", stored("to a\nto b\n")[:10+5+8], "a", "gzip: the file is cut off"},
		{"gzip, cut off in the header", gzipped("to a\n")[:5], "", "unexpected EOF"},
		{"gzip, then dirt", gzipped("to a\n") + "dirt and dirt", "a", "gzip: invalid header"},
		{"zstd", zstandard("to a\nto b\n"), "a b", ""},
		{"zstd, concatenated", zstandard("to a\nto") + zstandard(" b\n"), "a b", ""},
		{"bzip2", "BZh91AY&SY\xae\x8f\xb2\xc4\x00\x00\x04Q\x80\x00\x10@\x000\x00\x84\x00 \x000\xc0\x04\xa6\x987\x08R\x98]\xc9\x14\xe1BB\xba>\xcb\x10", "a b", ""},
		{"xz, concatenated", "\xfd7zXZ\x00\x00\x01i\x22\xde6\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x06to a\x0ato\x00\x00Fl{\xa5\x00\x01\x1b\x07\x12\xeb\xd4\x17\x90B\x99\x0d\x01\x00\x00\x00\x00\x01YZ\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x02 b\x0a\x00\x004\x08\xa6B\xa3?Q\xb9\x00\x01\x1b\x03\x0b/\xb9\x10\x1f\xb6\xf3}\x01\x00\x00\x00\x00\x04YZ", "a b", ""},
		{"UTF-8 with a BOM", "\ufeffto a\n", "a", ""},
		{"UTF-16 with a BOM", utf16le("\ufeffto a\r\nto b\r\n"), "a b", ""},
		{"UTF-16 without one", utf16le("to a\r\nto bb\r\n"), "a bb", ""},
		{"a format without lines", "\x00BIN...", "7", ""},
		{"a zip archive", "PK\x03\x04", "", "a zip archive: unpack it first"},
		{"a journal", "LPKSHHRH", "", "journalctl -o export"},
	}
}

func TestFiles(t *testing.T) {
	for _, row := range fileRows() {
		t.Run(row.name, func(t *testing.T) {
			files, got := read(t, options(), nil, write(t, t.TempDir(), "log", row.contents))
			got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "flushed") })
			if strings.Join(got, " ") != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if err := files[0].Err; (err != nil) != (row.damage != "") || err != nil && !strings.Contains(err.Error(), row.damage) {
				t.Errorf("Err = %v, want %q", err, row.damage)
			}
		})
	}
}

func TestOrder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "mail.log", "Nov 26 01:00:00 mx a: to e\n")
	write(t, dir, "mail.log.1", "Dec 30 01:00:00 mx a: to b\nJan  2 01:00:00 mx a: to c\nDec 31 23:00:00 mx a: to late\nFeb  2 01:00:00 mx a: to d\n")
	write(t, dir, "old/mail.log.2.gz", gzipped("Feb 29 01:00:00 mx a: to leap\n"))
	write(t, dir, "maillog-20251225", "Dec 24 01:00:00 mx a: to a\n")
	write(t, dir, "notes", "nothing\n")
	write(t, dir, "copy.gz", gzipped(strings.Repeat("Nov 26 01:00:00 mx a: to x\n", 200)))
	write(t, dir, "copy", strings.Repeat("Nov 26 01:00:00 mx a: to x\n", 200))
	files, got := read(t, options(), nil, dir, filepath.Join(dir, "mail.log"))
	seen := 0
	got = slices.DeleteFunc(got, func(s string) bool {
		if strings.HasSuffix(s, " x") {
			seen++
			return true
		}
		return false
	})
	want := "2024-02-29 leap|2025-12-24 a|2025-12-30 b|2026-01-02 c|2025-12-31 late|2026-02-02 d|2026-11-26 e|to flushed"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if seen != 200 {
		t.Errorf("a log beside its compressed copy counts %d times, want 200", seen)
	}
	for _, f := range files {
		if filepath.Base(f.Path) == "notes" && (!f.Found || f.Formats != nil || f.Unknown != 1 || f.First[0].Text != "nothing") {
			t.Errorf("a file that is no log: %+v", f)
		}
	}
}

func TestYearOfTheUser(t *testing.T) {
	o := options()
	o.Year = 2023
	_, got := read(t, o, nil, write(t, t.TempDir(), "log", "Dec 30 01:00:00 mx a: to a\nJan  2 01:00:00 mx a: to b\n"))
	if want := "[2022-12-30 a 2023-01-02 b to flushed]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestStdin(t *testing.T) {
	files, got := read(t, options(), strings.NewReader(gzipped("to a\n")), Stdin)
	if want := "[a to flushed]"; fmt.Sprint(got) != want || files[0].Compression != "gzip" {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFormats(t *testing.T) {
	mixed := strings.Repeat("kernel\n", 200) + "to a\nidle\n" + strings.Repeat("rcpt b\n", 3) + strings.Repeat("kernel\n", 70) + "to c\nrcpt d\n"
	for _, row := range []struct{ name, only, want, formats string }{
		{"found", "", "a b b b c d", "rcpt to"},
		{"named", "to", "a c", "to"},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := options()
			o.Format = row.only
			files, got := read(t, o, nil, write(t, t.TempDir(), "log", mixed))
			got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "flushed") })
			slices.Sort(got)
			f := files[0]
			slices.Sort(f.Formats)
			if strings.Join(got, " ") != row.want || strings.Join(f.Formats, " ") != row.formats {
				t.Errorf("got %q of %q, want %q of %q", got, f.Formats, row.want, row.formats)
			}
			if f.Lines != 277 || f.Used+f.Passed+f.Unknown != f.Lines || f.Used != len(got) || f.Passed != 1 || len(f.First) != 3 || f.First[0].Line != 1 {
				t.Errorf("counts: %+v", f)
			}
		})
	}
}

func TestBadRequests(t *testing.T) {
	o := options()
	o.Format = "odd"
	if _, err := Read(context.Background(), []string{t.TempDir()}, nil, o, nil); err == nil || !strings.Contains(err.Error(), "want one of to, rcpt, binary") {
		t.Errorf("a format that does not exist: %v", err)
	}
	if _, err := Read(context.Background(), []string{"/nonexistent"}, nil, options(), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
	if _, err := Read(context.Background(), []string{t.TempDir()}, nil, options(), nil); err == nil || !strings.Contains(err.Error(), "no file in") {
		t.Errorf("an empty directory: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Read(ctx, []string{write(t, t.TempDir(), "log", "to a\n")}, nil, options(), func(*event.Event) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}

func TestOverlap(t *testing.T) {
	dir := t.TempDir()
	const first, second = "Nov 25 01:00:00 mx a: to a\n", "Nov 25 03:00:00 mx a: to b\n"
	for _, row := range []struct {
		name, a, b string
		want       int
	}{
		{"the same lines, and others", first + first + second, "Nov 25 01:00:00 mx a: to x\n" + first + second, 1},
		{"one after the other", first, second, 0},
		{"another host", first + second, strings.ReplaceAll("Nov 25 00:59:59 mx a: to x\n"+first+second, "mx", "mx2"), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			files, _ := read(t, options(), nil, write(t, dir, "mail.log", row.a), write(t, dir, "syslog", row.b))
			warnings := slices.Concat(files[0].Warnings, files[1].Warnings)
			if len(warnings) != row.want || row.want > 0 && !strings.Contains(warnings[0], "they count twice") {
				t.Errorf("warnings %q, want %d", warnings, row.want)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	o := options()
	var last Progress
	o.Progress = func(p Progress) { last = p }
	dir := t.TempDir()
	a, b := write(t, dir, "a", strings.Repeat("to a\n", 200)), write(t, dir, "b", "to b\n")
	read(t, o, nil, a, b)
	if last.Read != 1005 || last.Size != 1005 || last.Number != 2 || last.Files != 2 {
		t.Errorf("last = %+v, want 1005 bytes of 1005 in file 2 of 2", last)
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", MaxLine+5)
	for _, row := range []struct {
		name, text string
		want       []int // lengths
		long       int
	}{
		{"a long line", "ab\n" + long + "\ncd\n", []int{2, MaxLine, 2}, 1},
		{"a long line at the end", long, []int{MaxLine}, 1},
		{"just as long as can be", long[5:] + "\na\n", []int{MaxLine, 1}, 0},
		{"much longer", long + long + long + "\na", []int{MaxLine, 1}, 1},
		{"empty lines", "\n\n", []int{0, 0}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := NewLines(strings.NewReader(row.text))
			var got []int
			for l.Next() {
				got = append(got, len(l.Text))
			}
			if !slices.Equal(got, row.want) || l.Long != row.long || l.Number != len(got) || l.Err() != nil {
				t.Errorf("lines of %d bytes, %d long, want %d, %d", got, l.Long, row.want, row.long)
			}
		})
	}
}
