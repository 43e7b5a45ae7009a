// Package harness starts the server as an administrator does, as a process with
// a Corefile, and speaks DNS to it. Everything stays on loopback, and no process
// outlives its test.
package harness

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// Patience is how long a test waits for something that ought to happen soon.
const Patience = wait.Limit

// Config says what to start. The Corefile may use CoreDNS's own placeholders:
// {$DNS}, {$TLS}, {$HTTPS}, {$HTTPS3}, {$QUIC}, {$METRICS} and {$HTTP} are free
// ports, {$UPSTREAM} is the resolver to forward to.
type Config struct {
	Corefile string
	Upstream netip.AddrPort
	Files    map[string]string // written beside the Corefile, where the server runs
	Args     []string          // more command line arguments
	Env      []string          // more environment: NAME=value
}

// Server is a running server. Its methods may be called concurrently.
type Server struct {
	Dir string // where it runs

	*Process // has exited when its output is read, too
	corefile string
	ports    map[string]uint16
	out      io.Closer // our end of its standard output

	mu      sync.Mutex
	stdout  []string
	stderr  []string
	changed chan struct{} // closed and renewed whenever a line arrives
}

// Start starts a server and waits until it serves. It ends with the test.
func Start(tb testing.TB, c Config) *Server {
	tb.Helper()
	for try := 1; ; try++ {
		s, err := Launch(Binary(tb), tb.TempDir(), c)
		if err == nil {
			tb.Cleanup(func() {
				s.Stop()
				if tb.Failed() {
					tb.Logf("Server %s said:\n%s", s.cmd.Path, s.Output())
				}
				if strings.Contains(s.Output(), "DATA RACE") {
					tb.Errorf("The server has a data race:\n%s", s.Output())
				}
			})
			return s
		}
		// Another process may have taken a port since it was found free.
		if try == 3 || !strings.Contains(err.Error(), "address already in use") {
			tb.Fatal(err)
		}
	}
}

// Launch starts binary in dir and waits until it serves. The caller ends it
// with Stop.
func Launch(binary, dir string, c Config) (*Server, error) {
	s := &Server{
		Dir:      dir,
		corefile: filepath.Join(dir, "Corefile"),
		ports:    make(map[string]uint16),
		changed:  make(chan struct{}),
	}
	env := map[string]string{"UPSTREAM": c.Upstream.String()}
	for _, name := range []string{"DNS", "TLS", "HTTPS", "HTTPS3", "QUIC", "METRICS", "HTTP"} {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		s.ports[name], env[name] = port, strconv.Itoa(int(port))
	}
	files := maps.Clone(c.Files)
	if files == nil {
		files = make(map[string]string)
	}
	files["Corefile"] = c.Corefile
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}

	args := append([]string{"-conf", s.corefile, "-dns.port", env["DNS"]}, c.Args...)
	s.Process = &Process{cmd: exec.Command(binary, args...), exited: make(chan struct{})}
	s.cmd.Dir = dir
	s.cmd.Env = os.Environ()
	for _, name := range slices.Sorted(maps.Keys(env)) {
		s.cmd.Env = append(s.cmd.Env, name+"="+env[name])
	}
	s.cmd.Env = append(s.cmd.Env, c.Env...)
	s.cmd.SysProcAttr = dieWithParent()
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = stdout
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go s.read(stdout, stderr)

	// The banner comes after all sockets are open.
	if !s.Wait(func() bool { return s.printed("CoreDNS-") || strings.Contains(s.Output(), `"msg":"CoreDNS-`) }) {
		s.Stop()
		return nil, fmt.Errorf("server did not start:\n%s", s.Output())
	}
	return s, nil
}

// read collects the output until both pipes end, then the process.
func (s *Server) read(stdout, stderr io.Reader) {
	var wg sync.WaitGroup
	wg.Go(func() { s.lines(stdout, &s.stdout) })
	wg.Go(func() { s.lines(stderr, &s.stderr) })
	wg.Wait()
	_ = s.cmd.Wait() // the exit status is read from ProcessState
	close(s.exited)
}

func (s *Server) lines(r io.Reader, to *[]string) {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			s.mu.Lock()
			*to = append(*to, strings.TrimSuffix(line, "\n"))
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// Wait waits until ok holds, which it asks again whenever the server prints a
// line or a moment has passed. It reports whether ok came to hold before the
// server ended and before [Patience] ran out.
func (s *Server) Wait(ok func() bool) bool {
	deadline := time.After(Patience)
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if ok() {
			return true
		}
		select {
		case <-changed:
		case <-time.After(50 * time.Millisecond):
		case <-s.exited:
			return ok()
		case <-deadline:
			return false
		}
	}
}

// printed reports whether a line of the standard output starts with prefix.
func (s *Server) printed(prefix string) bool {
	return slices.ContainsFunc(s.Lines(), func(l string) bool { return strings.HasPrefix(l, prefix) })
}

// Lines returns what the server has printed to its standard output.
func (s *Server) Lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.stdout)
}

// Output returns everything that the server has printed, errors last.
func (s *Server) Output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(slices.Concat(s.stdout, s.stderr), "\n")
}

// Addr is the address of one of the ports of [Config] on 127.0.0.1.
func (s *Server) Addr(port string) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), s.ports[port])
}

// Stop is that of [Process], and returns the exit status, -1 when the server had to
// be forced.
func (s *Server) Stop() int {
	s.Process.Stop()
	return s.cmd.ProcessState.ExitCode()
}

// StopReading closes the pipe that is the standard output of the server.
func (s *Server) StopReading() error { return s.out.Close() }

// Reload writes a new Corefile, has the server read it, and returns the error
// that the server gives, or nil when it serves by the new one.
func (s *Server) Reload(corefile string) error {
	if err := os.WriteFile(s.corefile, []byte(corefile), 0o600); err != nil {
		return err
	}
	before := len(s.Lines())
	since := func() []string { return s.Lines()[before:] }
	var outcome error
	done := s.Wait(s.heard(since)) && s.Wait(func() bool {
		for _, l := range since() {
			switch {
			case strings.Contains(l, "[INFO] Reloading complete"):
				return true
			case strings.Contains(l, "[ERROR] SIGUSR1: "):
				_, text, _ := strings.Cut(l, "[ERROR] SIGUSR1: ")
				outcome = errors.New(text)
				return true
			}
		}
		return false
	})
	if !done {
		return fmt.Errorf("no end of the reload:\n%s", s.Output())
	}
	return outcome
}

// heard sends the signal to reload, and again should the server not have
// mentioned it after a while: it begins to listen at some time while it starts.
func (s *Server) heard(since func() []string) func() bool {
	const again = 5 * time.Second
	var sent time.Time
	return func() bool {
		if slices.ContainsFunc(since(), func(l string) bool { return strings.Contains(l, "[INFO] SIGUSR1: ") }) {
			return true
		}
		if time.Since(sent) > again {
			sent = time.Now()
			_ = s.Signal(syscall.SIGUSR1) // fails where the server has ended, which Wait notices
		}
		return false
	}
}

// Descriptors counts the open file descriptors of the process.
func (s *Server) Descriptors(tb testing.TB) int {
	tb.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.PID()))
	if err != nil {
		tb.Fatal(err)
	}
	return len(entries)
}

// Memory is [Memory] of the server's process.
func (s *Server) Memory(tb testing.TB, field string) int64 {
	tb.Helper()
	size, err := Memory(s.PID(), field)
	if err != nil {
		tb.Fatal(err)
	}
	return size
}

// Refused runs a server that must not start with this configuration and returns
// what it says to its user on the standard error, and its exit status.
func Refused(tb testing.TB, c Config) (message string, status int) {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range c.Files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "Corefile"), []byte(c.Corefile), 0o600); err != nil {
		tb.Fatal(err)
	}
	var stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(tb.Context(), Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(tb), "-conf", "Corefile", "-dns.port", "0")
	cmd.Dir, cmd.Stderr, cmd.SysProcAttr = dir, &stderr, dieWithParent()
	if err := cmd.Run(); err == nil {
		tb.Fatal("The server ended without an error")
	}
	return stderr.String(), cmd.ProcessState.ExitCode()
}

// ForgetPeak is [ForgetPeak] of the server's process.
func (s *Server) ForgetPeak(tb testing.TB) {
	tb.Helper()
	if err := ForgetPeak(s.PID()); err != nil {
		tb.Fatal(err)
	}
}

// Pin lets the process run on these processors only, in the form of taskset: "0-3".
func (s *Server) Pin(processors string) error {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "taskset", "-a", "-c", "-p", processors, strconv.Itoa(s.PID())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w\n%s", err, out)
	}
	return nil
}

// CPU is [CPU] of the server's process.
func (s *Server) CPU() (time.Duration, error) { return CPU(s.PID()) }
