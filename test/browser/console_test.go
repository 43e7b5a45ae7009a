//go:build e2e

package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// desk is how wide the window of most people is.
const desk = 1400

// server is a Corefile whose alerts go to a file.
const server = `.:{$DNS} {
	bind 127.0.0.1
	lookalike {
		alert %s
	}
	forward . {$UPSTREAM}
}
`

// consoleAt runs lookalike console, and returns a function that ends it.
func consoleAt(t *testing.T, listen string, alerts ...string) (url string, stop func()) {
	t.Helper()
	cmd := exec.Command(harness.Tool(t), append([]string{"console", "-listen", listen}, alerts...)...)
	log, err := os.CreateTemp(t.TempDir(), "console")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Signal(os.Interrupt)
			wait.Done(t, "the console to end", func() { _ = cmd.Wait() })
			log.Close()
		}
	}
	t.Cleanup(stop)
	wait.Until(t, "the console", func() bool {
		text, _ := os.ReadFile(log.Name())
		_, rest, found := strings.Cut(string(text), "the console is at ")
		url = strings.TrimSpace(rest)
		return found && strings.HasSuffix(rest, "\n")
	})
	return url, stop
}

// sound holds what every page of the console has to be.
func (b *tab) sound(t *testing.T, own string, width int64) {
	t.Helper()
	b.mu.Lock()
	b.requests = slices.DeleteFunc(b.requests, func(url string) bool { return strings.HasPrefix(url, own) })
	b.mu.Unlock()
	b.quiet(t)
	if wide := eval[int64](t, b, "document.documentElement.scrollWidth"); wide > width {
		t.Errorf("The page is %d pixels wide on a screen of %d", wide, width)
	}
	b.accessible(t)
}

// eval runs JavaScript in the page.
func eval[T any](t *testing.T, b *tab, script string) T {
	t.Helper()
	return get(t, b, chromedp.Evaluate[T](script))
}

// until waits until an expression of JavaScript is true.
func (b *tab) until(t *testing.T, what, expression string) {
	t.Helper()
	wait.Until(t, what+": "+expression, func() bool {
		ok, err := chromedp.Run(b, chromedp.Evaluate[bool]("!!("+expression+")"))
		return err == nil && ok // an error is none: the page may be on its way to another
	})
}

// follow goes to where a link leads.
func (b *tab) follow(t *testing.T, link string) {
	t.Helper()
	b.do(t, chromedp.Navigate(eval[string](t, b, "document.querySelector('"+link+"').href")))
}

// live waits until the page is.
func (b *tab) live(t *testing.T) {
	t.Helper()
	b.until(t, "the page to be live", "document.querySelector('#state.live')")
}

// TestConsoleLive shows alerts of a real server in a real browser, over restarts
// of the server, of the console and of the browser.
func TestConsoleLive(t *testing.T) {
	upstream := harness.NewUpstream(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "alerts.json")
	config := harness.Config{Corefile: fmt.Sprintf(server, file), Upstream: upstream.Addr}
	running := harness.Start(t, config)
	ask := func(name string) {
		harness.Exchange(t, "udp", running.Addr("DNS"), harness.Query(name, dns.TypeMX))
	}
	ask("army.ml")
	wait.Until(t, "the alert file", func() bool { _, err := os.Stat(file); return err == nil })
	url, stop := consoleAt(t, "127.0.0.1:0", file)
	shows := func(p *tab, name string) {
		t.Helper()
		p.until(t, name+" on the page", fmt.Sprintf("[...document.querySelectorAll('#rows th')].some(h => h.innerText.startsWith(%q))", name))
	}

	p := open(t, url, desk, false)
	shows(p, "army.ml")
	p.live(t)

	began := time.Now()
	ask("navy.ml")
	shows(p, "navy.ml")
	t.Logf("The alert was on the page %v after the query", time.Since(began).Round(time.Millisecond))

	running.Stop()
	running = harness.Start(t, config)
	ask("marines.ml")
	shows(p, "marines.ml")

	address := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")
	stop()
	p.until(t, "the page to say that nobody answers", "document.querySelector('#state').innerText.includes('does not answer')")
	_, stop = consoleAt(t, address, file)
	p.live(t)
	ask("usmc.ml")
	shows(p, "usmc.ml")

	other := open(t, url, desk, false)
	shows(other, "usmc.ml")
	other.follow(t, "#rows a")
	other.until(t, "the drawn slips", "document.querySelector('.cell.slip')")
	other.sound(t, url, desk)
	stop()
}

// crowd writes an alert file of n incidents, a few of them hostile.
func crowd(t *testing.T, n int) string {
	t.Helper()
	var b []byte
	for i := range n {
		r := recordtest.First()
		r.ID, r.Group = fmt.Sprintf("id-%d", i), fmt.Sprintf("%016x", i)
		r.Name = fmt.Sprintf("host%d.army.ml", i)
		switch i {
		case n - 1:
			r.Name = "<script>document.title='bad'</script>.army.ml"
		case n - 2:
			r.Name = "a\u202elm.ymra.ml"
		case n - 3:
			r.Name = strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + ".army.ml"
		}
		r.Samples = []string{r.Name}
		r.Client = recordtest.Client(i)
		r.End = time.Now().Add(time.Duration(i-n) * time.Millisecond)
		r.Start, r.FirstSeen = r.End, r.End
		b = append(format.ECS().Append(b, r), '\n')
	}
	file := filepath.Join(t.TempDir(), "alerts.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestConsoleLooks looks at the page as people do.
func TestConsoleLooks(t *testing.T) {
	url, _ := consoleAt(t, "127.0.0.1:0", crowd(t, 500))
	for _, tc := range []struct {
		name  string
		width int64
		dark  bool
	}{{"light", desk, false}, {"dark", desk, true}, {"narrow", 320, false}} {
		t.Run(tc.name, func(t *testing.T) {
			p := open(t, url, tc.width, tc.dark)
			p.until(t, "rows", "document.querySelectorAll('#rows tr').length === 100")
			p.live(t)
			p.sound(t, url, tc.width)
			if title := eval[string](t, p, "document.title"); title != "lookalike console" {
				t.Errorf("A name has made the title %q", title)
			}
			p.follow(t, "#rows a")
			p.sound(t, url, tc.width)
		})
	}
}

// search goes to the search by its key. The protocol of the browser's tools types
// the letter even where the page keeps it from that, so it is taken back.
func search(t *testing.T, p *tab) {
	t.Helper()
	p.do(t, chromedp.KeyEvent("/"))
	p.until(t, "the search to have the focus", "document.activeElement.name === 'q'")
	p.do(t, chromedp.KeyEvent(kb.Backspace))
}

// TestConsoleKeyboard uses the page with keys alone.
func TestConsoleKeyboard(t *testing.T) {
	url, _ := consoleAt(t, "127.0.0.1:0", crowd(t, 300))
	p := open(t, url, desk, false)
	p.live(t)
	search(t, p)
	p.do(t, chromedp.KeyEvent("host123."))
	p.until(t, "one row", "document.querySelectorAll('#rows tr').length === 1")
	for range 20 {
		p.do(t, chromedp.KeyEvent("\t"))
		if eval[bool](t, p, "document.activeElement.matches('#rows a')") {
			break
		}
	}
	p.do(t, chromedp.KeyEvent("\r"))
	p.until(t, "the page of the incident", "document.querySelector('h1').innerText.includes('host123.army.ml')")
}

// TestConsoleCrowd holds that 100,000 incidents leave the page quick: the longest
// task of its scripts while one searches, and what a search takes.
func TestConsoleCrowd(t *testing.T) {
	url, _ := consoleAt(t, "127.0.0.1:0", crowd(t, 100_000))
	p := open(t, url, desk, false)
	p.until(t, "all incidents", "document.querySelector('.figures dd').innerText === '100,000'")
	p.live(t)
	eval[int](t, p, "window.longest = 0; new PerformanceObserver(l => { for (const e of l.getEntries()) longest = Math.max(longest, e.duration) }).observe({type: 'longtask'}); 0")
	search(t, p)
	p.do(t, chromedp.KeyEvent("host77777."))
	p.until(t, "one row", "document.querySelectorAll('#rows tr').length === 1")
	if n := eval[int](t, p, "document.querySelectorAll('*').length"); n > 2500 {
		t.Errorf("The page has %d elements: it shows more than a part", n)
	}
	t.Logf("The longest task of the page took %.0f ms", eval[float64](t, p, "longest"))
}
