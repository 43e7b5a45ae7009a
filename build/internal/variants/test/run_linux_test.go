//go:build e2e

package test

import (
	"bufio"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestMakeRun does what the first screen of the README says: make run, one
// question with dig, one alert on the terminal, Ctrl-C.
func TestMakeRun(t *testing.T) {
	t.Parallel()
	port := harness.FreePort(t)
	lines := makeRun(t, port)
	server := netip.AddrPortFrom(harness.Loopback, port)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if _, err := dns.Exchange(harness.Query("army.ml", dns.TypeA), server.String()); err == nil {
			break
		} else if time.Since(began) > 10*harness.Patience {
			t.Fatalf("make run does not answer: %v", err)
		}
	}

	out, err := wait.Command(t, wait.Limit, "dig", "-p", fmt.Sprint(port), "@127.0.0.1", "navy.ml", "MX").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "status: NXDOMAIN") {
		t.Errorf("dig says %v:\n%s", err, out)
	}
	var alerts []harness.Alert
	for deadline := time.After(harness.Patience); len(alerts) == 0; {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatal("make run ended")
			}
			if strings.HasPrefix(line, "{") && strings.Contains(line, "navy.ml") {
				alerts = harness.ParseAlerts(t, []string{line})
			}
		case <-deadline:
			t.Fatal("There is no alert on the terminal")
		}
	}
	for _, want := range []string{"127.0.0.1", "navy.ml", "navy.mil", "tld-swap", "high", "nxdomain"} {
		if !strings.Contains(alerts[0].Raw, want) {
			t.Errorf("The alert does not say %s: %s", want, alerts[0].Raw)
		}
	}
}

// makeRun starts make run until the test ends and returns what it prints.
func makeRun(t *testing.T, port uint16) <-chan string {
	t.Helper()
	// Into a directory of its own: other tests run the binaries in build/bin.
	cmd := exec.Command("make", "-C", "..", "run", fmt.Sprintf("PORT=%d", port), "BIN="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			select {
			case lines <- scan.Text():
			default: // nobody has asked for so many
			}
		}
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // as a terminal does at Ctrl-C
		ended := time.AfterFunc(harness.Patience, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		for range lines { // to the end
		}
		_ = cmd.Wait()
		if !ended.Stop() {
			t.Error("make run did not end at Ctrl-C")
		}
	})
	return lines
}
