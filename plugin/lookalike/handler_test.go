package lookalike

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/cache"
	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/ready"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/miekg/dns"
)

// upstream answers every question with one TXT record, so that a query that
// was passed on can be told from one that was answered here.
func upstream(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	m := new(dns.Msg).SetReply(r)
	m.Answer = []dns.RR{test.TXT(r.Question[0].Name + " 60 IN TXT upstream")}
	return dns.RcodeSuccess, w.WriteMsg(m)
}

// started returns a handler for the directives with its alerts running into a
// file.
func started(tb testing.TB, corefile string) *Lookalike {
	tb.Helper()
	l, _ := startedWithAlerts(tb, corefile)
	return l
}

// startedWithAlerts is started; flush ends the alerts and returns them.
func startedWithAlerts(tb testing.TB, corefile string) (l *Lookalike, flush func() []map[string]any) {
	tb.Helper()
	policies, err := parsed(tb, corefile)
	if err != nil {
		tb.Fatal(err)
	}
	file := filepath.Join(tb.TempDir(), "alerts.json")
	dest, err := alert.ParseDestination([]string{file})
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range policies {
		p.alerts.Destinations = []alert.Destination{dest}
	}
	e := &engine{policies: policies}
	if err := e.start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { e.stop() })
	return &Lookalike{Next: test.HandlerFunc(upstream), policies: policies}, func() []map[string]any {
		if err := e.stop(); err != nil {
			tb.Error(err)
		}
		return readAlerts(tb, file)
	}
}

// alertFile is where the alerts of started go.
func alertFile(l *Lookalike) string { return l.policies[0].alerts.Destinations[0].String() }

// decided returns what the lists say about a query for qname.
func decided(l *Lookalike, qname string) Decision {
	r := new(dns.Msg).SetQuestion(qname, dns.TypeMX)
	q := newQuery(&test.ResponseWriter{}, r, watching(l.policies, qname))
	return q.decide(known)
}

func readAlerts(tb testing.TB, file string) []map[string]any {
	tb.Helper()
	contents, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var records []map[string]any
	for line := range bytes.Lines(contents) {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil {
			tb.Fatalf("Not a JSON object: %q: %v", line, err)
		}
		records = append(records, record)
	}
	return records
}

// field returns what stands at a dotted path of a record.
func field(record map[string]any, path string) any {
	var v any = record
	for key := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// What the plugins above look for is found by these interfaces.
var (
	_ plugin.Handler    = (*Lookalike)(nil)
	_ metadata.Provider = (*Lookalike)(nil)
	_ ready.Readiness   = (*Lookalike)(nil)
)

func TestReady(t *testing.T) {
	policies, err := parsed(t, "lookalike")
	if err != nil {
		t.Fatal(err)
	}
	if l := (&Lookalike{policies: policies}); !l.Ready() || l.policies[0].Index().Len() == 0 {
		t.Error("Expected the plugin to be ready, with its lists, before anything is started")
	}
}

func TestServeDNS(t *testing.T) {
	const scoped = `lookalike {
		protect army.mil us.af.mil
		allow   band.army.ml
		clients 192.0.2.0/24 2001:db8::/32
	}`
	tests := []struct {
		name, corefile, qname, client string
		qclass                        uint16
		blocked                       bool
	}{
		{"lookalike", scoped, "army.ml.", "192.0.2.25", dns.ClassINET, true},
		{"below a lookalike", scoped, "mx.army.ml.", "192.0.2.25", dns.ClassINET, true},
		{"mixed case", scoped, "aRmY.mL.", "192.0.2.25", dns.ClassINET, true},
		{"deeper protected name", scoped, "US.AF.ML.", "192.0.2.25", dns.ClassINET, true},
		{"tld kept", scoped, "army.mil.ml.", "192.0.2.25", dns.ClassINET, true},
		{"separator", scoped, "us-af.ml.", "192.0.2.25", dns.ClassINET, true},
		{"the protected name", scoped, "army.mil.", "192.0.2.25", dns.ClassINET, false},
		{"another name", scoped, "example.ml.", "192.0.2.25", dns.ClassINET, false},
		{"another TLD", scoped, "army.org.", "192.0.2.25", dns.ClassINET, false},
		{"the TLD itself", scoped, "ml.", "192.0.2.25", dns.ClassINET, false},
		{"the root", scoped, ".", "192.0.2.25", dns.ClassINET, false},
		{"search suffix behind a lookalike", scoped, "army.ml.corp.example.org.", "192.0.2.25", dns.ClassINET, false},
		{"allowed name", scoped, "band.army.ml.", "192.0.2.25", dns.ClassINET, false},
		{"below an allowed name", scoped, "mx.Band.army.ml.", "192.0.2.25", dns.ClassINET, false},
		{"beside an allowed name", scoped, "husband.army.ml.", "192.0.2.25", dns.ClassINET, true},
		{"IPv6 client", scoped, "army.ml.", "2001:db8::25", dns.ClassINET, true},
		{"IPv4-mapped client", scoped, "army.ml.", "::ffff:192.0.2.25", dns.ClassINET, true},
		{"client out of scope", scoped, "army.ml.", "198.51.100.25", dns.ClassINET, false},
		{"IPv6 client out of scope", scoped, "army.ml.", "2001:db9::25", dns.ClassINET, false},
		{"class CHAOS", scoped, "army.ml.", "192.0.2.25", dns.ClassCHAOS, false},
		{"class ANY", scoped, "army.ml.", "192.0.2.25", dns.ClassANY, false},
		{"class CHAOS with verify and inspect", "lookalike {\n verify\n inspect\n}", "army.ml.", "192.0.2.25", dns.ClassCHAOS, false},
		{"embedded list", "lookalike", "navy.ml.", "192.0.2.25", dns.ClassINET, true},
		{"action off", "lookalike {\n action tld-swap off\n}", "army.ml.", "192.0.2.25", dns.ClassINET, false},
		{"action monitor", "lookalike {\n action monitor\n}", "army.ml.", "192.0.2.25", dns.ClassINET, false},
		{"several TLDs", "lookalike cm co om {\n protect example.com\n}", "mail.example.om.", "192.0.2.25", dns.ClassINET, true},
		{"IPv4-mapped CIDR", "lookalike {\n clients ::ffff:192.0.2.0/120\n}", "army.ml.", "192.0.2.25", dns.ClassINET, true},
		{"second directive", "lookalike cm {\n protect example.com\n}\nlookalike ml", "army.ml.", "192.0.2.25", dns.ClassINET, true},
		{
			"first directive with something to do", "lookalike {\n clients 198.51.100.0/24\n}\nlookalike {\n action monitor\n}\nlookalike",
			"army.ml.", "192.0.2.25", dns.ClassINET, false,
		},
		{"off leaves it to the next directive", "lookalike {\n action off\n}\nlookalike", "army.ml.", "192.0.2.25", dns.ClassINET, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := started(t, tc.corefile)
			r := new(dns.Msg).SetQuestion(tc.qname, dns.TypeMX)
			r.Question[0].Qclass = tc.qclass
			w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: tc.client})
			if _, err := l.ServeDNS(t.Context(), w, r); err != nil {
				t.Fatal(err)
			}
			if got := w.Msg.Rcode == dns.RcodeNameError; got != tc.blocked {
				t.Errorf("Expected blocked to be %v, got %v", tc.blocked, w.Msg)
			}
		})
	}
}

// TestOpcodes passes on what is no query, without a trace.
func TestOpcodes(t *testing.T) {
	l, flush := startedWithAlerts(t, "lookalike {\n verify\n inspect\n}")
	tests := []struct {
		opcode  int
		blocked bool
	}{
		{dns.OpcodeNotify, false},
		{dns.OpcodeUpdate, false},
		{dns.OpcodeStatus, false},
		{dns.OpcodeIQuery, false},
		{dns.OpcodeQuery, true},
	}
	for _, tc := range tests {
		r := new(dns.Msg).SetQuestion("army.ml.", dns.TypeSOA)
		r.Opcode = tc.opcode
		ctx := metadata.ContextWithMetadata(t.Context())
		w := dnstest.NewRecorder(&test.ResponseWriter{})
		l.Metadata(ctx, request.Request{W: w, Req: r})
		if got := metadata.ValueFunc(ctx, "lookalike/class")() != ""; got != tc.blocked {
			t.Errorf("%s: Expected metadata to be %v, got %v", dns.OpcodeToString[tc.opcode], tc.blocked, got)
		}
		if _, err := l.ServeDNS(ctx, w, r); err != nil {
			t.Fatal(err)
		}
		if got := w.Msg.Rcode == dns.RcodeNameError; got != tc.blocked {
			t.Errorf("%s: Expected blocked to be %v, got %v", dns.OpcodeToString[tc.opcode], tc.blocked, w.Msg)
		}
	}
	count := 0.0
	for _, record := range flush() {
		count += field(record, "lookalike.count").(float64)
	}
	if count != 1 {
		t.Errorf("Expected the alerts to tell of the query only, got %v", count)
	}
}

func TestClientWithZone(t *testing.T) {
	tests := []struct {
		clients string
		blocked bool
	}{
		{"fe80::/10", true},
		{"fe80::25", true},
		{"fe80::25%eth0", true},
		{"fe80::25%eth1", true}, // zones are ignored on both sides
		{"fe80::26%eth0", false},
	}
	for _, tc := range tests {
		l := started(t, "lookalike {\n clients "+tc.clients+"\n}")
		w := &zoned{Recorder: dnstest.NewRecorder(&test.ResponseWriter{})}
		if _, err := l.ServeDNS(t.Context(), w, new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX)); err != nil {
			t.Fatal(err)
		}
		if got := w.Msg.Rcode == dns.RcodeNameError; got != tc.blocked {
			t.Errorf("clients %s: Expected blocked to be %v, got %v", tc.clients, tc.blocked, w.Msg)
		}
	}
}

type zoned struct{ *dnstest.Recorder }

func (zoned) RemoteAddr() net.Addr {
	return &net.UDPAddr{IP: net.ParseIP("fe80::25"), Port: 53053, Zone: "eth0"}
}

func TestAlertOfOneQuery(t *testing.T) {
	l, flush := startedWithAlerts(t, "lookalike")
	w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: "192.0.2.25"})
	if _, err := l.ServeDNS(t.Context(), w, new(dns.Msg).SetQuestion("Mail.Army.ml.", dns.TypeMX)); err != nil {
		t.Fatal(err)
	}
	records := flush()
	if len(records) != 2 || field(records[1], "lookalike.phase") != "final" {
		t.Fatalf("Expected a first and a final record, got %d: %v", len(records), records)
	}
	for path, want := range map[string]string{
		"source.ip":              "192.0.2.25",
		"dns.question.name":      "mail.army.ml",
		"dns.question.type":      "MX",
		"dns.response_code":      "NXDOMAIN",
		"event.action":           "nxdomain",
		"lookalike.class":        "tld-swap",
		"lookalike.confidence":   "high",
		"lookalike.protected":    "[army.mil]",
		"lookalike.did_you_mean": "[mail.army.mil]",
		"lookalike.action":       "nxdomain",
		"lookalike.phase":        "first",
		"lookalike.count":        "1",
	} {
		if got := fmt.Sprint(field(records[0], path)); got != want {
			t.Errorf("%s: Expected %q, got %q", path, want, got)
		}
	}
}

func TestDirectionInTheAlert(t *testing.T) {
	for qtype, want := range map[uint16]any{dns.TypeMX: nil, dns.TypeTXT: "spf", dns.TypeA: nil} {
		l, flush := startedWithAlerts(t, "lookalike {\n protect army.mil\n}")
		ask(t, l, new(dns.Msg).SetQuestion("army.ml.", qtype))
		records := flush()
		if len(records) == 0 || field(records[0], "lookalike.context") != want {
			t.Errorf("%s: got %v, want context %v", dns.Type(qtype), records, want)
		}
	}
}

func TestEveryDetectionIsCounted(t *testing.T) {
	l, flush := startedWithAlerts(t, "lookalike {\n action medium refused\n action low drop\n}")
	names := []string{"army.ml.", "mx.army.ml.", "us.af.ml.", "navy.mil.ml.", "example.ml."}
	const rounds = 50
	for range rounds {
		for _, name := range names {
			l.ServeDNS(t.Context(), &test.ResponseWriter{}, new(dns.Msg).SetQuestion(name, dns.TypeA))
		}
	}
	var count float64
	for _, record := range flush() {
		count += field(record, "lookalike.count").(float64)
	}
	if want := float64(rounds * (len(names) - 1)); count != want {
		t.Errorf("Expected the alerts to count %v queries, got %v", want, count)
	}
}

func TestMetadata(t *testing.T) {
	want := map[string]string{
		"lookalike/class":      "tld-swap",
		"lookalike/confidence": "high",
		"lookalike/protected":  "army.mil",
		"lookalike/action":     "nxdomain",
	}
	l := started(t, "lookalike")
	w := &test.ResponseWriter{}
	r := new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX)
	other := new(dns.Msg).SetQuestion("example.org.", dns.TypeMX)

	ctx := metadata.ContextWithMetadata(t.Context())
	l.Metadata(ctx, request.Request{W: w, Req: r})
	for label, value := range want {
		if got := metadata.ValueFunc(ctx, label)(); got != value {
			t.Errorf("%s: Expected %q above the plugin, got %q", label, value, got)
		}
	}

	// A name that is rewritten on the way down shows what was decided for it.
	ctx = metadata.ContextWithMetadata(t.Context())
	l.Metadata(ctx, request.Request{W: w, Req: other})
	for label := range want {
		if got := metadata.ValueFunc(ctx, label)(); got != "" {
			t.Errorf("%s: Expected nothing for a name that resembles nothing, got %q", label, got)
		}
	}
	l.ServeDNS(ctx, w, r)
	for label, value := range want {
		if got := metadata.ValueFunc(ctx, label)(); got != value {
			t.Errorf("%s: Expected %q after the answer, got %q", label, value, got)
		}
	}
}

func BenchmarkServeDNS(b *testing.B) {
	for _, bm := range []struct{ name, qname string }{
		{"outside", "mail.example.org."},
		{"inside", "mail.example.ml."},
		{"blocked", "mail.army.ml."},
	} {
		b.Run(bm.name, func(b *testing.B) {
			l := started(b, "lookalike {\n}")
			l.Next = test.NextHandler(dns.RcodeSuccess, nil)
			r := new(dns.Msg).SetQuestion(bm.qname, dns.TypeMX)
			w := discard{&test.ResponseWriter{}}
			b.ReportAllocs()
			for b.Loop() {
				l.ServeDNS(b.Context(), w, r)
			}
		})
	}
}

// BenchmarkBlockedAndCacheHit has the same names blocked, and answered from
// CoreDNS's cache, which is the fastest that it answers otherwise. As in the
// server each query has a goroutine of its own and each reply is packed.
func BenchmarkBlockedAndCacheHit(b *testing.B) {
	cached := cache.New()
	cached.Zones = []string{"."}
	cached.Next = test.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		q := r.Question[0]
		if m.Answer = []dns.RR{test.A(q.Name + " 3600 IN A 192.0.2.1")}; q.Qtype == dns.TypeMX {
			m.Answer = []dns.RR{test.MX(q.Name + " 3600 IN MX 10 mx." + q.Name)}
		}
		return dns.RcodeSuccess, w.WriteMsg(m)
	})

	queries := []*dns.Msg{
		new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX),
		new(dns.Msg).SetQuestion("army.ml.", dns.TypeA),
		new(dns.Msg).SetQuestion("mx.army.ml.", dns.TypeA),
		new(dns.Msg).SetQuestion("navy.ml.", dns.TypeMX),
	}
	for _, bm := range []struct {
		name    string
		handler plugin.Handler
	}{
		{"blocked", started(b, "lookalike {\n}")},
		{"cache-hit", cached},
	} {
		b.Run(bm.name, func(b *testing.B) {
			w := &packer{Client: &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5353}}
			b.ReportAllocs()
			done := make(chan struct{})
			for i := 0; b.Loop(); i++ {
				go func() {
					bm.handler.ServeDNS(b.Context(), w, queries[i%len(queries)])
					done <- struct{}{}
				}()
				<-done
			}
		})
	}
}

// packer is a writer that does all that the server's does but send.
type packer struct {
	test.ResponseWriter
	Client net.Addr
}

func (p *packer) RemoteAddr() net.Addr { return p.Client }
func (p *packer) LocalAddr() net.Addr  { return p.Client }

func (p *packer) WriteMsg(m *dns.Msg) error {
	m.Truncate(dns.MinMsgSize)
	_, err := m.Pack()
	return err
}

func BenchmarkDecide(b *testing.B) {
	l := started(b, "lookalike {\n}")
	w := &test.ResponseWriter{}
	for _, bm := range []struct{ name, qname string }{
		{"outside", "mail.example.org."},
		{"inside", "mail.example.ml."},
		{"blocked", "mail.army.ml."},
	} {
		b.Run(bm.name, func(b *testing.B) {
			r := new(dns.Msg).SetQuestion(bm.qname, dns.TypeMX)
			b.ReportAllocs()
			for b.Loop() {
				q := newQuery(w, r, watching(l.policies, bm.qname))
				q.decide(known)
			}
		})
	}
}

// discard is a writer that costs nothing.
type discard struct{ *test.ResponseWriter }

func (discard) WriteMsg(*dns.Msg) error { return nil }

// BenchmarkDecideDuringReload shows what a query waits for while a list of a
// million names is read again and again: percentiles in ns, beside those of a
// run without a reload.
func BenchmarkDecideDuringReload(b *testing.B) {
	list := filepath.Join(b.TempDir(), "list.txt")
	var text bytes.Buffer
	for i := range 1_000_000 {
		fmt.Fprintf(&text, "unit%d.army.mil\n", i)
	}
	if err := os.WriteFile(list, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	d := caddyfile.NewDispenser("Corefile", strings.NewReader("lookalike {\n protect "+list+"\n}"))
	policies, err := parse(&d, "")
	if err != nil {
		b.Fatal(err)
	}
	if err := policies[0].load(); err != nil {
		b.Fatal(err)
	}
	l := &Lookalike{policies: policies}
	w := &test.ResponseWriter{}
	r := new(dns.Msg).SetQuestion("mail.example.ml.", dns.TypeMX)

	for _, reloading := range []bool{false, true} {
		b.Run(fmt.Sprintf("reloading=%v", reloading), func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			var reloads sync.WaitGroup
			n := 0
			if reloading {
				reloads.Go(func() {
					for ; ctx.Err() == nil; n++ {
						if err := policies[0].lists.Load(); err != nil {
							b.Error(err)
						}
					}
				})
			}
			var waits []int64
			for b.Loop() {
				begin := time.Now()
				q := newQuery(w, r, watching(l.policies, r.Question[0].Name))
				q.decide(known)
				waits = append(waits, int64(time.Since(begin)))
			}
			cancel()
			reloads.Wait()
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)/2]), "p50-ns")
			b.ReportMetric(float64(waits[len(waits)*99/100]), "p99-ns")
			b.ReportMetric(float64(waits[len(waits)-1]), "max-ns")
			b.ReportMetric(float64(n), "reloads")
		})
	}
}
