package digest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// TestExceptions lists those of a Corefile, the ones that end first.
func TestExceptions(t *testing.T) {
	dir := t.TempDir()
	allow := filepath.Join(dir, "allowed.txt")
	list := "forever.ml\nlater.ml until=2027-11-28\nsoon.ml until=2026-12-02 owner=mail@example.net reason=\"pension payments\"\npast.ml until=2026-11-20\n"
	conf := filepath.Join(dir, "Corefile")
	for file, text := range map[string]string{allow: list, conf: fmt.Sprintf(". {\nlookalike ml {\nprotect army.mil\nallow %s\n}\n}\n", allow)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := lookalike.Load(conf)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Exceptions(file.Policies, now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		got = append(got, fmt.Sprintf("%s %s:%s:%s", e.Name, e.Owner, e.Reason, e.Note))
	}
	want := []string{"past.ml ::has ended", "soon.ml mail@example.net:pension payments:ends within 5 days", "later.ml ::", "forever.ml ::"}
	if !slices.Equal(got, want) {
		t.Errorf("Got %q, want %q", got, want)
	}
}
