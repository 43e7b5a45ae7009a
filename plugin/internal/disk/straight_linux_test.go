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
		path string      // below it, or beside it
		want string      // part of the error; empty: none
	}{
		{"a link of our own", 0o755, "link", ""},
		{"below a link of our own", 0o755, "link/below", ""},
		{"a link that others could have made", 0o777, "link", "link is a symbolic link in a directory that others may write to"},
		{"below such a link", 0o777, "link/below", "link is a symbolic link"},
		{"a link of our own to another one", 0o755, "../own/through", ""},
		{"a link of our own to one that others could have made", 0o777, "../own/through", "link is a symbolic link"},
		{"a relative link of our own to one that others could have made", 0o777, "../own/up", "link is a symbolic link"},
		{"links that go round", 0o777, "../own/round", ""},
		{"a directory beside such a link", 0o777, "real", ""},
		{"nothing", 0o777, "nowhere/at/all", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "shared")
			own := filepath.Join(dir, "..", "own")
			for _, made := range []string{filepath.Join(dir, "real", "below"), own} {
				if err := os.MkdirAll(made, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for link, target := range map[string]string{
				filepath.Join(dir, "link"):    filepath.Join(dir, "real"),
				filepath.Join(own, "through"): filepath.Join(dir, "link", "below"),
				filepath.Join(own, "up"):      "../shared/link",
				filepath.Join(own, "round"):   "round",
			} {
				if err := os.Symlink(target, link); err != nil {
					t.Fatal(err)
				}
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
