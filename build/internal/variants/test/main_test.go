// Package test runs the server as a process and asks it as its clients do.
package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// corefile is a server with this lookalike directive, and with whatever else is
// given beside it.
func corefile(directive string, more ...any) string {
	return fmt.Sprintf(`.:{$DNS} {
	bind 127.0.0.1
	errors
	prometheus 127.0.0.1:{$METRICS}
	%s
	%s
	forward . {$UPSTREAM}
}
`, directive, fmt.Sprintln(more...))
}

// fileAlerts reads the alert file of a server; each line has to be whole.
func fileAlerts(t *testing.T, s *harness.Server) []harness.Alert {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, "alerts.json"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if last := lines[len(lines)-1]; last != "" {
		t.Errorf("A torn line: %q", last)
	}
	alerts := harness.ParseAlerts(t, lines)
	if len(alerts) != len(lines)-1 {
		t.Errorf("%d lines, %d alerts", len(lines)-1, len(alerts))
	}
	return alerts
}
