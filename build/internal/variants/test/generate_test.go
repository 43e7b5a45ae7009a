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

// TestGenerate runs the generators of the detector's tables again. What they write
// must be what is compiled in, byte for byte: nobody has edited the one without
// the other.
func TestGenerate(t *testing.T) {
	const dir = "../plugin/lookalike/detect"
	tests := []struct {
		table string
		run   []string // but for the file to write
	}{
		{"unicode_table.go", []string{"run", "./internal/genfold", "-o"}},
		{"suffix_table.go", []string{"run", "-C", "internal/gensuffix", ".", "-o"}},
	}
	for _, tt := range tests {
		t.Run(tt.table, func(t *testing.T) {
			table := filepath.Join(t.TempDir(), tt.table)
			cmd := wait.Command(t, 5*time.Minute, "go", append(tt.run, table)...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", cmd, err, out)
			}
			got, err := os.ReadFile(table)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(dir, tt.table))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is not what its generator writes: run go generate in %s; %s", tt.table, dir, firstDifference(got, want))
			}
		})
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
