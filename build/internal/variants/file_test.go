package variants

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCreate: only a run that is resumed looks at what is there.
func TestCreate(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old.csv")
	if err := os.WriteFile(old, []byte("no output of variants\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{old, "/dev/full", os.DevNull} {
		t.Run(path, func(t *testing.T) {
			out, err := Create(path, false)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			if out.After != "" {
				t.Errorf("Got After %q, want none", out.After)
			}
		})
	}
	if info, err := os.Stat(old); err != nil || info.Size() != 0 {
		t.Errorf("Got size %d, error %v, want an empty file", info.Size(), err)
	}
}
