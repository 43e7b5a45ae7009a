package harness

import (
	"fmt"
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
	p, err := spawn(cmd)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		p.Stop()
		if tb.Failed() {
			tb.Logf("%s said:\n%s", cmd.Path, said())
		}
	})
	if err := p.Await(50*time.Millisecond, ready); err != nil {
		tb.Fatal(err)
	}
}

// Process is a program that runs. It ends with the one that has started it. Its
// methods may be called concurrently.
type Process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended
}

func spawn(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // its end, not its status, is what matters
		close(p.exited)
	}()
	return p, nil
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process.
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Await waits until ok holds, which it asks again after every pause. That the program
// ends or [Patience] runs out before is an error.
func (p *Process) Await(pause time.Duration, ok func() bool) error {
	deadline := time.After(Patience)
	for !ok() {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended", p.cmd.Path)
		case <-deadline:
			return fmt.Errorf("%s does not get ready", p.cmd.Path)
		case <-time.After(pause):
		}
	}
	return nil
}

// Stop asks the process to end as an init system does, forces it after [Patience], and
// returns when it has ended.
func (p *Process) Stop() {
	_ = p.Signal(syscall.SIGTERM) // fails where it has ended already
	select {
	case <-p.exited:
	case <-time.After(Patience):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// Private copies a program: where AppArmor confines Debian's, it does so by its
// path, and would keep it from the test's directory.
func Private(tb testing.TB, program, dir string) string {
	tb.Helper()
	path, err := private(program, dir)
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// private is [Private] outside a test.
func private(program, dir string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + program)
	}
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, filepath.Base(program))
	return path, os.WriteFile(path, text, 0o700)
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
