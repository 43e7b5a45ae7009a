package lookalike

import (
	"context"
	"errors"
	"fmt"
	"io"
	golog "log"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	_ "github.com/coredns/coredns/plugin/bind"
	"github.com/coredns/coredns/plugin/test"
	_ "github.com/coredns/coredns/plugin/whoami" // answers what is passed on

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"
)

// quiet keeps the servers that a test starts from writing to the terminal, and
// puts the directives back that they are started with.
func quiet(t *testing.T) {
	t.Helper()
	directives, wasQuiet := dnsserver.Directives, dnsserver.Quiet
	t.Cleanup(func() { dnsserver.Directives, dnsserver.Quiet, caddy.Quiet = directives, wasQuiet, false })
	dnsserver.Quiet, caddy.Quiet = true, true
}

// TestReloads reloads a running server, well and badly, while queries come in:
// nothing leaks, no detection is lost and no group is reported as new twice.
func TestReloads(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	quiet(t)
	if err := dnsserver.SetDirectives([]string{"bind", pluginName, "whoami"}); err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	alerts, list := filepath.Join(dir, "alerts.json"), filepath.Join(dir, "list.txt")
	write(t, list, "army.mil\n")
	good := fmt.Sprintf(".:0 {\n bind 127.0.0.1\n lookalike {\n protect %s\n alert %s\n }\n whoami\n}\n", list, alerts)
	// The first fails in setup; the second after this plugin's OnStartup, when
	// another server block cannot open its alert file.
	bad := []string{
		".:0 {\n lookalike {\n nonsense\n }\n}\n",
		good + fmt.Sprintf("example.org:0 {\n bind 127.0.0.1\n lookalike {\n alert %s\n }\n}\n", filepath.Join(dir, "none", "alerts.json")),
	}

	instance, err := caddy.Start(corefileInput(good))
	if err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, instance)
	var addr atomic.Value
	addr.Store(instance.Servers()[0].LocalAddr().String())

	var sent atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var queries sync.WaitGroup
	queries.Go(func() {
		client := &dns.Client{Timeout: 2 * time.Second}
		for ctx.Err() == nil {
			m, _, err := client.Exchange(new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX), addr.Load().(string))
			if err == nil && m.Rcode == dns.RcodeNameError {
				sent.Add(1)
			}
		}
	})
	for i := range 20 {
		if _, err := instance.Restart(corefileInput(bad[i%2])); err == nil {
			t.Error("Expected the bad Corefile to be refused")
		}
		next, err := instance.Restart(corefileInput(good))
		if err != nil {
			t.Fatal(err)
		}
		instance = next
		harness.Serving(t, instance)
		addr.Store(instance.Servers()[0].LocalAddr().String())
	}
	cancel()
	wait.Done(t, "the client", queries.Wait)
	if err := harness.End(t, instance); err != nil {
		t.Error(err)
	}

	var count, firsts float64
	for _, record := range readAlerts(t, alerts) {
		count += field(record, "lookalike.count").(float64)
		if field(record, "lookalike.phase") == "first" {
			firsts++
		}
	}
	// A query whose reply was lost with its socket is counted but not sent.
	if count < float64(sent.Load()) || sent.Load() == 0 {
		t.Errorf("Expected the alerts to count at least the %d answered queries, got %v", sent.Load(), count)
	}
	if firsts != 1 {
		t.Errorf("Expected the group to be reported as new once, got %v times", firsts)
	}
	if len(live.engines) != 0 {
		t.Errorf("Expected no engine to be left, got %d", len(live.engines))
	}
}

// stubborn is a plugin that fails to shut down.
const stubborn = "stubborn"

func init() {
	plugin.Register(stubborn, func(c *caddy.Controller) error {
		c.OnShutdown(func() error { return errors.New("not now") })
		return nil
	})
}

// TestReloadThatAnotherPluginFails has a plugin fail to shut down when the new
// instance serves already: caddy calls the reload a failed one, and the engine
// that serves must live on.
func TestReloadThatAnotherPluginFails(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	quiet(t)
	for _, order := range [][]string{{stubborn, pluginName}, {pluginName, stubborn}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			if err := dnsserver.SetDirectives(append([]string{"bind"}, append(order, "whoami")...)); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			file := func(n int) string { return filepath.Join(dir, fmt.Sprintf("alerts%d.json", n)) }
			corefile := func(n int) caddy.Input {
				return corefileInput(fmt.Sprintf(".:0 {\n bind 127.0.0.1\n lookalike {\n alert %s\n }\n stubborn\n whoami\n}\n", file(n)))
			}
			instance, err := caddy.Start(corefile(1))
			if err != nil {
				t.Fatal(err)
			}
			harness.Serving(t, instance)
			if _, err := instance.Restart(corefile(2)); err == nil {
				t.Fatal("Expected the other plugin's error")
			}
			serving := caddy.Instances()
			if len(serving) != 1 || serving[0] == instance {
				t.Fatalf("Expected only the new instance to serve, got %v", serving)
			}
			harness.Serving(t, serving[0])
			query := new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX)
			m, err := dns.Exchange(query, serving[0].Servers()[0].LocalAddr().String())
			if err != nil || m.Rcode != dns.RcodeNameError {
				t.Errorf("Got %v and error %v, want NXDOMAIN", m, err)
			}
			wait.Until(t, "the alert", func() bool { return len(readAlerts(t, file(2))) == 1 })
			if len(live.engines) != 1 {
				t.Errorf("Expected the engine that serves to live, and no other, got %d", len(live.engines))
			}
			if err := harness.End(t, serving[0]); err == nil || err.Error() != "not now" {
				t.Errorf("Got error %v, want only that of the other plugin", err)
			}
		})
	}
}

// TestReloadWithoutDirective: after a reload by which the directive is gone, no metric
// claims that a list or an action is in force, and the log has a warning.
func TestReloadWithoutDirective(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	quiet(t)
	if err := dnsserver.SetDirectives([]string{"bind", pluginName, "whoami"}); err != nil {
		t.Fatal(err)
	}
	var buf syncBuffer
	golog.SetOutput(&buf)
	defer golog.SetOutput(io.Discard)
	const without = ".:0 {\n bind 127.0.0.1\n whoami\n}\n"
	instance, err := caddy.Start(corefileInput(strings.Replace(without, " whoami", " lookalike {\n alert "+filepath.Join(t.TempDir(), "alerts.json")+"\n }\n whoami", 1)))
	if err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, instance)
	inForce := []string{"coredns_lookalike_mode", "coredns_lookalike_protected_names", "coredns_lookalike_list_current"}
	for _, name := range inForce {
		if n, err := testutil.GatherAndCount(prometheus.DefaultGatherer, name); n == 0 || err != nil {
			t.Errorf("%d series of %s with the directive, error %v", n, name, err)
		}
	}
	next, err := instance.Restart(corefileInput(without))
	if err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, next)
	for _, name := range inForce {
		if n, err := testutil.GatherAndCount(prometheus.DefaultGatherer, name); n != 0 || err != nil {
			t.Errorf("%d series of %s without the directive, error %v", n, name, err)
		}
	}
	if got := buf.String(); !strings.Contains(got, "[WARNING] plugin/lookalike: the new Corefile has no lookalike directive") {
		t.Errorf("The log says %s", got)
	}
	if err := harness.End(t, next); err != nil {
		t.Error(err)
	}
}

func corefileInput(contents string) caddy.Input {
	return caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(contents), ServerTypeName: "dns"}
}

// TestWatchedList changes a list under a running engine.
func TestWatchedList(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	list := filepath.Join(t.TempDir(), "list.txt")
	write(t, list, "army.mil\n")
	policies, err := parsed(t, "lookalike {\n protect "+list+"\n reload 1s\n alert "+filepath.Join(t.TempDir(), "alerts.json")+"\n}")
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{policies: policies}
	if err := e.start(); err != nil {
		t.Fatal(err)
	}
	write(t, list, "army.mil\nnavy.mil\n")
	wait.Until(t, "the changed list to be read", func() bool { return policies[0].Index().Len() == 2 })
	if err := e.stop(); err != nil {
		t.Error(err)
	}
	if err := e.stop(); err != nil {
		t.Errorf("Expected the second stop to do nothing, got: %v", err)
	}
}

// TestAfterTheLastFlush asks an engine that has stopped. While another one runs,
// as after a reload, that one tells of the query; at the end of the server a
// query that nobody would be told of is not blocked, and does not pass.
func TestAfterTheLastFlush(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const directive = "lookalike {\n protect army.mil navy.mil\n allow navy.ml\n inspect\n}\nlookalike {\n protect navy.mil\n action monitor\n}"
	old, flushOld := startedWithAlerts(t, directive)
	next, flushNext := startedWithAlerts(t, directive)
	next.policies[0].block = "another" // found all the same
	blocked := new(dns.Msg).SetQuestion("army.ml.", dns.TypeMX)
	monitored := new(dns.Msg).SetQuestion("navy.ml.", dns.TypeMX)
	inspected := new(dns.Msg).SetQuestion("example.org.", dns.TypeMX)
	mx, err := dns.NewRR("example.org. 60 IN MX 10 mx.army.ml.")
	if err != nil {
		t.Fatal(err)
	}
	old.Next = test.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		if r.Question[0].Name == "example.org." {
			m.Answer = []dns.RR{mx}
		}
		return dns.RcodeSuccess, w.WriteMsg(m)
	})

	if got := flushOld(); len(got) > 0 {
		t.Errorf("Expected no alert yet, got %v", got)
	}
	for _, q := range []*dns.Msg{blocked, monitored, inspected} {
		if _, _, written := ask(t, old, q); written != 1 {
			t.Errorf("%s: %d replies, want 1", q.Question[0].Name, written)
		}
	}
	count := 0.0
	for _, record := range flushNext() {
		count += field(record, "lookalike.count").(float64)
	}
	if count != 3 {
		t.Errorf("Expected the engine that runs to tell of 3 queries, got %v", count)
	}

	for _, q := range []*dns.Msg{blocked, inspected} {
		if _, code, written := ask(t, old, q); written != 0 || code != dns.RcodeServerFailure {
			t.Errorf("%s: %d replies and code %d, want SERVFAIL from the server", q.Question[0].Name, written, code)
		}
	}
	if m, code, written := ask(t, old, monitored); written != 1 || code != dns.RcodeSuccess {
		t.Errorf("A monitored query: %d replies, code %d, %v; want it to pass", written, code, m)
	}
}

// TestMetricsExist holds that what counts exists before the first event, and that
// a query counts in a series that was there.
func TestMetricsExist(t *testing.T) {
	for _, tc := range []struct {
		keys, hosts []string
		want        string
	}{
		{[]string{"dns://.:53"}, []string{""}, "dns://:53"},
		{[]string{"dns://ml.:1053", "tls://.:853"}, []string{"127.0.0.1", "::1"}, "dns://127.0.0.1:1053 dns://[::1]:1053 tls://127.0.0.1:853 tls://[::1]:853"},
	} {
		if got := strings.Join(listeners(tc.keys, tc.hosts), " "); got != tc.want {
			t.Errorf("Got listeners %s of %s, want %s", got, tc.keys, tc.want)
		}
	}
	quiet(t)
	if err := dnsserver.SetDirectives([]string{"bind", pluginName, "whoami"}); err != nil {
		t.Fatal(err)
	}
	detectionsTotal.Reset()
	instance, err := caddy.Start(corefileInput(".:0 {\n bind 127.0.0.1\n lookalike {\n protect army.mil\n allow partner.ml\n action low off\n alert " +
		filepath.Join(t.TempDir(), "a.json") + "\n }\n whoami\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer harness.End(t, instance)
	if got, want := testutil.CollectAndCount(detectionsTotal), 2*len(detect.Classes()); got != want {
		t.Errorf("Got %d series of detections at start, want %d", got, want)
	}
	if got, want := testutil.CollectAndCount(mode), 3*len(detect.Classes()); got < want {
		t.Errorf("Got %d series of the mode, want %d", got, want)
	}
	const allowed = `# HELP coredns_lookalike_allowed_names Number of names in force that are left alone.
# TYPE coredns_lookalike_allowed_names gauge
coredns_lookalike_allowed_names{block="dns://.:0"} 1
`
	if err := testutil.GatherAndCompare(prometheus.DefaultGatherer, strings.NewReader(allowed), "coredns_lookalike_allowed_names"); err != nil {
		t.Error(err)
	}
}
