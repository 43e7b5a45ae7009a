//go:build e2e

package test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestGenerate runs the generator of the Unicode table again. What it writes
// must be the table that is compiled in, byte for byte: nobody has edited the
// one without the other.
func TestGenerate(t *testing.T) {
	const dir = "../plugin/lookalike/detect"
	table := filepath.Join(t.TempDir(), "unicode_table.go")
	cmd := wait.Command(t, 5*time.Minute, "go", "run", "./internal/genfold", "-o", table)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	got, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, "unicode_table.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("unicode_table.go is not what internal/genfold writes: run go generate in %s; %s", dir, firstDifference(got, want))
	}
}

// firstDifference shows the first line in which the generated table differs.
func firstDifference(got, want []byte) string {
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			return "generated: " + string(g[i]) + ", committed: " + string(w[i])
		}
	}
	return "one is the beginning of the other"
}
