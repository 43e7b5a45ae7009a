package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// status returns the exit status of a process that has ended.
func status(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

func TestProcessStatus(t *testing.T) {
	tests := []struct {
		stdin string
		args  []string
		want  int
	}{
		{"", []string{"check", "example.ml"}, 0},
		{"", []string{"check", "army.ml"}, 1},
		{"example.ml\narmy.ml\n", []string{"check"}, 1},
		{"example.ml\n", []string{"check", "-format", "json"}, 0},
		{"a..b\n", []string{"check"}, 2},
		{"", []string{"check", "-conf", "does-not-exist", "army.ml"}, 2},
		{"", []string{"check", "-nonsense"}, 2},
		{"", []string{"nonsense"}, 2},
		{"", nil, 2},
		{"", []string{"help"}, 0},
		{"", []string{"version"}, 0},
	}
	for _, tc := range tests {
		cmd := tool(t, tc.args...)
		cmd.Stdin = strings.NewReader(tc.stdin)
		if got := status(t, cmd.Run()); got != tc.want {
			t.Errorf("%q with input %q: status %d, want %d", tc.args, tc.stdin, got, tc.want)
		}
	}
}

// TestProcessInterrupt: what was found is written while the input pauses, and
// a signal ends the waiting.
func TestProcessInterrupt(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := tool(t, "check", "-format", "json")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(stdin, "example.ml\narmy.ml\n"); err != nil {
			t.Fatal(err)
		}
		out := bufio.NewScanner(stdout)
		for range 2 {
			if !out.Scan() {
				t.Fatalf("No line came while the input paused; %s", &stderr)
			}
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		for out.Scan() {
			t.Errorf("Further output %q", out.Text())
		}
		if got := status(t, cmd.Wait()); got != exitInterrupted || !strings.Contains(stderr.String(), "interrupted after 2 names") {
			t.Errorf("%v: status %d, %q, want %d", sig, got, &stderr, exitInterrupted)
		}
	}
}

// TestProcessPipe: a reader that has seen enough, as head, ends the tool
// without a word.
func TestProcessPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := tool(t, "check")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(strings.Repeat("army.ml\n", 100_000)), w, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	line, err := bufio.NewReaderSize(r, 16).ReadString('\n')
	r.Close()
	if err != nil || !strings.HasPrefix(line, "army.ml ") {
		t.Errorf("First line %q, %v", line, err)
	}
	// Which of the two ends Wait sees depends on whether the input was all
	// taken; the tool's own is what counts.
	_ = cmd.Wait()
	if stderr.Len() > 0 {
		t.Errorf("Standard error %q", &stderr)
	}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signaled() && ws.Signal() != syscall.SIGPIPE {
		t.Errorf("Ended by %v", cmd.ProcessState)
	}
}

// terminal returns both ends of a pseudo-terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// endless repeats a line until it is closed.
type endless struct{ done chan struct{} }

func (e endless) Read(p []byte) (int, error) {
	select {
	case <-e.done:
		return 0, io.EOF
	default:
		return copy(p, bytes.Repeat([]byte("x.ml\n"), len(p)/5)), nil
	}
}

// TestProcessProgress: a long input shows its progress where standard error is
// a terminal, and removes it at the end.
func TestProcessProgress(t *testing.T) {
	master, slave := terminal(t)
	cmd := tool(t, "check", "-format", "json")
	input := endless{make(chan struct{})}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, io.Discard, slave
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	var seen bytes.Buffer
	buf := make([]byte, 4096)
	closed := false
	for { // ends with an error once the tool has ended
		n, err := master.Read(buf)
		seen.Write(buf[:n])
		if !closed && strings.Contains(seen.String(), "names/s") {
			closed = true
			close(input.done)
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if s := seen.String(); !strings.Contains(s, "names, 0 found") || !strings.HasSuffix(s, "\r\x1b[K") {
		t.Errorf("The terminal shows %q, want a progress line that is removed", s)
	}
}

// TestProcessColor: the verdict is coloured on a terminal, unless NO_COLOR is
// set.
func TestProcessColor(t *testing.T) {
	for _, tc := range []struct {
		env  string
		want bool
	}{{"NO_COLOR=", true}, {"NO_COLOR=1", false}, {"TERM=dumb", false}} {
		master, slave := terminal(t)
		cmd := tool(t, "check", "army.ml")
		cmd.Env = append(cmd.Env, "NO_COLOR=", "TERM=xterm", tc.env)
		cmd.Stdout = slave
		if got := status(t, cmd.Run()); got != exitFound {
			t.Errorf("Status %d", got)
		}
		slave.Close()
		text, _ := io.ReadAll(master) // ends with EIO
		if got := bytes.Contains(text, []byte("\x1b[")); got != tc.want || !bytes.Contains(text, []byte("army.mil")) {
			t.Errorf("%s: the terminal shows %q", tc.env, text)
		}
	}
}

// TestInterruptBlocked: the first signal ends a command that waits in a system
// call.
func TestInterruptBlocked(t *testing.T) {
	const fifo, stdin = "FIFO", "-"
	tests := []struct {
		name string
		args []string
		file func(t *testing.T, fifo string) // makes of the FIFO what the command finds
		want int
	}{
		{"tail, open of a FIFO that nobody writes to", []string{"alert", "tail", fifo}, nil, exitNothing},
		{"tail, read of a FIFO whose writer pauses", []string{"alert", "tail", fifo}, openBothWays, exitNothing},
		{"tail, read of a pipe whose writer pauses", []string{"alert", "tail", stdin}, nil, exitNothing},
		{"tail, a line without end", []string{"alert", "tail", "/dev/zero"}, nil, exitNothing},
		{"audit, open of a FIFO that nobody writes to", []string{"audit", fifo}, nil, exitInterrupted},
		{"audit, read of a FIFO whose writer pauses", []string{"audit", fifo}, openBothWays, exitInterrupted},
		{"audit, read of a pipe whose writer pauses", []string{"audit", stdin}, nil, exitInterrupted},
		{"audit, what it writes is left out", []string{"audit", "-o", "page.html", stdin}, nil, exitInterrupted},
		{"report, open of a FIFO that nobody writes to", []string{"report", fifo}, nil, exitInterrupted},
		{"report, read of a FIFO whose writer pauses", []string{"report", fifo}, openBothWays, exitInterrupted},
		{"report, read of a pipe whose writer pauses", []string{"report", stdin}, nil, exitInterrupted},
	}
	for _, tc := range tests {
		for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			t.Run(tc.name+", "+sig.String(), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if err := unix.Mkfifo(filepath.Join(dir, fifo), 0o600); err != nil {
					t.Fatal(err)
				}
				if tc.file != nil {
					tc.file(t, filepath.Join(dir, fifo))
				}
				// A signal that comes before the tool listens for any ends it as
				// well, which shows nothing: then it gets more time.
				for patience := 300 * time.Millisecond; ; patience *= 2 {
					cmd := tool(t, tc.args...)
					cmd.Dir = dir
					if _, err := cmd.StdinPipe(); err != nil {
						t.Fatal(err)
					}
					got, early := signalled(t, cmd, sig, patience)
					if early && patience < 10*time.Second {
						continue
					}
					if got != tc.want {
						t.Errorf("Status %d, want %d", got, tc.want)
					}
					if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
						t.Errorf("Got %v left, error %v, want the FIFO", left, err)
					}
					break
				}
			})
		}
	}
}

// openBothWays makes a FIFO one that has a writer.
func openBothWays(t *testing.T, fifo string) {
	t.Helper()
	f, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
}

// signalled starts a command, sends it a signal after a time and returns its
// exit status, and whether it did not listen for signals yet.
func signalled(t *testing.T, cmd *exec.Cmd, sig os.Signal, after time.Duration) (code int, early bool) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	err := cmd.Wait()
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status(t, err), ws.Signaled() && ws.Signal() == sig
}

// TestAlertTestOwner: a file that root's test creates is one that the server's
// user, who owns the directory, can write. What others create is theirs.
func TestAlertTestOwner(t *testing.T) {
	dir := t.TempDir()
	owner, group := uint32(os.Geteuid()), uint32(os.Getegid())
	if owner == 0 {
		owner, group = 65534, 65534
		if err := os.Chown(dir, int(owner), int(group)); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "alerts.json")
	conf := corefile(t, ".:1053 {\n\tlookalike {\n\t\tprotect army.mil\n\t\talert "+file+"\n\t}\n}\n")
	if status, stdout, stderr := runTool("", "alert", "test", "-conf", conf); status != exitNothing {
		t.Fatalf("Got status %d, output %q and errors %q", status, stdout, stderr)
	}
	var stat unix.Stat_t
	if err := unix.Stat(file, &stat); err != nil {
		t.Fatal(err)
	}
	if stat.Uid != owner || stat.Gid != group || stat.Size == 0 {
		t.Errorf("Got a file of %d:%d with %d bytes, want one of %d:%d with an alert", stat.Uid, stat.Gid, stat.Size, owner, group)
	}
}
