package file

import (
	"fmt"
	"os"
	"path/filepath"
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
		{"a link to where nothing is", 65534, func(path string) error { return os.Symlink(path+".elsewhere", path) }, "0:0"},
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
			open(t, path)
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
