package outfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWrite(t *testing.T) {
	fails := errors.New("the disk is full")
	tests := []struct {
		name    string
		before  string // contents; empty: there is no file
		link    bool   // the path is a link to it
		err     error  // of the writer
		want    string // contents afterwards; empty: there is no file
		wantErr error
	}{
		{name: "new", want: "page"},
		{name: "in place of another", before: "old", want: "page"},
		{name: "behind a link", before: "old", link: true, want: "page"},
		{name: "a failure leaves nothing", err: fails, wantErr: fails},
		{name: "a failure leaves the old one", before: "old", err: fails, want: "old", wantErr: fails},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "page.html")
			if tc.before != "" {
				if err := os.WriteFile(path, []byte(tc.before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			given := path
			if tc.link {
				given = filepath.Join(dir, "link.html")
				if err := os.Symlink(path, given); err != nil {
					t.Fatal(err)
				}
			}
			err := Write(given, Private, func(w io.Writer) error {
				if _, err := io.WriteString(w, "page"); err != nil {
					return err
				}
				return tc.err
			})
			if !errors.Is(err, tc.wantErr) {
				t.Errorf("Got error %v, want %v", err, tc.wantErr)
			}
			got, _ := os.ReadFile(path)
			if string(got) != tc.want {
				t.Errorf("Got %q, want %q", got, tc.want)
			}
			if info, err := os.Stat(path); err == nil && tc.wantErr == nil && info.Mode().Perm() != Private {
				t.Errorf("Got mode %v, want %v", info.Mode().Perm(), os.FileMode(Private))
			}
			for _, left := range []string{".page.html.*", ".link.html.*"} {
				if names, _ := filepath.Glob(filepath.Join(dir, left)); len(names) > 0 {
					t.Errorf("Got %v left over", names)
				}
			}
		})
	}
}

func TestApart(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"mail.log", "old.html"} {
		if err := os.WriteFile(name, []byte("lines"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("mail.log", "link.log"); err != nil {
		t.Fatal(err)
	}
	read := []string{"-", "none.log", "mail.log", os.DevNull}
	tests := []struct {
		name, path string
		refused    bool
	}{
		{name: "new", path: "page.html"},
		{name: "in place of what is not read", path: "old.html"},
		{name: "what is read", path: "mail.log", refused: true},
		{name: "the same by another path", path: "./mail.log", refused: true},
		{name: "the same behind a link", path: "link.log", refused: true},
		{name: "a device is never replaced", path: os.DevNull},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if err := Apart(tc.path, read); (err != nil) != tc.refused {
				t.Errorf("Got error %v, want one: %t", err, tc.refused)
			}
		})
	}
}

// TestWriteInPlace: a device stays a device.
func TestWriteInPlace(t *testing.T) {
	if err := Write(os.DevNull, Private, func(w io.Writer) error { _, err := io.WriteString(w, "page"); return err }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("Got %v, error %v", info.Mode(), err)
	}
	none := filepath.Join(t.TempDir(), "none")
	err := Write(filepath.Join(none, "page.html"), Private, func(io.Writer) error { return nil })
	if want := "directory " + none + ": no such file or directory"; !errors.Is(err, os.ErrNotExist) || err.Error() != want {
		t.Errorf("Got error %v, want %s", err, want)
	}
}
