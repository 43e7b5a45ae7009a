package main

import (
	"bufio"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lookalike-dns/lookalike/test/wait"
)

func TestConsoleUsage(t *testing.T) {
	short := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(short, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{"console"}, exitError, "want an alert file, or more"},
		{[]string{"console", "-"}, exitError, "- cannot be read from its beginning: name alert files"},
		{[]string{"console", fifo}, exitError, "cannot be read from its beginning"},
		{[]string{"console", "/nowhere/alerts.json"}, exitError, "/nowhere/alerts.json: no such file"},
		{[]string{"console", "-listen", "here", "a"}, exitError, "here"},
		{[]string{"console", "-listen", "0.0.0.0:0", "a"}, exitError, "is not a loopback address: everybody there could read the alerts. Add -token-file FILE"},
		{[]string{"console", "-token-file", "/nowhere/token", "a"}, exitError, "/nowhere/token"},
		{[]string{"console", "-token-file", short, "a"}, exitError, "want one word of 16 characters or more"},
		{[]string{"console", "-host", "", "a"}, exitError, "flag -host: no value"},
		{[]string{"console", "-token-file", "", "a"}, exitError, "flag -token-file: no value"},
	}
	for _, tc := range tests {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			if status, _, stderr := runTool("", tc.args...); status != tc.status || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("Got status %d and errors %q, want %d and %q", status, stderr, tc.status, tc.stderr)
			}
		})
	}
}

// TestConsole asks the page of a process, which an interrupt ends.
func TestConsole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alerts.json")
	if err := os.WriteFile(file, []byte(alertLine("192.0.2.25", "army.ml", "tld-swap", "army.mil", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := tool(t, "console", "-listen", "127.0.0.1:0", file)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() {
		t.Fatal("No line on standard error")
	}
	_, url, found := strings.Cut(lines.Text(), "the console is at ")
	if !found {
		t.Fatalf("Got %q", lines.Text())
	}
	client := http.Client{Timeout: wait.Limit}
	wait.Until(t, "the alert on the page", func() bool {
		reply, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		var page strings.Builder
		_, _ = bufio.NewReader(reply.Body).WriteTo(&page)
		return strings.Contains(page.String(), "army.ml")
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	wait.Done(t, "the console to end", func() {
		if err := cmd.Wait(); err != nil {
			t.Errorf("Ended with %v, want status 0", err)
		}
	})
}
