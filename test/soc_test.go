//go:build e2e

package test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/build/soc/soctest"
	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

var updateSample = flag.Bool("update-soc-sample", false, "write the records of build/soc/soctest anew")

// socCorefile makes every kind of record: an action for each of the first
// classes, a view, targets in answers, refused mail, and two ways to receivers.
const socCorefile = `
(alerts) {
	alert ./alerts.jsonl
	alert ./alerts.cef cef
	alert ./queries.jsonl every=query
	alert %[1]s/ecs
	alert %[1]s/cef cef
	spool ./spool
}
.:{$DNS} {
	bind 127.0.0.1 ::1
	view watched {
		expr client_ip() == '127.0.0.9'
	}
	lookalike {
		action monitor
		import alerts
	}
	forward . {$UPSTREAM}
}
.:{$DNS} {
	bind 127.0.0.1 ::1
	lookalike {
		allow  ./allow.txt
		action tld-swap sinkhole 198.51.100.25 2001:db8:5::25 unchecked
		action tld-kept nxdomain
		action idn-homoglyph nodata
		action separator nullmx
		action homoglyph refused
		action typo servfail
		action split drop
		inspect
		import alerts
	}
	smtpreject 127.0.0.1:{$HTTP} {
		hostname reject.example.org
	}
	template IN MX example.net {
		answer "{{ .Name }} 60 IN MX 10 mx.army.ml."
	}
	forward . {$UPSTREAM}
}
`

// socReceiver is the SOC's: it takes nothing until it is up.
type socReceiver struct {
	up atomic.Bool

	mu     sync.Mutex
	bodies map[string][]string // by path
}

func (r *socReceiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil || !r.up.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies[q.URL.Path] = append(r.bodies[q.URL.Path], string(body))
}

// lost returns what came by a path and tells of lost alerts.
func (r *socReceiver) lost(path string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, body := range r.bodies[path] {
		if strings.Contains(body, "lostReason=") || strings.Contains(body, `"lost":{`) || strings.Contains(body, "|lost|") {
			all = append(all, body)
		}
	}
	return all
}

// TestSOCSample has a server make every kind of record, and compares the fields
// with those of the sample that the SOC's content is tested with.
func TestSOCSample(t *testing.T) {
	t.Parallel()
	receiver := &socReceiver{bodies: make(map[string][]string)}
	web := httptest.NewServer(receiver)
	t.Cleanup(web.Close)
	config := harness.Config{
		Corefile: fmt.Sprintf(socCorefile, web.URL), Upstream: harness.NewUpstream(t).Addr,
		Files: map[string]string{"allow.txt": "mail.navy.ml until=2026-01-31 owner=mail-team@example.net reason=\"pension payments\" ticket=SEC-1\n"},
	}
	server := harness.Start(t, config)
	askEverything(t, server)
	file := func(name string) string {
		text, err := os.ReadFile(filepath.Join(server.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, field := range []string{`"vias_more":`, `"smtp_more":`, `"left_out":`, `"exception":{`, `"distinct_clients":`} {
		wait.Until(t, "a record with "+field, func() bool { return strings.Contains(file("alerts.jsonl"), field) })
	}
	if status := server.Stop(); status != 0 {
		t.Errorf("Exit status %d", status)
	}

	damageSpool(t, filepath.Join(server.Dir, "spool"))
	receiver.up.Store(true)
	again, err := harness.Launch(harness.Binary(t), server.Dir, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Stop() })
	wait.Until(t, "records about lost alerts", func() bool { return len(receiver.lost("/ecs")) > 0 && len(receiver.lost("/cef")) > 0 })
	tool := wait.Command(t, time.Minute, harness.Tool(t), "alert", "test", "-conf", "Corefile")
	tool.Dir = server.Dir
	tool.Env = append(os.Environ(), "DNS=5353", "HTTP=2525", "UPSTREAM="+config.Upstream.String())
	if out, err := tool.CombinedOutput(); err != nil {
		t.Fatalf("alert test: %v\n%s", err, out)
	}
	again.Stop()

	ecsSample.compare(t, file("alerts.jsonl")+file("queries.jsonl")+strings.Join(receiver.lost("/ecs"), "\n"))
	cefSample.compare(t, file("alerts.cef")+strings.Join(receiver.lost("/cef"), "\n"))
}

// askEverything asks, and sends mail, such that there is a record of each kind.
func askEverything(t *testing.T, server *harness.Server) {
	t.Helper()
	here, watched := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.9")
	ask := func(client netip.Addr, name string, qtype uint16) {
		at := server.Addr("DNS")
		if client.Is6() {
			at = netip.AddrPortFrom(client, at.Port())
		}
		tell(t, client, at, harness.Pack(t, harness.Query(name, qtype)))
	}
	for name := range strings.FieldsSeq("army.ml army.mil.ml xn--rmy-5cd.ml usaf.ml arrny.ml pentagno.ml pent-agon.ml pentagxon.ml army-mail.ml army-mil.example.ml indian-army.ml penttagno.ml navy.ml") {
		ask(here, name, dns.TypeMX)
		ask(here, name, dns.TypeA)
	}
	ask(watched, "army.ml", dns.TypeMX)
	ask(netip.IPv6Loopback(), "army.ml", dns.TypeMX)
	ask(here, "mail.navy.ml", dns.TypeMX)
	ask(here, "_dmarc.army.ml", dns.TypeTXT) // of the group that mail is sent to below: it has two purposes
	for i := range 8 {
		ask(here, fmt.Sprintf("partner%d.example.net", i), dns.TypeMX)
	}
	for client, name := range map[string]string{
		"127.0.0.10": "army.ml", "127.0.0.11": "_dmarc.army.ml", "127.0.0.12": "x._domainkey.army.ml", "127.0.0.13": "_mta-sts.army.ml",
	} {
		ask(netip.MustParseAddr(client), name, dns.TypeTXT)
	}
	ask(netip.MustParseAddr("127.0.0.14"), "_25._tcp.mx.army.ml", dns.TypeTLSA)
	sendMail(t, server.Addr("HTTP").String(), 10)

	// More new groups than are told of one by one.
	for i := range 200 {
		ask(here, fmt.Sprintf("army-mil.example%d.ml", i), dns.TypeMX)
		ask(netip.AddrFrom4([4]byte{127, 0, 1, byte(i)}), "army.mil.ml", dns.TypeMX)
		ask(netip.AddrFrom4([4]byte{127, 0, 2, byte(i)}), "army.mil.ml", dns.TypeMX)
	}
	time.Sleep(time.Second) // all clients together may tell of more by now than one
	for i := range 50 {
		ask(here, fmt.Sprintf("army-mil.example%d.ml", 200+i), dns.TypeMX)
	}
}

// tell sends a query and does not wait for an answer, which may be none.
func tell(t *testing.T, client netip.Addr, server netip.AddrPort, query []byte) {
	t.Helper()
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(client, 0)), net.UDPAddrFromAddrPort(server))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(query); err != nil {
		t.Fatal(err)
	}
}

// sendMail tries to send messages with the longest addresses that there are.
func sendMail(t *testing.T, addr string, messages int) {
	t.Helper()
	var client *smtp.Client
	wait.Until(t, "the SMTP server", func() bool {
		var err error
		client, err = smtp.Dial(addr)
		return err == nil
	})
	defer client.Close()
	label := strings.Repeat("a", 60) + "."
	if err := client.Hello(strings.Repeat(label, 3) + "example.org"); err != nil {
		t.Fatal(err)
	}
	for i := range messages {
		if err := client.Mail(fmt.Sprintf("alice%d@%sexample.org", i, strings.Repeat(label, 3))); err != nil {
			t.Fatal(err)
		}
		if err := client.Rcpt(fmt.Sprintf("bob%d@%sarmy.ml", i, strings.Repeat(label, 3))); err == nil || !strings.Contains(err.Error(), "army.mil") {
			t.Fatalf("The recipient was answered %v, want a refusal that names army.mil", err)
		}
		if err := client.Reset(); err != nil {
			t.Fatal(err)
		}
	}
}

// damageSpool spoils an alert in the middle of a spool.
func damageSpool(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "records-*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("No records in %s: %v", dir, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(text, []byte("tld-swap"))
	if at < 0 {
		t.Fatalf("No tld-swap in %s", files[0])
	}
	text[at] ^= 1
	if err := os.WriteFile(files[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// socSample is a sample of records in one format.
type socSample struct {
	file   string
	parse  func(string) ([]soctest.Record, error)
	sample func() []soctest.Record
	kind   []string // fields: one record is kept for all that have the same values there
	enums  []string // fields of which the sample has all values
}

var (
	ecsSample = socSample{"records.jsonl", soctest.ParseECS, soctest.ECS,
		[]string{"lookalike.class", "lookalike.confidence", "lookalike.action", "lookalike.context"},
		[]string{"lookalike.phase", "lookalike.test", "event.kind", "dns.response_code"}}
	cefSample = socSample{"records.cef", soctest.ParseCEF, soctest.CEF,
		[]string{"Device Event Class ID", "Severity", "act", "requestContext"}, []string{"cs6"}}
)

// compare compares the fields of what the server has made, and the values of
// some, with the sample.
func (s *socSample) compare(t *testing.T, made string) {
	t.Helper()
	got, err := s.parse(made)
	if err != nil {
		t.Fatal(err)
	}
	if *updateSample {
		s.write(t, made)
		return
	}
	const cure = "; run the test with -update-soc-sample, then see what the content makes of it"
	if g, w := soctest.Paths(got), soctest.Paths(s.sample()); !slices.Equal(g, w) {
		t.Errorf("%s: got the fields\n%q, want\n%q%s", s.file, g, w, cure)
	}
	for _, path := range slices.Concat(s.kind, s.enums) {
		if g, w := inOrder(soctest.Values(got, path)), inOrder(soctest.Values(s.sample(), path)); !slices.Equal(g, w) {
			t.Errorf("%s: got the values %q of %s, want %q%s", s.file, g, path, w, cure)
		}
	}
}

// inOrder sorts the values, and the words of those that are lists: purposes stand in
// the order in which they came.
func inOrder(values []string) []string {
	for i, v := range values {
		words := strings.Split(v, ",")
		slices.Sort(words)
		values[i] = strings.Join(words, ",")
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// write keeps the records that are the first of their kind, and those that have a
// field, or a value of an enum, that none before them has. Only the name of this
// host is changed.
func (s *socSample) write(t *testing.T, made string) {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	made = regexp.MustCompile(`\b`+regexp.QuoteMeta(host)+`\b`).ReplaceAllString(made, "ns1.example.org")
	seen := make(map[string]bool)
	var out strings.Builder
	for line := range strings.Lines(made) {
		all, err := s.parse(line)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d records in %q: %v", len(all), line, err)
		}
		news := false
		for _, mark := range s.marks(all[0]) {
			news = news || !seen[mark]
			seen[mark] = true
		}
		if news {
			out.WriteString(strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	if err := os.WriteFile(filepath.Join("../build/soc/soctest", s.file), []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// marks are what the sample has to have once: a record's kind, fields and values.
func (s *socSample) marks(r soctest.Record) []string {
	kind := "kind"
	for _, path := range s.kind {
		kind += fmt.Sprint(r[path])
	}
	all := append(slices.Collect(maps.Keys(r)), kind)
	for _, path := range s.enums {
		all = append(all, path+fmt.Sprint(r[path]))
	}
	return all
}
