package disk

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStraight(t *testing.T) {
	tests := []struct {
		name string
		mode os.FileMode // of the directory that has the link
		path string      // below it
		want string      // part of the error; empty: none
	}{
		{"a link of our own", 0o755, "link", ""},
		{"below a link of our own", 0o755, "link/below", ""},
		{"a link that others could have made", 0o777, "link", "link is a symbolic link in a directory that others may write to"},
		{"below such a link", 0o777, "link/below", "link is a symbolic link"},
		{"a directory beside such a link", 0o777, "real", ""},
		{"nothing", 0o777, "nowhere/at/all", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "shared")
			if err := os.MkdirAll(filepath.Join(dir, "real", "below"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, tc.mode); err != nil {
				t.Fatal(err)
			}
			err := Straight(filepath.Join(dir, tc.path))
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("Got error %v, want %q", err, tc.want)
			}
		})
	}
}
