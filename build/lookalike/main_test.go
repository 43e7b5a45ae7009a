package main

import (
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"

	"go.uber.org/goleak"
)

// asTool makes the test binary be the tool, so that tests can run it as a
// process, with exit statuses and signals.
const asTool = "LOOKALIKE_TEST_AS_TOOL"

func TestMain(m *testing.M) {
	if os.Getenv(asTool) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// tool returns the tool as a process that was not started yet; it does not
// outlive the test.
func tool(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := wait.Command(t, 5*time.Minute, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asTool+"=1")
	return cmd
}

// TestEmptyValue: no flag of any command takes an empty value, as from an unset
// shell variable, for its default.
func TestEmptyValue(t *testing.T) {
	for _, c := range commands {
		fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(fs)
		fs.VisitAll(func(f *flag.Flag) {
			want := "flag -" + f.Name + ": no value: give one, or leave the flag out"
			if _, ok := f.Value.(interface{ IsBoolFlag() bool }); ok {
				want = `invalid boolean value "" for -` + f.Name
			}
			args := append(strings.Fields(c.name), "-"+f.Name+"=", "a")
			if status, stdout, stderr := runTool("", args...); status != exitError || stdout != "" || !strings.Contains(stderr, want) {
				t.Errorf("%q: status %d, %q, %q, want %q", args, status, stdout, stderr, want)
			}
		})
	}
}
