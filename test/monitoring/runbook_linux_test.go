//go:build e2e

package monitoring

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// typed are command lines of a page: in a line of their own or between backquotes.
var typed = regexp.MustCompile("(?m)(?:^ *|`)((?:lookalike|curl -s) [a-z/h-][^`\n]*)")

// mention is a command without anything to do.
var mention = regexp.MustCompile(`^lookalike [a-z ]+$`)

// checkRunbook does with the files of a server that has ended, and with the metrics
// that it had, what each page of the runbook says. A command must succeed, or find
// something.
func checkRunbook(t *testing.T, s *harness.Server, metrics string) {
	t.Helper()
	mail := "Nov 25 21:54:52 mx postfix/smtp[139]: 4jZYPS24SMz11N: to=<bob@navy.ml>, relay=mail.example.ml[198.51.100.30]:25, " +
		"delay=0.31, delays=0.09/0.22/0/0, dsn=2.0.0, status=sent (250 OK)\n"
	for name, text := range map[string]string{"mail.log": mail, "Corefile.here": here(s)} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	done := make(map[string]bool)
	for _, page := range pages(t) {
		for _, m := range typed.FindAllStringSubmatch(page.text, -1) {
			if mention.MatchString(m[1]) {
				continue
			}
			done[m[1]] = true
			if strings.HasPrefix(m[1], "curl") {
				if pattern := grepped(t, m[1]); !regexp.MustCompile("(?m)^.*" + pattern).MatchString(metrics) {
					t.Errorf("%s: no metric has %s", page.name, pattern)
				}
				continue
			}
			if out, err := runTool(t, s, m[1]); err != nil {
				t.Errorf("%s: %s: %v\n%s", page.name, m[1], err, out)
			}
		}
	}
	if len(done) < 20 {
		t.Errorf("The runbook has %d commands, there are more", len(done))
	}
}

// here is the server's Corefile with the ports that it has.
func here(s *harness.Server) string {
	text := watchedCorefile
	for _, name := range []string{"DNS", "METRICS", "HTTP"} {
		text = strings.ReplaceAll(text, "{$"+name+"}", fmt.Sprint(s.Addr(name).Port()))
	}
	return strings.NewReplacer("{$UPSTREAM}", "192.0.2.1", "{$TAKES}", "./taken.json", "{$REFUSES}", "./other.json", "alert nats", "# alert nats").Replace(text)
}

var (
	operator = regexp.MustCompile(` *(?:&&|\|).*`)
	days     = regexp.MustCompile(`-until \d{4}-\d\d-\d\d`)
	words    = regexp.MustCompile(`"[^"]*"|\S+`)
)

// runTool runs a command line of the tool up to the shell's first operator, with
// the files of the server for those that are installed.
func runTool(t *testing.T, s *harness.Server, line string) (string, error) {
	t.Helper()
	line = operator.ReplaceAllString(line, "")
	line = days.ReplaceAllString(line, "-until "+time.Now().AddDate(0, 1, 0).UTC().Format(time.DateOnly))
	line = strings.NewReplacer(
		"/etc/lookalike/Corefile", "Corefile.here", "/etc/lookalike/allowed.txt", "allow.txt", "/var/log/lookalike/", "",
		"/var/log/mail.log*", "mail.log", "/var/log/mail.log", "mail.log", "/tmp/", "",
	).Replace(line)
	if strings.Contains(line, "alert tail") && !strings.Contains(line, "-once") {
		line += " -once" // or it would follow the file
	}
	args := words.FindAllString(line, -1)
	for i := range args {
		args[i] = strings.Trim(args[i], `"`)
	}
	cmd := wait.Command(t, wait.Limit, harness.Tool(t), args[1:]...)
	cmd.Dir = s.Dir
	out, err := cmd.CombinedOutput()
	const found = 1
	if status := (*exec.ExitError)(nil); errors.As(err, &status) && status.ExitCode() == found {
		err = nil
	}
	return string(out), err
}
