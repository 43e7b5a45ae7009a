//go:build e2e

package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

func TestMain(m *testing.M) { harness.Main(m) }

// limit is how long one page may take on a loaded machine.
const limit = 3 * time.Minute

// tab is an open page, and what the browser said of it.
type tab struct {
	context.Context

	mu       sync.Mutex
	requests []string // but that for the page itself
	messages []string // of the console, such as violations of the policy
}

// open starts a browser and shows the page at an address in it.
func open(t *testing.T, address string, width int64, dark bool) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("hide-scrollbars", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, limit)
	t.Cleanup(stop)
	b := &tab{Context: ctx}
	if err := chromedp.Listen(ctx, b.hear(address)); err != nil {
		t.Fatal(err)
	}
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	b.do(t, call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}), call(emulation.SetEmulatedMedia, media),
		chromedp.EmulateViewport(width, 990), chromedp.Navigate(address))
	return b
}

// hear returns what notes the events of the browser.
func (b *tab) hear(address string) func(event any) {
	return func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if e.Request.URL != address {
				b.requests = append(b.requests, e.Request.URL)
			}
		case *log.EventEntryAdded:
			b.messages = append(b.messages, e.Entry.Text)
		case *runtime.EventExceptionThrown:
			b.messages = append(b.messages, fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		}
	}
}

// call is a command of the protocol that returns nothing.
func call[P any](command cdp.Command[P, cdp.Empty], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, command, params)
		return err
	})
}

// do has the browser do things.
func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		t.Fatal(err)
	}
}

// get has the browser do something, and returns what comes of it.
func get[T any](t *testing.T, b *tab, a chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(b, a)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// quiet fails for a request that the page made, and for what the browser had to
// say of it.
func (b *tab) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) > 0 {
		t.Errorf("The page asks for %q", b.requests)
	}
	if len(b.messages) > 0 {
		t.Errorf("The browser says %q", b.messages)
	}
}

// fits fails where the page is wider than the screen.
func (b *tab) fits(t *testing.T, width int64) {
	t.Helper()
	wide := eval[int64](t, b, `document.documentElement.scrollWidth`)
	what := eval[string](t, b, `[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(e => e.outerHTML.slice(0, 80)).join(" ; ")`)
	if wide > width || what != "" {
		t.Errorf("The page is %d pixels wide on a screen of %d: %s", wide, width, what)
	}
}

// axeVersion is the version of axe-core (MPL-2.0), which tests alone use: it is
// fetched when it is needed, and is no part of this repository.
const axeVersion = "4.14.1"

// axe is the script, which is fetched once.
var axe = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "axe")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	npm := exec.CommandContext(ctx, "npm", "pack", "--silent", "axe-core@"+axeVersion)
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: "npm pack axe-core: " + string(out), Err: err}
	}
	f, err := os.Open(filepath.Join(dir, "axe-core-"+axeVersion+".tgz"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(z); ; {
		h, err := files.Next()
		if err != nil {
			return "", err
		}
		if h.Name == "package/axe.min.js" {
			script, err := io.ReadAll(files)
			return string(script), err
		}
	}
})

// accessible fails for what axe-core finds.
func (b *tab) accessible(t *testing.T) {
	t.Helper()
	script, err := axe()
	if err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Evaluate[chromedp.Void](script))
	found := get(t, b, chromedp.Evaluate[string](`axe.run().then(r => JSON.stringify(r.violations.map(v =>
		[v.id, v.help, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary])))`, chromedp.EvalAwaitPromise))
	var violations [][]any
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Errorf("axe-core: %v", v)
	}
}

// run runs the tool; the exit status has to be 0 or 1.
func run(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := wait.Command(t, limit, harness.Tool(t), args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 {
		t.Fatalf("lookalike %v: status %d, error %v, messages %s", args, code, err, stderr.String())
	}
	return string(out)
}
