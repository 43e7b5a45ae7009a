package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var built struct {
	once sync.Once
	dir  string
	err  error
}

// Binary returns the path of the server: the value of COREDNS, or else one that
// is built from the working tree, with the race detector where the test has it.
func Binary(tb testing.TB) string {
	tb.Helper()
	if path := os.Getenv("COREDNS"); path != "" {
		return path
	}
	built.once.Do(build)
	if built.err != nil {
		tb.Fatal(built.err)
	}
	return filepath.Join(built.dir, "coredns")
}

func build() {
	built.dir, built.err = os.MkdirTemp("", "lookalike")
	if built.err != nil {
		return
	}
	args := []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(built.dir, "coredns")}
	if race {
		args = append(args, "-race")
	}
	args = append(args, "github.com/lookalike-dns/lookalike/build/coredns")
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		built.err = fmt.Errorf("go %v: %w\n%s", args, err, out)
	}
}

// Main runs the tests of a package and removes the server that they built. It
// is to be called from TestMain.
func Main(m *testing.M) {
	status := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(status)
}
