//go:build e2e

package browser

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

// corefile is the policy that the logs are judged by.
const corefile = `. {
	lookalike ml {
		protect army.mil navy.mil us.af.mil
		action high nxdomain
		action medium monitor
		action homoglyph nxdomain
	}
}
`

// correspondents are the domains that an invented organisation wrote to, with
// how many days lie between two messages. Nearly all is as it should be.
var correspondents = []struct {
	domain string
	every  int
	status string
	from   int // how many of the users write there
}{
	{"army.mil", 1, "sent", 9}, {"example.org", 1, "sent", 9},
	{"army.ml", 2, "sent", 8}, {"us-af.ml", 5, "sent", 4}, {"navy.mil.ml", 8, "sent", 3}, {"amry.ml", 11, "bounced", 3},
	{"arrny.ml", 17, "sent", 2}, {"xn--rmy-5cd.ml", 23, "sent", 1}, {"navvy.ml", 13, "sent", 2}, {"army-travel.ml", 40, "sent", 1},
}

// mailLog is a log of Postfix over nine months of 2026, in which three weeks are
// missing. It is the same every time.
func mailLog() string {
	var b strings.Builder
	n := 0
	write := func(at time.Time, from, to, status string) {
		n++
		id := fmt.Sprintf("4jZY%08dz%04d", n, n%10_000)
		stamp := at.Format("2006-01-02T15:04:05.000000-07:00")
		relay, dsn := "mail.example.ml[198.51.100.30]:25", "2.0.0"
		if status == "bounced" {
			relay, dsn = "none", "5.4.4"
		}
		host := []string{"mx1", "mx2"}[n%3/2]
		fmt.Fprintf(&b, "%s %s postfix/smtpd[7]: %s: client=pc%d.example.net[192.0.2.%d]\n", stamp, host, id, n%5, 70+n%5)
		fmt.Fprintf(&b, "%s %s postfix/qmgr[1]: %s: from=<%s>, size=900, nrcpt=1 (queue active)\n", stamp, host, id, from)
		fmt.Fprintf(&b, "%s %s postfix/smtp[2]: %s: to=<%s>, relay=%s, delay=0.3, delays=0.1/0.2/0/0, dsn=%s, status=%s (250 OK)\n", stamp, host, id, to, relay, dsn, status)
		fmt.Fprintf(&b, "%s %s postfix/qmgr[1]: %s: removed\n", stamp, host, id)
	}
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for day := range 269 {
		if day >= 96 && day < 117 {
			continue
		}
		at := start.AddDate(0, 0, day)
		for i, c := range correspondents {
			if (day*7+i*3)%c.every != 0 {
				continue
			}
			for k := range 1 + (day*day+i)%3 {
				domain := []string{"example.net", "example.net", "travel.example.net"}[(day+k)%3]
				write(at.Add(time.Duration(60*i+k)*time.Minute), fmt.Sprintf("user%d@%s", (day+i+k)%(c.from*2), domain), fmt.Sprintf("bob%d@%s", k, c.domain), c.status)
			}
		}
		if day%29 == 3 {
			write(at.Add(9*time.Hour), "orders@navvy.ml", "user1@example.net", "sent")
		}
	}
	return b.String()
}

// hostileLog has addresses that try to get out of a page.
func hostileLog() string {
	var b strings.Builder
	label := strings.Repeat("x", 63)
	for i, to := range []string{
		`"<script>alert(1)</script>"@army.ml`, `bob@` + label + "." + label + "." + label + ".army.ml", "bob@\u202eyvan\u2066.army.ml",
		`"><img/src=x>@amry.ml`, "bob@xn--rmy-5cd.ml", `{{.}}@us-af.ml`,
	} {
		fmt.Fprintf(&b, "2026-11-24T09:00:%02d.1+00:00 mx postfix/qmgr[1]: 4jZYPS24SM%dz: from=<a%d@example.net>, size=900, nrcpt=1 (queue active)\n", i, i, i)
		fmt.Fprintf(&b, "2026-11-24T09:00:%02d.2+00:00 mx postfix/smtp[2]: 4jZYPS24SM%dz: to=<%s>, relay=mail.example.ml[198.51.100.30]:25, delay=0.3, dsn=2.0.0, status=sent (250 OK)\n", i, i, to)
	}
	return b.String()
}

// pages makes the pages that are looked at.
func pages(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "Corefile")
	if err := os.WriteFile(conf, []byte(corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	var alerts []byte
	for _, r := range recordtest.EveryPhase() {
		alerts = append(format.ECS().Append(alerts, r), '\n')
	}
	all := make(map[string]string)
	for _, p := range []struct {
		name, stdin string
		args        []string
	}{
		{"audit", mailLog(), []string{"audit", "-conf", conf}},
		{"nothing", strings.ReplaceAll(mailLog(), ".ml>", ".mil>"), []string{"audit", "-conf", conf}},
		{"hostile", hostileLog(), []string{"audit", "-conf", conf, "-addresses", "full"}},
		{"report", string(alerts), []string{"report", "-month", "2026-11"}},
	} {
		all[p.name] = filepath.Join(dir, p.name+".html")
		run(t, p.stdin, append(p.args, "-tz", "UTC", "-format", "html", "-o", all[p.name], "-")...)
	}
	return all
}

// TestPages looks at each page in the light, in the dark and on a narrow screen:
// it fits, axe-core finds nothing, and nothing is asked for.
func TestPages(t *testing.T) {
	for name, file := range pages(t) {
		for _, look := range []struct {
			name  string
			width int64
			dark  bool
		}{{"light", 1180, false}, {"dark", 1180, true}, {"narrow", 320, false}} {
			t.Run(name+" "+look.name, func(t *testing.T) {
				b := open(t, "file://"+file, look.width, look.dark)
				b.fits(t, look.width)
				b.accessible(t)
				b.quiet(t)
				b.keep(t, name+"-"+look.name)
			})
		}
	}
}

// TestPrint prints the page: all of it is on paper.
func TestPrint(t *testing.T) {
	b := open(t, "file://"+pages(t)["audit"], 1180, true)
	pdf := get(t, b, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPaper(chromedp.PaperA4)))
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || bytes.Count(pdf, []byte("/Type /Page\n")) == 0 && bytes.Count(pdf, []byte("/Type/Page")) == 0 && len(pdf) < 50_000 {
		t.Errorf("Got %d bytes, which are no print of the page", len(pdf))
	}
	b.quiet(t)
	if dir := os.Getenv("LOOKALIKE_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "audit.pdf"), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// keep writes a picture of the whole page into the directory LOOKALIKE_PICTURES,
// for somebody to look at.
func (b *tab) keep(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("LOOKALIKE_PICTURES")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), get(t, b, chromedp.FullScreenshot(100)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// picture is the one that the README shows.
const picture = "../../build/internal/report/testdata/page.png"

// TestPicture makes the picture of the README from the page of today's code.
// Letters differ with the fonts of a machine, so the one in the repository is
// compared by its size alone; LOOKALIKE_UPDATE=1 replaces it.
func TestPicture(t *testing.T) {
	b := open(t, "file://"+pages(t)["audit"], 1000, false)
	got := get(t, b, chromedp.CaptureScreenshot())
	if os.Getenv("LOOKALIKE_UPDATE") != "" {
		if err := os.WriteFile(picture, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	const most = 150 << 10
	if len(want) > most {
		t.Errorf("The picture has %d bytes, more than %d", len(want), most)
	}
	is, err := png.DecodeConfig(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := png.DecodeConfig(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	if is.Width != fresh.Width || is.Height != fresh.Height {
		t.Errorf("The picture is %d by %d, the page %d by %d: LOOKALIKE_UPDATE=1 go test -tags e2e -run TestPicture ./test/browser replaces it", is.Width, is.Height, fresh.Width, fresh.Height)
	}
}
