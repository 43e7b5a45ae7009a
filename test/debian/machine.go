//go:build linux

// Package debian runs a fresh Debian with systemd in a container, as a machine of
// its own: nothing of the host's is installed, and its network has a loopback
// interface only. Needs root and the packages mmdebstrap and systemd-container.
package debian

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// A Machine is a Debian that runs until the test ends. What it writes is in memory.
// Its methods may be called concurrently.
type Machine struct {
	init string // the process id of its init system
}

// Boot makes a machine of Debian's essential packages, systemd and others, and
// starts it. With DEBIAN in the environment, it starts what that directory has.
func Boot(tb testing.TB, packages ...string) *Machine {
	tb.Helper()
	root := os.Getenv("DEBIAN")
	if root == "" {
		root = filepath.Join(tb.TempDir(), "debian")
		build := wait.Command(tb, 5*wait.Limit, "mmdebstrap", "--quiet", "--variant=essential",
			"--include="+strings.Join(append(packages, "systemd-sysv"), ","),
			"--dpkgopt=force-unsafe-io",
			"bookworm", root)
		if out, err := build.CombinedOutput(); err != nil {
			tb.Fatalf("mmdebstrap: %v\n%s", err, out)
		}
	}
	m := &Machine{}
	harness.StartProcess(tb, "systemd-nspawn", []string{
		"--quiet", "--directory=" + root, "--volatile=overlay", "--machine=lookalike", "--boot", "--register=no", "--keep-unit",
		"--private-network", "--resolv-conf=off", "--timezone=off", "--console=pipe",
	}, func() bool { return m.booted(tb) })
	return m
}

// booted reports whether the init system has started all that it starts.
func (m *Machine) booted(tb testing.TB) bool {
	tb.Helper()
	for _, container := range children("self") {
		if comm, _ := os.ReadFile("/proc/" + container + "/comm"); string(comm) != "systemd-nspawn\n" {
			continue
		}
		if inits := children(container); len(inits) == 1 {
			m.init = inits[0]
			state, _ := m.Try(tb, "systemctl", "is-system-running") // fails until it is
			return strings.HasPrefix(state, "running")
		}
	}
	return false
}

// children returns the ids of the processes that a process has started.
func children(pid string) []string {
	var all []string
	lists, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list) // the thread may have ended
		all = append(all, strings.Fields(string(text))...)
	}
	return all
}

// Path returns the path under which this process finds a file of the machine.
func (m *Machine) Path(path string) string { return "/proc/" + m.init + "/root" + path }

// Write replaces a file of the machine, or makes it, readable for all.
func (m *Machine) Write(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.WriteFile(m.Path(path), []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// Read returns what a file of the machine has.
func (m *Machine) Read(tb testing.TB, path string) string {
	tb.Helper()
	text, err := os.ReadFile(m.Path(path))
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// Try runs a command on the machine, and returns what it prints and how it ends.
func (m *Machine) Try(tb testing.TB, command ...string) (string, error) {
	tb.Helper()
	cmd := wait.Command(tb, wait.Limit, "nsenter", append([]string{"--target=" + m.init, "--all", "--"}, command...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Run is Try of a command that must succeed.
func (m *Machine) Run(tb testing.TB, command ...string) string {
	tb.Helper()
	out, err := m.Try(tb, command...)
	if err != nil {
		tb.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}

// Net runs f in the network of the machine, in a thread of its own. Sockets that f
// opens stay there.
func (m *Machine) Net(f func() error) error {
	done := make(chan error)
	go func() {
		// The thread ends with the goroutine, as it is not unlocked.
		runtime.LockOSThread()
		network, err := os.Open("/proc/" + m.init + "/ns/net")
		if err == nil {
			defer network.Close()
			err = unix.Setns(int(network.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}
