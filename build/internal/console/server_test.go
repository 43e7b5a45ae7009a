package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a console that reads one file.
type running struct {
	t    *testing.T
	url  string
	file string
	http *http.Client
}

// start runs a console until the test ends.
func start(t *testing.T, c Console) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, url: "http://" + l.Addr().String(), file: filepath.Join(t.TempDir(), "alerts.json")}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	r.http = &http.Client{Jar: jar, Transport: transport, Timeout: wait.Limit}
	if err := os.WriteFile(r.file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Alerts = []string{r.file}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		transport.CloseIdleConnections()
		if err := wait.For(t, "the console to end", ended); err != nil {
			t.Errorf("The console ended with %v", err)
		}
	})
	return r
}

// write adds an alert to the file.
func (r *running) write(n int, client, name string, change ...func(*record.Record)) {
	r.t.Helper()
	f, err := os.OpenFile(r.file, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	a := alert(n, client, name, append(change, now)...)
	if _, err := f.Write(append(format.ECS().Append(nil, &a.Record), '\n')); err != nil {
		r.t.Fatal(err)
	}
}

// now has an alert happen now.
func now(r *record.Record) {
	r.Start, r.End = time.Now().Add(-time.Second), time.Now()
	r.FirstSeen = r.Start
}

// get returns the status and body of a page.
func (r *running) get(path string, headers ...string) (int, string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	reply, err := r.http.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply.StatusCode, string(body)
}

func (r *running) until(path, part string) string {
	r.t.Helper()
	var body string
	wait.Until(r.t, part+" at "+path, func() bool {
		_, body = r.get(path)
		return strings.Contains(body, part)
	})
	return body
}

func TestPages(t *testing.T) {
	r := start(t, Console{})
	r.write(0, "192.0.2.25", "army.ml")
	page := r.until("/", "army.ml")
	for _, part := range []string{`<title>lookalike console</title>`, "192.0.2.25", "tld-swap", "nxdomain", "ns1.example.org", "Queries stopped"} {
		if !strings.Contains(page, part) {
			t.Errorf("No %q in the page", part)
		}
	}
	_, rest, _ := strings.Cut(page, `href="/incident/`)
	id, _, _ := strings.Cut(rest, `"`)
	_, detail := r.get("/incident/" + id)
	for _, part := range []string{
		"army.ml</bdi> resembles <bdi>army.mil", `class="cell slip"`, "army.ml is army.mil under ml",
		"army.ml  until=", "lookalike check -conf Corefile -client 192.0.2.25 -- army.ml", "192.0.2.25 army.ml 0",
	} {
		if !strings.Contains(detail, part) {
			t.Errorf("No %q in the page of the incident:\n%s", part, detail)
		}
	}
	tests := []struct {
		path   string
		status int
		part   string
	}{
		{"/?q=nothing", 200, "No incident matches."},
		{"/?client=here", 200, "write an address or a network"},
		{"/?class=tipo", 200, "unknown class"},
		{"/rows?q=army", 200, "army.ml"},
		{"/incident/none", 404, "The console does not have this incident."},
		{"/static/console.js", 200, "EventSource"},
		{"/static/console.css", 200, "--live"},
		{"/static/look.css", 200, "color-scheme"},
		{"/static/", 200, ""},
		{"/events?class=tipo&seen=x", 400, "unknown class"},
		{"/else", 404, "not found"},
	}
	for _, tc := range tests {
		status, body := r.get(tc.path)
		if status != tc.status || !strings.Contains(body, tc.part) {
			t.Errorf("%s: status %d, want %d and %q in\n%s", tc.path, status, tc.status, tc.part, body)
		}
	}
}

func TestLostAlertsShow(t *testing.T) {
	r := start(t, Console{})
	r.write(0, "192.0.2.25", "army.ml", func(r *record.Record) {
		r.Phase = record.Lost
		r.Lost = &record.Gap{Epoch: "e", From: 3, To: 9, Records: 7, Detections: 12, Reason: "queue_full"}
	})
	r.until("/", "7 alerts")
}

// Names come from whoever asks.
func TestNamesStayText(t *testing.T) {
	names := []string{
		"<script>alert(1)</script>.ml", `"onmouseover="x.ml`, "a\u202egnp.ml", "zero\u200bwidth.ml", "<!--.ml", "{{.}}.ml", strings.Repeat("a", 63) + ".ml",
		"javascript:alert(1).ml", "</title><b>.ml", "'; rm -rf $HOME; echo '.ml",
	}
	r := start(t, Console{})
	for i, name := range names {
		r.write(i, "192.0.2.25", name, func(r *record.Record) {
			r.Unicode, r.Reason, r.Protected, r.DidYouMean, r.Sensor = name, name, []string{name}, []string{name}, name
			r.SMTP = []record.SMTP{{From: name, To: name, HELO: name}}
		})
	}
	page := r.until("/", "rm -rf")
	for _, href := range strings.Split(page, `href="/incident/`)[1:] {
		id, _, _ := strings.Cut(href, `"`)
		_, detail := r.get("/incident/" + id)
		page += detail
	}
	for _, bad := range []string{"<script>alert", `"onmouseover=`, "\u202e", "\u200b", "<!--", "</title><b>", `href="javascript:`} {
		if strings.Contains(page, bad) {
			t.Errorf("%q stands in the pages", bad)
		}
	}
	if want := `-- &#39;&#39;\&#39;&#39;; rm -rf $HOME; echo &#39;\&#39;&#39;.ml&#39;`; !strings.Contains(page, want) {
		t.Errorf("No word for a shell %s", want)
	}
}

func TestGuard(t *testing.T) {
	const token = "0123456789abcdef"
	open, closed := start(t, Console{Hosts: []string{"console.example.net"}}), start(t, Console{Token: token})
	tests := []struct {
		name    string
		at      *running
		path    string
		headers []string
		status  int
		part    string
	}{
		{"by address", open, "/", nil, 200, "Incidents"},
		{"localhost", open, "/", []string{"Host", "localhost:8053"}, 200, "Incidents"},
		{"IPv6", open, "/", []string{"Host", "[::1]:8053"}, 200, "Incidents"},
		{"a name that was given", open, "/", []string{"Host", "Console.example.net"}, 200, "Incidents"},
		{"a name that leads here", open, "/", []string{"Host", "rebound.example.org"}, 421, "unknown host"},
		{"its rows", open, "/rows", []string{"Host", "rebound.example.org:8053"}, 421, "unknown host"},
		{"no host", open, "/", []string{"Host", " "}, 421, "unknown host"},
		{"no token: the way in", closed, "/", nil, 200, `name="token"`},
		{"no token: rows", closed, "/rows", nil, 401, "the token is missing or wrong"},
		{"no token: events", closed, "/events", nil, 401, "the token is missing or wrong"},
		{"no token: an incident", closed, "/incident/x", nil, 401, "the token is missing or wrong"},
		{"no token: the style", closed, "/static/look.css", nil, 200, "color-scheme"},
		{"a wrong token", closed, "/rows", []string{"Authorization", "Bearer 0123456789abcdee"}, 401, "wrong"},
		{"the token", closed, "/rows", []string{"Authorization", "Bearer " + token}, 200, "no alerts yet"},
		{"a made-up cookie", closed, "/rows", []string{"Cookie", cookieName + "=" + token}, 401, "wrong"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			tc.at.t = t
			if status, body := tc.at.get(tc.path, tc.headers...); status != tc.status || !strings.Contains(body, tc.part) {
				t.Errorf("Status %d, want %d and %q in\n%s", status, tc.status, tc.part, body)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	r := start(t, Console{Token: "0123456789abcdef"})
	for _, tc := range []struct {
		token  string
		status int
		part   string
	}{
		{"", 401, "Wrong token."},
		{"0123456789abcdeg", 401, "Wrong token."},
		{"0123456789abcdef", 200, "Incidents"},
	} {
		reply, err := r.http.PostForm(r.url+loginPath, url.Values{"token": {tc.token}})
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(reply.Body)
		reply.Body.Close()
		if reply.StatusCode != tc.status || !strings.Contains(string(body), tc.part) {
			t.Errorf("%q: status %d, want %d and %q", tc.token, reply.StatusCode, tc.status, tc.part)
		}
	}
	if status, _ := r.get("/rows"); status != 200 {
		t.Errorf("Status %d with the cookie", status)
	}
}

func TestNothingChanges(t *testing.T) {
	r := start(t, Console{})
	for _, path := range []string{"/", "/rows", "/incident/x", "/events"} {
		reply, err := r.http.Post(r.url+path, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		if reply.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: status %d", path, reply.StatusCode)
		}
		for name, want := range headers {
			if got := reply.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

// listening is a browser's stream of events.
type listening struct {
	t     *testing.T
	lines chan string
	close func()
}

func (r *running) listen(query, last string) *listening {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/events?"+query, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	reply, err := r.http.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	l := &listening{t: r.t, lines: make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(l.lines)
		sc := bufio.NewScanner(reply.Body)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			l.lines <- sc.Text()
		}
	}()
	l.close = func() { cancel(); reply.Body.Close(); <-done }
	r.t.Cleanup(l.close)
	return l
}

// next returns the kind, the id and the data of the next event.
func (l *listening) next() (kind, id string, data push) {
	l.t.Helper()
	for {
		line, open := wait.For(l.t, "an event", l.lines), true
		if line == "" {
			select {
			case line, open = <-l.lines:
			default:
			}
		}
		if !open {
			l.t.Fatal("The stream has ended")
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "event":
			kind = value
		case "id":
			id = value
		case "data":
			if err := json.Unmarshal([]byte(value), &data); err != nil {
				l.t.Fatal(err)
			}
			return kind, id, data
		}
	}
}

func seen(page string) string {
	_, rest, _ := strings.Cut(page, `data-seen="`)
	s, _, _ := strings.Cut(rest, `"`)
	return url.QueryEscape(s)
}

func TestEvents(t *testing.T) {
	r := start(t, Console{})
	_, page := r.get("/")
	all := r.listen("seen="+seen(page), "")
	navy := r.listen("name=navy&seen="+seen(page), "")
	r.write(0, "192.0.2.25", "army.ml")
	kind, id, p := all.next()
	if kind != "incidents" || len(p.Rows) != 1 || !strings.Contains(p.Rows[0].HTML, "army.ml") || !strings.Contains(p.Numbers, "Queries stopped") {
		t.Errorf("Got event %s with %+v", kind, p)
	}
	if _, _, p := navy.next(); len(p.Rows) != 0 {
		t.Errorf("Another filter got %+v", p.Rows)
	}
	r.write(1, "192.0.2.25", "army.ml")
	if _, _, p := all.next(); len(p.Rows) != 1 || !strings.Contains(p.Rows[0].HTML, `<td class="n">2</td>`) {
		t.Errorf("Got %+v, want the same incident with two queries", p.Rows)
	}

	again := r.listen("seen="+seen(page), id) // a browser that has lost its connection
	if _, _, p := again.next(); len(p.Rows) != 1 || !strings.Contains(p.Rows[0].HTML, `<td class="n">2</td>`) {
		t.Errorf("Got %+v, want what has changed since", p.Rows)
	}
	if kind, _, _ := r.listen("seen=another.7", "").next(); kind != "restart" {
		t.Errorf("Got event %s for the page of another process", kind)
	}

	for n := range mostPushed + 5 {
		r.write(0, "192.0.2.30", fmt.Sprintf("navy%d.ml", n))
	}
	for {
		if _, _, p := all.next(); p.Whole {
			break // which takes several events where the file is read in parts
		} else if len(p.Rows) == 0 {
			t.Fatal("The change went by")
		} else if strings.Contains(p.Rows[len(p.Rows)-1].HTML, fmt.Sprintf("navy%d.ml", mostPushed+4)) {
			break
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	r := start(t, Console{})
	_, page := r.get("/")
	for range mostStreams {
		r.listen("seen="+seen(page), "")
	}
	if status, body := r.get("/events?seen=" + seen(page)); status != http.StatusServiceUnavailable {
		t.Errorf("Status %d: %s", status, body)
	}
}
