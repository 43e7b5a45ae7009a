package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// program is a command of this repository.
type program struct {
	name string
	once sync.Once
	dir  string // where it was built, if it was
	path string
	err  error
}

var server, tool = &program{name: "coredns"}, &program{name: "lookalike"}

// Binary returns the path of the server: the value of COREDNS, or else one that
// is built from the working tree, with the race detector where the test has it.
func Binary(tb testing.TB) string {
	tb.Helper()
	return server.of(tb)
}

// Tool returns the path of the command lookalike: the value of LOOKALIKE, or else
// one that is built like that of [Binary].
func Tool(tb testing.TB) string {
	tb.Helper()
	return tool.of(tb)
}

// Programs are [Binary] and [Tool] outside a test; the caller ends with [Clean].
func Programs() (binary, command string, err error) {
	if binary, err = server.get(); err == nil {
		command, err = tool.get()
	}
	return binary, command, err
}

func (p *program) of(tb testing.TB) string {
	tb.Helper()
	path, err := p.get()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func (p *program) get() (string, error) {
	p.once.Do(func() {
		if p.path = os.Getenv(strings.ToUpper(p.name)); p.path == "" {
			p.err = p.build()
		}
	})
	return p.path, p.err
}

func (p *program) build() (err error) {
	if p.dir, err = os.MkdirTemp("", "lookalike"); err != nil {
		return err
	}
	p.path = filepath.Join(p.dir, p.name)
	args := []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", p.path}
	if race {
		args = append(args, "-race")
	}
	args = append(args, "github.com/lookalike-dns/lookalike/build/"+p.name)
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go %v: %w\n%s", args, err, out)
	}
	return nil
}

// Clean removes what was built.
func Clean() {
	for _, p := range []*program{server, tool} {
		if p.dir != "" {
			os.RemoveAll(p.dir)
		}
	}
}

// Main runs the tests of a package and removes what they built. It is to be called
// from TestMain.
func Main(m *testing.M) {
	status := m.Run()
	Clean()
	os.Exit(status)
}
