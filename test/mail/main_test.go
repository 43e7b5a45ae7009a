//go:build e2e && linux

package mail

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
)

const (
	insideVar = "MAIL_LAB" // directory of the lab, in the inner process
	cacheDir  = "../../build/bin/mail-lab"
)

// preparation is how long one command may take that makes the lab.
const preparation = 15 * time.Minute

var update = flag.Bool("update", false, "write the golden files of bounces anew")

func TestMain(m *testing.M) {
	flag.Parse()
	var status int
	var err error
	if dir := os.Getenv(insideVar); dir != "" {
		status, err = inside(m, dir)
	} else {
		status, err = outside()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mail lab:", err)
		status = 1
	}
	os.Exit(status)
}

// outside prepares what needs the host's network, and runs the tests inside.
func outside() (int, error) {
	if os.Geteuid() != 0 {
		return 0, errors.New("namespaces and mounts need root")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return 0, errors.New("the mail servers come as Debian packages: run this on Debian")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		if err := aptGet("install", "-q", "-y", "--no-install-recommends", "iproute2"); err != nil {
			return 0, err
		}
	}
	dir, err := os.MkdirTemp("", "mail-lab")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	defer harness.Clean()
	binary, tool, err := harness.Programs()
	if err != nil {
		return 0, err
	}
	for _, s := range servers {
		if err := download(s); err != nil {
			return 0, err
		}
	}
	lab := filepath.Join(dir, "lab")
	if err := os.Mkdir(lab, 0o755); err != nil {
		return 0, err
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideVar+"="+lab, "COREDNS="+binary, "LOOKALIKE="+tool)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	err = runLocked(cmd)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// download fetches a server's packages, and what they depend on, unless they
// are there. What the host has installed needs no download.
func download(s server) error {
	cache, err := filepath.Abs(filepath.Join(cacheDir, s.name))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(cache, "partial"), 0o755); err != nil {
		return err
	}
	args := append([]string{"install", "-q", "-y", "--download-only", "--no-install-recommends",
		"-o", "APT::Sandbox::User=root", "-o", "Dir::Cache::archives=" + cache}, s.packages...)
	return aptGet(args...)
}

// aptGet runs apt-get, again with new lists if it cannot do with those that it
// has.
func aptGet(args ...string) error {
	if run("apt-get", args...) == nil {
		return nil
	}
	if err := run("apt-get", "update", "-q"); err != nil {
		return err
	}
	return run("apt-get", args...)
}

// inside builds the lab in the namespaces of this process, and runs the tests.
func inside(m *testing.M, dir string) (int, error) {
	if err := flag.Set("test.parallel", "8"); err != nil { // they wait more than they work
		return 0, err
	}
	for _, command := range [][]string{
		{"mount", "--make-rprivate", "/"},
		{"mount", "-t", "proc", "proc", "/proc"},
		{"mount", "-t", "tmpfs", "-o", "mode=755", "lab", dir},
		{"ip", "link", "set", "lo", "up"},
		// Without an address of its own a bridge takes one of its ports', and
		// another one with every node.
		{"ip", "link", "add", "net", "address", "02:00:00:00:00:01", "type", "bridge"},
		{"ip", "link", "set", "net", "up"},
	} {
		if err := run(command[0], command[1:]...); err != nil {
			return 0, err
		}
	}
	for _, addr := range []string{authority, goodAddress, trapAddress} {
		if err := addAddress(addr); err != nil {
			return 0, err
		}
	}
	stop, err := serveInternet()
	if err != nil {
		return 0, err
	}
	defer stop()

	var wg sync.WaitGroup
	errs := make([]error, len(servers))
	for i, s := range servers {
		wg.Go(func() { errs[i] = install(s, dir) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// run runs a command to its end; what it printed becomes part of the error.
func run(name string, args ...string) error {
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), preparation)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, out.Bytes())
	}
	return nil
}
