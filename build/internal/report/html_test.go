package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// golden compares output with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; go test -update writes it anew. Got:\n%s", path, got)
	}
}

func written(t *testing.T, p *Page, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pages are pages of all kinds.
func pages() map[string]*Page {
	return map[string]*Page{"sample": sample(), "hostile": hostile(), "empty": empty(), "review": review(), "queries": queries()}
}

func TestGolden(t *testing.T) {
	for _, tc := range []struct{ name, page, format string }{
		{"text", "sample", "text"}, {"json", "sample", "json"}, {"empty-text", "empty", "text"}, {"review-text", "review", "text"}, {"hostile-text", "hostile", "text"},
	} {
		t.Run(tc.name, func(t *testing.T) { golden(t, tc.name, written(t, pages()[tc.page], tc.format)) })
	}
}

// TestHTMLParts compares parts of the page, one after the other, so that a
// change is seen where it is.
func TestHTMLParts(t *testing.T) {
	parts := []struct{ name, page, begin, end string }{
		{"figures", "sample", `<dl class="figures">`, `</dl>`},
		{"trend", "sample", `<section id="trend"`, `</section>`},
		{"names", "sample", `<section id="names"`, `</section>`},
		{"allow", "sample", `<section id="allow"`, `</section>`},
		{"name", "sample", `<article class="lookalike" id="name-2"`, `</article>`},
		{"read", "sample", `<section id="read"`, `</section>`},
		{"exceptions", "review", `<section id="exceptions"`, `</section>`},
		{"health", "review", `<section id="health"`, `</section>`},
	}
	for _, tc := range parts {
		t.Run(tc.name, func(t *testing.T) {
			page := written(t, pages()[tc.page], "html")
			_, rest, ok := bytes.Cut(page, []byte(tc.begin))
			part, _, ended := bytes.Cut(rest, []byte(tc.end))
			if !ok || !ended {
				t.Fatalf("The page has no %s", tc.begin)
			}
			golden(t, "html-"+tc.name, slices.Concat([]byte(tc.begin), part, []byte(tc.end+"\n")))
		})
	}
}

// known are the elements that the template has. Whatever else there is came
// from the data.
var known = strings.Fields(`html head meta title style body header span strong main h1 ul li dl div dt dd nav a section h2 h3 h4 p svg defs pattern
	rect line circle desc text tspan table caption thead tbody tr th td pre article bdi code footer`)

// TestHTMLIsInert walks through pages as a browser reads them: nothing that
// runs, nothing that loads, no link but to the page itself, and no character
// that hides or turns text.
func TestHTMLIsInert(t *testing.T) {
	for name, p := range pages() {
		t.Run(name, func(t *testing.T) {
			root, err := html.Parse(bytes.NewReader(written(t, p, "html")))
			if err != nil {
				t.Fatal(err)
			}
			ids := make(map[string]int)
			csp := false
			for n := range root.Descendants() {
				switch n.Type {
				case html.ElementNode:
					if !slices.Contains(known, n.Data) {
						t.Errorf("Got element %s", n.Data)
					}
					for _, a := range n.Attr {
						inert(t, n, a)
						if a.Key == "id" {
							ids[a.Val]++
						}
						csp = csp || a.Val == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
					}
				case html.TextNode:
					if strings.ContainsFunc(n.Data, func(r rune) bool { return r != '\n' && text.Unsafe(r) }) {
						t.Errorf("Got text %q", n.Data)
					}
				case html.CommentNode:
					t.Errorf("Got comment %q", n.Data)
				}
			}
			for id, times := range ids {
				if times > 1 {
					t.Errorf("Got id %q %d times", id, times)
				}
			}
			if !csp {
				t.Error("The page has no Content-Security-Policy")
			}
		})
	}
}

// inert fails for an attribute that a browser would obey.
func inert(t *testing.T, n *html.Node, a html.Attribute) {
	t.Helper()
	switch {
	case strings.HasPrefix(a.Key, "on"), a.Key == "src", a.Key == "action", a.Key == "srcdoc", a.Key == "formaction":
		t.Errorf("Got attribute %s=%q of %s", a.Key, a.Val, n.Data)
	case a.Key == "href" && !regexp.MustCompile(`^#[a-z0-9-]+$`).MatchString(a.Val):
		t.Errorf("Got a link to %q", a.Val)
	case a.Key == "style" && strings.Contains(a.Val, "url"), strings.ContainsFunc(a.Val, text.Unsafe):
		t.Errorf("Got attribute %s=%q of %s", a.Key, a.Val, n.Data)
	}
}

// TestHTMLStaysText: what looks like markup is text in the page.
func TestHTMLStaysText(t *testing.T) {
	page := string(written(t, hostile(), "html"))
	for _, want := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;.ml", `\226\128\174yvan\226\129\166.ml`, "{{.Headline}}.ml", "javascript:alert(1).ml", `a\000\027[2J.ml`, strings.Repeat("0", 63)} {
		if !strings.Contains(page, want) {
			t.Errorf("The page has no %q", want)
		}
	}
}

// TestHTMLCharts: a chart says in words what it shows, and a table follows.
func TestHTMLCharts(t *testing.T) {
	page := string(written(t, sample(), "html"))
	charts := regexp.MustCompile(`<svg class="chart[^"]*" role="img" aria-labelledby="([a-z-]+)-t ([a-z-]+)-d"[^>]*>\s*<title id="([a-z-]+)-t">([^<]+)</title><desc id="([a-z-]+)-d">([^<]+)</desc>`).FindAllStringSubmatchIndex(page, -1)
	if len(charts) != 4 || len(charts) != strings.Count(page, `<svg class="chart`) {
		t.Fatalf("Got %d charts that say what they are, of %d", len(charts), strings.Count(page, `<svg class="chart`))
	}
	for _, at := range charts {
		rest := page[at[1]:]
		table, next := strings.Index(rest, "<table"), strings.Index(rest, `<svg class="chart`)
		if table < 0 || next >= 0 && next < table {
			t.Errorf("No table follows %s", page[at[0]:at[1]])
		}
	}
}

// TestHTMLSize: a thousand names are a page that a browser shows at once.
func TestHTMLSize(t *testing.T) {
	p := sample()
	for len(p.Names) < 1000 {
		p.Names = append(p.Names, p.Names[0])
	}
	page := written(t, p, "html")
	if got := strings.Count(string(page), `<article class="lookalike"`); got != mostSectioned {
		t.Errorf("Got %d sections, want %d", got, mostSectioned)
	}
	if !strings.Contains(string(page), "The JSON has 500 more.") || len(page) > 1<<20 {
		t.Errorf("Got %d bytes, or nothing about the rest", len(page))
	}
}
