package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// StartProcess runs a program until the test ends. It waits until ready holds.
func StartProcess(tb testing.TB, path string, args []string, ready func() bool) {
	tb.Helper()
	var out lockedBuffer
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	startProcess(tb, cmd, out.String, ready)
}

// startProcess is StartProcess; said returns what the program has printed.
func startProcess(tb testing.TB, cmd *exec.Cmd, said func() string, ready func() bool) {
	tb.Helper()
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its end, not its status, is what matters
		close(exited)
	}()
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(Patience):
			_ = cmd.Process.Kill()
			<-exited
		}
		if tb.Failed() {
			tb.Logf("%s said:\n%s", cmd.Path, said())
		}
	})
	deadline := time.After(Patience)
	for !ready() {
		select {
		case <-exited:
			tb.Fatalf("%s ended", cmd.Path)
		case <-deadline:
			tb.Fatalf("%s does not get ready", cmd.Path)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Private copies a program: where AppArmor confines Debian's, it does so by its
// path, and would keep it from the test's directory.
func Private(tb testing.TB, name, dir string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		tb.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, program, 0o700); err != nil {
		tb.Fatal(err)
	}
	return path
}

// lockedBuffer keeps what a program prints.
type lockedBuffer struct {
	mu   sync.Mutex
	text []byte
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
