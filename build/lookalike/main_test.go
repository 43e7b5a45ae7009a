package main

import (
	"os"
	"os/exec"
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
