package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCreateForOwner says whose the file is that root makes. Others have nothing
// to give away: what they make is theirs.
func TestCreateForOwner(t *testing.T) {
	root := os.Geteuid() == 0
	tests := []struct {
		name  string
		owner int // of the directory
		setUp func(path string) error
		want  string // owner and group of what Open opened, for root
	}{
		{"a directory of the server's user", 65534, func(string) error { return nil }, "65534:65533"},
		{"a directory of root", 0, func(string) error { return nil }, "0:0"},
		{"a file that is there", 65534, func(path string) error { return os.WriteFile(path, nil, 0o600) }, "0:0"},
		{"a link to where nothing is", 65534, func(path string) error { return os.Symlink(path+".elsewhere", path) }, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "alerts.json")
			if err := tc.setUp(path); err != nil {
				t.Fatal(err)
			}
			want := tc.want
			if !root {
				want = fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
			} else if tc.owner != 0 {
				if err := os.Chown(dir, tc.owner, tc.owner-1); err != nil {
					t.Fatal(err)
				}
			}
			if err := CreateForOwner(path); err != nil {
				t.Fatal(err)
			}
			if s, err := Open(path); err == nil {
				s.Close()
			} else if tc.owner != 0 && root { // and nothing is made behind a link
				if _, err := os.Stat(path); !os.IsNotExist(err) || tc.want != "" {
					t.Errorf("Got error %v, want that nothing is made", err)
				}
				return
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			stat := info.Sys().(*syscall.Stat_t)
			if got := fmt.Sprintf("%d:%d", stat.Uid, stat.Gid); got != want {
				t.Errorf("Got a file of %s, want %s", got, want)
			}
		})
	}
}

// TestForeignDirectory says what root, and anybody, does not follow in a directory
// that others may write to.
func TestForeignDirectory(t *testing.T) {
	root := os.Geteuid() == 0
	tests := []struct {
		name  string
		mode  os.FileMode // of the directory
		owner int
		lay   func(target, path string) error
		want  string // part of the error; empty: none
	}{
		{"a link in one's own", 0o755, os.Geteuid(), os.Symlink, ""},
		{"a link where all may write", 0o1777, os.Geteuid(), os.Symlink, "is not followed: name the file that it leads to"},
		{"a second name where all may write", 0o1777, os.Geteuid(), os.Link, "another name elsewhere"},
		{"a second name in one's own", 0o755, os.Geteuid(), os.Link, ""},
		{"a link in another's", 0o755, 65534, os.Symlink, "is not followed"},
		{"a second name in another's", 0o755, 65534, os.Link, "another name elsewhere"},
		{"a file in another's", 0o755, 65534, func(_, path string) error { return os.WriteFile(path, nil, 0o600) }, ""},
		{"none yet in another's", 0o755, 65534, func(string, string) error { return nil }, ""},
	}
	for _, tc := range tests {
		if !root && tc.owner != os.Geteuid() {
			continue // others cannot give a directory away
		}
		t.Run(tc.name, func(t *testing.T) {
			base := t.TempDir()
			dir, target := filepath.Join(base, "dir"), filepath.Join(base, "target")
			path := filepath.Join(dir, "alerts.json")
			const shadow = "{\"root\": 1}"
			if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(target, []byte(shadow), 0o600), tc.lay(target, path), os.Chown(dir, tc.owner, -1)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, tc.mode|tc.mode&0o1000<<11); err != nil {
				t.Fatal(err)
			}
			if err := Check(path); !errors.Is(err, fs.ErrNotExist) && (err == nil) != (tc.want == "") {
				t.Errorf("Check says %v, Open is to say %q", err, tc.want)
			}
			s, err := Open(path)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("Got error %v, want one with %q", err, tc.want)
			}
			if err == nil {
				s.Close()
				return
			}
			if got, err := os.ReadFile(target); string(got) != shadow {
				t.Errorf("Got %q and error %v behind the link, want it untouched", got, err)
			}
		})
	}
}
