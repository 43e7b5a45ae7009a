package file

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

func batch(lines ...string) []sink.Message {
	all := make([]sink.Message, len(lines))
	for i, l := range lines {
		all[i].Body = []byte(l)
	}
	return all
}

func open(t *testing.T, path string) *Sink {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func send(t *testing.T, s *Sink, lines ...string) {
	t.Helper()
	if n, err := s.Send(t.Context(), batch(lines...)); n != len(lines) || err != nil {
		t.Fatalf("Got %d lines written and error %v, want %d", n, err, len(lines))
	}
}

func content(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("Got %s with %q, want %q", filepath.Base(path), got, want)
	}
}

func TestMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0)) // which may only take more away
	path := filepath.Join(t.TempDir(), "alerts.json")
	open(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o640 {
		t.Errorf("Got mode %v, want -rw-r-----", info.Mode())
	}
}

func TestAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	s := open(t, path)
	send(t, s, "{1}", "{2}")
	send(t, open(t, path), "{3}")
	send(t, s, "{4}")
	content(t, path, "{1}\n{2}\n{3}\n{4}\n")
}

func TestRotation(t *testing.T) {
	tests := []struct {
		name   string
		rotate func(path string) error
		old    string // what the rotated file has in the end
		want   string
	}{
		{"renamed", func(p string) error { return os.Rename(p, p+".1") }, "{1}\n", "{2}\n"},
		{"renamed, another created", func(p string) error {
			return errors.Join(os.Rename(p, p+".1"), os.WriteFile(p, nil, 0o640))
		}, "{1}\n", "{2}\n"},
		{"removed", os.Remove, "", "{2}\n"},
		{"truncated", func(p string) error { return os.Truncate(p, 0) }, "", "{2}\n"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "alerts.json")
			s := open(t, path)
			send(t, s, "{1}")
			if err := tc.rotate(path); err != nil {
				t.Fatal(err)
			}
			send(t, s, "{2}")
			content(t, path, tc.want)
			if tc.old != "" {
				content(t, path+".1", tc.old)
			}
		})
	}
}

// TestDirectoryAway holds that a directory that goes and comes costs no line.
func TestDirectoryAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "alerts.json")
	s := open(t, path)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Send(t.Context(), batch("{1}")); n != 0 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Got %d lines and error %v, want none and that the directory is away", n, err)
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	send(t, s, "{1}")
	content(t, path, "{1}\n")
}

const (
	ourJSON = `{"@timestamp":"","observer":{"product":"coredns-lookalike"}}` + "\n"
	ourCEF  = "CEF:0|lookalike|coredns-lookalike|1|tld-swap|x|8|\n"
)

// TestCrash holds what becomes of a line that a crash left unfinished.
func TestCrash(t *testing.T) {
	tests := []struct{ name, before, after string }{
		{"whole", "{1}\n", "{1}\n{9}\n"},
		{"empty", "", "{9}\n"},
		{"torn", ourJSON + "{\"@time", ourJSON + "{9}\n"},
		{"torn behind the product", `{"p":"coredns-lookalike","x`, "{9}\n"},
		{"torn CEF", ourCEF + "CE", ourCEF + "{9}\n"},
		{"torn LEEF", "LEEF:2.0|lookalike|coredns-lookalike|1|\nLEEF:2.0|look", "LEEF:2.0|lookalike|coredns-lookalike|1|\n{9}\n"},
		{"torn structured data", "[lookalike@32473 a=\"b\"][origin software=\"coredns-lookalike\"] x\n[lookalike@", "[lookalike@32473 a=\"b\"][origin software=\"coredns-lookalike\"] x\n{9}\n"},
		{"torn, of whom is not known", "{", "{\n{9}\n"},
		{"another's JSON", "{1}\n{\"secret\": 1}", "{1}\n{\"secret\": 1}\n{9}\n"},
		{"another's CEF", "CEF:0|other|product|1|a", "CEF:0|other|product|1|a\n{9}\n"},
		{"a note behind ours", ourJSON + "# keep", ourJSON + "# keep\n{9}\n"},
		{"a note about us, and JSON", "# of coredns-lookalike\n{\"a\":1}", "# of coredns-lookalike\n{\"a\":1}\n{9}\n"},
		{"none of ours", "# notes", "# notes\n{9}\n"},
		{"none of ours, long", strings.Repeat("x", longestTail+7), strings.Repeat("x", longestTail+7) + "\n{9}\n"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "alerts.json")
			if err := os.WriteFile(path, []byte(tc.before), 0o600); err != nil {
				t.Fatal(err)
			}
			send(t, open(t, path), "{9}")
			content(t, path, tc.after)
		})
	}
}

func TestLines(t *testing.T) {
	tests := []struct{ written, n, whole int }{
		{0, 0, 0}, {3, 0, 0}, {4, 1, 4}, {9, 1, 4}, {10, 2, 10}, {13, 2, 10}, {14, 3, 14},
	}
	for _, tc := range tests {
		if n, whole := lines(batch("{1}", "{222}", "{3}"), tc.written); n != tc.n || whole != tc.whole {
			t.Errorf("Got %d lines, %d bytes of %d written, want %d and %d", n, whole, tc.written, tc.n, tc.whole)
		}
	}
}

// TestFull fills a file system that holds next to nothing: whole lines stay,
// no torn one does, and the rest is written when there is space again.
func TestFull(t *testing.T) {
	dir := sinktest.SmallDisk(t, "64k")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 32<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "alerts.json")
	s := open(t, path)
	line := "{" + strings.Repeat("x", 998) + "}"
	todo := make([]string, 0, 50)
	for range 50 {
		todo = append(todo, line)
	}
	n, err := s.Send(t.Context(), batch(todo...))
	if !errors.Is(err, syscall.ENOSPC) || n == 0 || n == len(todo) {
		t.Fatalf("Got %d lines and error %v, want some and a full disk", n, err)
	}
	content(t, path, strings.Repeat(line+"\n", n))
	if m, err := s.Send(t.Context(), batch(todo[n:]...)); err == nil {
		t.Errorf("Got %d lines more on a full disk", m)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	send(t, s, todo[len(got)/len(line+"\n"):]...)
	content(t, path, strings.Repeat(line+"\n", len(todo)))
}

// TestReadOnly begins on a disk that cannot be written, as after a failure of it:
// DNS starts, and what waits is written when the disk can be.
func TestReadOnly(t *testing.T) {
	dir := sinktest.SmallDisk(t, "64k")
	remount := func(flags uintptr) {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "alerts.json")
	opener, err := Parse(sink.Address{Target: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	remount(syscall.MS_RDONLY)
	s, err := opener(sink.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Send(t.Context(), batch("{}")); n != 0 || !errors.Is(err, syscall.EROFS) {
		t.Errorf("Got %d lines and error %v, want none", n, err)
	}
	remount(0)
	if n, err := s.Send(t.Context(), batch("{}")); n != 1 || err != nil {
		t.Errorf("Got %d lines and error %v on a disk that can be written again", n, err)
	}
	content(t, path, "{}\n")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	socket, pipe := filepath.Join(dir, "socket"), filepath.Join(dir, "pipe")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink(os.DevNull, filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"no directory", filepath.Join(dir, "none", "alerts.json"), "the directory " + filepath.Join(dir, "none") + " must exist"},
		{"a directory", dir, "is a directory"},
		{"a device", os.DevNull, "this is a device: write stdout"},
		{"a link to a device", filepath.Join(dir, "link"), "this is a device"},
		{"standard output", "/dev/stdout", "write stdout"},
		{"standard output, otherwise", "/dev/fd/1", "write stdout"},
		{"a socket", socket, "write syslog://" + socket},
		{"a pipe that nobody reads", pipe, "this is a pipe"},
		{"a log that is not there", "/dev/log-of-nobody", "files do not belong in /dev: write syslog:///dev/log-of-nobody"},
		{"a device that is not there", "/dev/../dev/nothing", "files do not belong in /dev: write stdout"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Open(tc.path); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.path) {
				t.Errorf("Got error %v, want one with %q and the path", err, tc.want)
			}
		})
	}
}

// TestLook holds that a file that is deleted is let go of, and made again, before
// there is another alert.
func TestLook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	s := open(t, path)
	send(t, s, "{1}")
	old, err := s.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	s.Look()
	if same, err := s.file.Stat(); err != nil || !os.SameFile(old, same) {
		t.Errorf("Got another file and error %v, though nothing has changed", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s.Look()
	content(t, path, "")
	send(t, s, "{2}")
	content(t, path, "{2}\n")
}
