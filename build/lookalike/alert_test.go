package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAlertUsage(t *testing.T) {
	tests := []struct {
		args   []string
		status int
		stdout string
		stderr string
	}{
		{[]string{"alert"}, exitError, "", "Usage: lookalike alert COMMAND"},
		{[]string{"alert", "-help"}, exitNothing, "Usage: lookalike alert COMMAND", ""},
		{[]string{"help", "alert"}, exitNothing, "Usage: lookalike alert COMMAND", ""},
		{[]string{"alert", "tset"}, exitError, "", `unknown command "alert tset": want check, `},
		{[]string{"alert", "test", "-help"}, exitNothing, "phase \"test\"", ""},
		{[]string{"alert", "test", "x"}, exitError, "", `takes no argument, got "x"`},
		{[]string{"alert", "test", "-timeout", "0"}, exitError, "", "-timeout"},
		{[]string{"alert", "test", "-conf", ""}, exitError, "", "flag -conf: no value: give one, or leave the flag out"},
		{[]string{"alert", "test", "-conf", "/nowhere/Corefile"}, exitError, "", "/nowhere/Corefile"},
		{[]string{"alert", "tail", "-help"}, exitNothing, "-client CIDR", ""},
		{[]string{"alert", "tail"}, exitError, "", "want a FILE or more"},
		{[]string{"alert", "tail", "-since", "tomorrow", "a"}, exitError, "", `invalid value "tomorrow" for flag -since: want a date such as`},
		{[]string{"alert", "tail", "-action", "block", "a"}, exitError, "", `unknown action "block": want monitor, nxdomain, `},
		{[]string{"alert", "tail", "-n", "all", "a"}, exitError, "", `invalid value "all" for flag -n: want a number`},
		{[]string{"alert", "tail", "/nowhere/a.json"}, exitError, "", "/nowhere/a.json"},
		{[]string{"alert", "tail", "/"}, exitError, "", "/ is a directory"},
		{[]string{"alert", "tail", "-class", "tipo", "a"}, exitError, "", `unknown class "tipo": want tld-swap, tld-kept, `},
		{[]string{"alert", "tail", "-client", "here", "a"}, exitError, "", `invalid value "here" for flag -client: want an address or a network such as`},
		{[]string{"alert", "tail", "-client", "::ffff:192.0.2.0/90", "a"}, exitError, "", "want an address or a network such as"},
		{[]string{"alert", "tail", "-color", "red", "a"}, exitError, "", `invalid value "red" for flag -color: want auto, yes or no`},
	}
	for _, tc := range tests {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			status, stdout, stderr := runTool("", tc.args...)
			if status != tc.status || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("Got status %d, output %q and errors %q, want %d, %q and %q",
					status, stdout, stderr, tc.status, tc.stdout, tc.stderr)
			}
		})
	}
}

func TestAlertTest(t *testing.T) {
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
	}))
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := l.Addr().String()
	l.Close()
	file := filepath.Join(t.TempDir(), "alerts.json")
	conf := corefile(t, fmt.Sprintf(`.:1053 {
	lookalike {
		protect army.mil
		alert %s
		alert %s cef
	}
	lookalike cm {
		protect example.com
		alert %s
	}
}
`, server.URL, file, server.URL))
	status, stdout, stderr := runTool("", "alert", "test", "-conf", conf)
	if status != exitNothing || strings.Count(stdout, "sent ") != 2 {
		t.Fatalf("Got status %d, output %q and errors %q, want two destinations that took it", status, stdout, stderr)
	}
	if !strings.Contains(body, `"phase":"test"`) {
		t.Errorf("Got body %q", body)
	}
	if b, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(b), "CEF:0|") {
		t.Errorf("Got file %q and error %v", b, err)
	}

	conf = corefile(t, ".:1053 {\n\tlookalike {\n\t\tprotect army.mil\n\t\talert syslog+tcp://"+dead+"\n\t\talert "+file+"\n\t}\n}\n")
	status, stdout, stderr = runTool("", "alert", "test", "-conf", conf)
	if status != exitFound || !strings.Contains(stdout, "failed  syslog+tcp://"+dead) || !strings.Contains(stdout, "sent    "+file) {
		t.Errorf("Got status %d, output %q and errors %q, want one that failed and one that was sent", status, stdout, stderr)
	}
}

// TestAlertTestOutputFails: what became of the alerts is worth nothing unread.
func TestAlertTestOutputFails(t *testing.T) {
	conf := corefile(t, ".:1053 {\n\tlookalike {\n\t\tprotect army.mil\n\t\talert "+filepath.Join(t.TempDir(), "alerts.json")+"\n\t}\n}\n")
	for _, tc := range []struct {
		err    error
		status int
		stderr string
	}{
		{syscall.ENOSPC, exitError, "lookalike: alert test: no space left on device\n"},
		{syscall.EPIPE, exitNothing, ""},
	} {
		var stderr bytes.Buffer
		status := run(&env{strings.NewReader(""), failing{tc.err}, &stderr}, []string{"alert", "test", "-conf", conf})
		if status != tc.status || stderr.String() != tc.stderr {
			t.Errorf("%v: status %d, %q, want %d, %q", tc.err, status, &stderr, tc.status, tc.stderr)
		}
	}
}

// alertLine is a record as the ecs format has it, as far as tail reads it.
func alertLine(client, name, class, protected string, n int) string {
	return fmt.Sprintf(`{"@timestamp":"2026-11-23T08:45:0%d.000Z","source":{"ip":%q},"related":{"ip":[%q]},"dns":{"question":{"name":%q,"type":"MX"}},`+
		`"lookalike":{"phase":"first","class":%q,"confidence":"high","action":"nxdomain","protected":[%q],"count":1,"total":%d}}`+"\n",
		n, client, client, name, class, protected, n)
}

func TestAlertTail(t *testing.T) {
	t.Setenv("TZ", "UTC")
	path := filepath.Join(t.TempDir(), "alerts.json")
	text := alertLine("192.0.2.25", "army.ml", "tld-swap", "army.mil", 1) +
		alertLine("192.0.2.26", "us-af.ml", "separator", "us.af.mil", 2) +
		"no alert\n\n" +
		alertLine("2001:db8::25", `a\u001b[31m.ml`, "typo", "af.mil", 3) +
		`{"@timestamp":"2026-11-23T08:45:04Z","related":{"ip":["192.0.2.99"]},"dns":{"question":{"name":"x.ml","type":"A"}},` +
		`"lookalike":{"phase":"storm","class":"edit","confidence":"low","action":"monitor","protected":["navy.mil"],"count":9,"total":9,"distinct_names":7,"distinct_clients":3}}` + "\n" +
		`{"@timestamp":"2026-11-23T08:45:05Z","message":"7 alerts were lost","lookalike":{"phase":"lost"}}` + "\n" +
		`{"torn":`
	text = strings.ReplaceAll(text, `\\u001b`, `\u001b`)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want []string // parts of the lines
	}{
		{"all", nil, []string{"army.ml MX  resembles army.mil  tld-swap  nxdomain  +1 of 1", "us-af.ml", `a\027[31m.ml`, "about 3 clients  x.ml and others, about 7 names", "LOST 7 alerts were lost"}},
		{"the last one", []string{"-n", "1"}, []string{"LOST"}},
		{"none", []string{"-n", "0"}, nil},
		{"all of it", []string{"-n", "-1"}, []string{"army.ml", "us-af.ml", "a\\027", "x.ml", "LOST"}},
		{"a client", []string{"-client", "192.0.2.25"}, []string{"army.ml"}},
		{"a network and its storms", []string{"-client", "192.0.2.0/24"}, []string{"army.ml", "us-af.ml", "x.ml"}},
		{"an IPv4-mapped client", []string{"-client", "::ffff:192.0.2.25"}, []string{"army.ml"}},
		{"an IPv4-mapped network", []string{"-client", "::ffff:192.0.2.0/120"}, []string{"army.ml", "us-af.ml", "x.ml"}},
		{"an IPv6 client", []string{"-client", "2001:db8::/32"}, []string{"a\\027"}},
		{"a class", []string{"-class", "separator"}, []string{"us-af.ml"}},
		{"an action", []string{"-action", "monitor"}, []string{"x.ml"}},
		{"a name and those below", []string{"-name", "ARMY.ml"}, []string{"army.ml"}},
		{"since a second, all of them", []string{"-since", "2026-11-23 08:45:04"}, []string{"x.ml", "LOST"}},
		{"since a day, the last one", []string{"-since", "2026-11-23", "-n", "1"}, []string{"LOST"}},
		{"a protected name and those below", []string{"-protected", "AF.mil."}, []string{"us-af.ml", "a\\027"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			status, stdout, stderr := runTool("", append(append([]string{"alert", "tail", "-once"}, tc.args...), path)...)
			lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
			if stdout == "" {
				lines = nil
			}
			if status != exitNothing || len(lines) != len(tc.want) {
				t.Fatalf("Got status %d and output %q, want %d lines", status, stdout, len(tc.want))
			}
			for i, want := range tc.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("Got line %q, want one with %q", lines[i], want)
				}
			}
			if strings.Contains(stdout, "\x1b") || !strings.Contains(stderr, "2 lines are no alerts") {
				t.Errorf("Got output %q and errors %q", stdout, stderr)
			}
		})
	}
	status, stdout, _ := runTool(text, "alert", "tail", "-color", "yes", "-")
	if status != exitNothing || strings.Count(stdout, "\x1b[0m") != 5 {
		t.Errorf("Got status %d and output %q, want five coloured lines from standard input", status, stdout)
	}
}

// TestAlertTailFollows writes, rotates and cuts the file under a tail.
func TestAlertTailFollows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	write := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	line := func(i int) string {
		return alertLine("192.0.2.25", fmt.Sprintf("a%d.ml", i), "tld-swap", "army.mil", i)
	}
	write(line(1))
	cmd := tool(t, "alert", "tail", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	shown := make(chan string)
	go func() {
		defer close(shown)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			shown <- sc.Text()
		}
	}()
	expect := func(i int) {
		t.Helper()
		select {
		case got := <-shown:
			if !strings.Contains(got, fmt.Sprintf("a%d.ml", i)) {
				t.Errorf("Got line %q, want alert %d", got, i)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("Got no alert %d", i)
		}
	}
	expect(1)
	write(line(2)[:50]) // not whole yet
	write(line(2)[50:] + line(3))
	expect(2)
	expect(3)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(line(4) + line(5))
	expect(4)
	expect(5)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	write(line(6)) // shorter than what was read
	expect(6)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for range shown {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("Got %v at an interrupt, want status 0", err)
	}
}

// TestAlertTailStrange holds that a tail of a file in another format says so
// while it goes on.
func TestAlertTailStrange(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"CEF", "CEF:0|lookalike|coredns-lookalike|1.0.0|typo|x|5|act=monitor\n", `"CEF:0|lookalike|`},
		{"something without a line end", "\x89PNG\r", `"\x89PNG`},
		{"other JSON", `{"level":"info"}` + "\n", `"{\"level\":\"info\"}"`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "alerts")
			if err := os.WriteFile(path, []byte(strings.Repeat(tc.text, 3)), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := tool(t, "alert", "tail", path)
			r, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			stuck := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
			defer stuck.Stop()
			lines := bufio.NewScanner(r)
			if !lines.Scan() || !strings.Contains(lines.Text(), tc.want) {
				t.Errorf("Got %.200q at once, want it to have %s", lines.Text(), tc.want)
			}
			_ = cmd.Process.Signal(syscall.SIGINT)
			for lines.Scan() {
				if strings.Contains(lines.Text(), "other such lines") {
					t.Errorf("Got %.200q as well", lines.Text())
				}
			}
			_ = cmd.Wait()
		})
	}
}
