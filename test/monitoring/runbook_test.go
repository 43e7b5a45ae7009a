package monitoring

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// page is one of the runbook.
type page struct{ name, text string }

// pages reads the runbook.
func pages(tb testing.TB) []page {
	tb.Helper()
	paths, err := filepath.Glob(soc + "/runbook/*.md")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("%d pages: %v", len(paths), err)
	}
	var all []page
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, page{filepath.Clean(path), string(text)})
	}
	return all
}

// TestRunbook: every alert has a page, every page an alert, and the link leads
// there.
func TestRunbook(t *testing.T) {
	base := "https://" + modulePath(t) + "/blob/main/build/soc/runbook/"
	unread := make(map[string]string)
	for _, p := range pages(t) {
		unread[p.name] = p.text
	}
	for _, r := range rules(t) {
		link := r.Annotations["runbook_url"]
		if want := base + r.Alert + ".md"; link != want {
			t.Errorf("%s: runbook_url is %q, want %s", r.Alert, link, want)
		}
		path := filepath.Clean(soc + "/runbook/" + strings.TrimPrefix(link, base))
		text, ok := unread[path]
		if !ok {
			t.Errorf("%s has no page %s", r.Alert, path)
			continue
		}
		delete(unread, path)
		got := strings.Join(regexp.MustCompile(`(?m)^#+ .*$`).FindAllString(text, -1), " ")
		if want := "# " + r.Alert + " ## Meaning ## Impact ## Diagnosis ## Mitigation"; got != want {
			t.Errorf("%s has the headings %q, want %q", path, got, want)
		}
	}
	for path := range unread {
		t.Errorf("%s is about no alert", path)
	}
}

// modulePath is what go.mod calls us, which is where the repository is.
func modulePath(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimPrefix(line, "module ")
}

var (
	journal   = regexp.MustCompile("journalctl -u [^|\n`]*\\| grep [^\n`]*")
	grep      = regexp.MustCompile(`grep (-\w+ )?(?:'([^']*)'|(\S+))`)
	logged    = regexp.MustCompile(`log\.\w+f?\("((?:[^"\\]|\\.)*)"`)
	notOurLog = []string{ // CoreDNS and systemd write these
		"recovered from panic", "Started|Stopped|exited|killed|fatal|panic", "corefile|reload", "notify|transfer",
	}
)

// TestRunbookLog: what a page has its reader look for in the log is what the
// server writes there.
func TestRunbookLog(t *testing.T) {
	lines := logLines(t)
	found := 0
	for _, p := range pages(t) {
		for _, command := range journal.FindAllString(p.text, -1) {
			found++
			pattern := grepped(t, command)
			for _, one := range notOurLog {
				if strings.TrimPrefix(pattern, "(?i)") == one {
					pattern = ""
				}
			}
			if !regexp.MustCompile(pattern).MatchString(lines) {
				t.Errorf("%s: the server never logs %s", p.name, pattern)
			}
		}
	}
	if found < 10 {
		t.Errorf("The runbook looks into the log %d times, there are more", found)
	}
}

// grepped is the pattern that a command line has grep look for.
func grepped(t *testing.T, command string) string {
	t.Helper()
	m := grep.FindStringSubmatch(command)
	if m == nil {
		t.Fatalf("No pattern in %s", command)
	}
	if strings.Contains(m[1], "i") {
		return "(?i)" + m[2] + m[3]
	}
	return m[2] + m[3]
}

// logLines are all that our plugins can write to the log.
func logLines(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("../../plugin", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range logged.FindAllSubmatch(text, -1) {
			all.Write(append(m[1], '\n'))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
