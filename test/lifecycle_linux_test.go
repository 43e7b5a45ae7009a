package test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// reloads is how often each kind of reload is done.
const reloads = 20

// TestReloadsUnderLoad reloads good and bad Corefiles in turn while queries
// come in. Nothing may leak, no detection may be lost or told twice, and no
// group may begin a second time.
func TestReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, takenPort, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}

	const directive = "lookalike {\n protect ./names.txt\n ttl %ds\n reload 1s\n }"
	bad := []struct{ corefile, want string }{
		{corefile("lookalike {\n protcet army.mil\n }"), "unknown property 'protcet'"},
		{corefile("lookalike {\n protect ./missing.txt\n }"), "missing.txt"},
		{corefile("lookalike {\n protect ./broken.txt\n }"), "broken.txt:2"},
		// Everything of ours has started by the time that this port is taken.
		{corefile("lookalike {\n protect ./names.txt\n }") + ".:" + takenPort + " {\n bind 127.0.0.1\n lookalike {\n protect ./names.txt\n }\n}\n", "address already in use"},
	}
	server := harness.Start(t, harness.Config{
		Corefile: corefile(fmt.Sprintf(directive, 60)),
		Files:    map[string]string{"names.txt": "army.mil\nnavy.mil\n", "broken.txt": "army.mil\nar my..mil\n"},
		Upstream: harness.NewUpstream(t).Addr,
	})
	startLoad := func() *harness.Load {
		load := harness.StartLoad(t, server.Addr("DNS"), dns.RcodeNameError, "army.ml", "mx.army.ml", "navy.ml", "NAVY.ml")
		if !server.Wait(func() bool { return load.Answered.Load() > 100 }) {
			t.Fatal("The load does not get going")
		}
		return load
	}
	sent := int64(0)
	stopLoad := func(load *harness.Load) {
		load.Stop()
		sent += load.Sent.Load()
		if load.Answered.Load() == 0 || load.Wrong.Load() != 0 || load.Lost.Load() != 0 {
			t.Errorf("Of %d queries %d were answered, %d wrongly, %d not",
				load.Sent.Load(), load.Answered.Load(), load.Wrong.Load(), load.Lost.Load())
		}
	}
	round := func(i int) {
		b := bad[i%len(bad)]
		if err := server.Reload(b.corefile); err == nil || !strings.Contains(err.Error(), b.want) {
			t.Errorf("Reload %d of a bad Corefile: %v, want an error with %q", i, err, b.want)
		}
		if err := server.Reload(corefile(fmt.Sprintf(directive, 61+i))); err != nil {
			t.Errorf("Reload %d of a good Corefile: %v", i, err)
		}
	}
	// The first rounds bring everything to life that lives on.
	load := startLoad()
	for i := range bad {
		round(i)
	}
	stopLoad(load)
	goroutines, descriptors := server.Metric(t, "go_goroutines"), server.Descriptors(t)
	load = startLoad()
	for i := range reloads {
		round(i)
	}
	stopLoad(load)
	// Each kind of bad Corefile has come five times, and would leak as often.
	// Without load nothing else comes and goes, but for a connection or two.
	const slack = 2
	if !server.Wait(func() bool {
		return server.Metric(t, "go_goroutines") <= goroutines+slack && server.Descriptors(t) <= descriptors+slack
	}) {
		t.Errorf("%v goroutines and %d descriptors before %d rounds of reloads, %v and %d after",
			goroutines, descriptors, reloads, server.Metric(t, "go_goroutines"), server.Descriptors(t))
	}
	if status := server.Stop(); status != 0 {
		t.Errorf("Exit status %d", status)
	}
	alerts := server.Alerts(t)
	if n := harness.Sum(alerts); int64(n) != sent {
		t.Errorf("The alerts tell of %d queries, %d were sent", n, sent)
	}
	checkGroups(t, alerts, 2)
}

// checkGroups wants so many groups, each with one first record.
func checkGroups(t *testing.T, alerts []harness.Alert, want int) {
	t.Helper()
	first := make(map[string]int)
	for _, a := range alerts {
		if a.Late {
			continue
		}
		first[a.Lookalike.Group] += 0
		if a.Lookalike.Phase == "first" {
			first[a.Lookalike.Group]++
		}
	}
	for group, n := range first {
		if n != 1 {
			t.Errorf("Group %s began %d times", group, n)
		}
	}
	if len(first) != want {
		t.Errorf("%d groups, want %d", len(first), want)
	}
}

// TestReloadAwayFromDeadDestination takes a destination out of the Corefile that
// still has not taken an alert. That alert is lost, and nothing else: those after
// it come to the new destination, and the lists are still watched.
func TestReloadAwayFromDeadDestination(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"network", "file"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			old := "http://127.0.0.1:1/old"
			gone := filepath.Join(t.TempDir(), "gone")
			if kind == "file" {
				old = filepath.Join(gone, "old.json")
				if err := os.Mkdir(gone, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			arrived := make(chan struct{}, 1)
			receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				select {
				case arrived <- struct{}{}:
				default:
				}
			}))
			defer receiver.Close()
			directive := func(alert string) string {
				return corefile("lookalike {\n protect ./names.txt\n reload 1s\n alert " + alert + "\n }")
			}
			server := harness.Start(t, harness.Config{
				Corefile: directive(old),
				Files:    map[string]string{"names.txt": "army.mil\n"},
				Upstream: harness.NewUpstream(t).Addr,
			})
			blocked := func(name string) bool {
				return isBlocked(harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(name, dns.TypeMX)))
			}
			if err := os.RemoveAll(gone); err != nil {
				t.Fatal(err)
			}
			if !blocked("army.ml") {
				t.Error("army.ml passes")
			}
			if !server.Wait(func() bool { return server.Metric(t, "coredns_lookalike_sink_backlog_records") > 0 }) {
				t.Fatal("The old destination takes alerts")
			}
			if err := server.Reload(directive(receiver.URL)); err != nil {
				t.Errorf("The reload fails: %v", err)
			}
			if !blocked("army.ml") {
				t.Error("army.ml passes after the reload")
			}
			select {
			case <-arrived:
			case <-time.After(harness.Patience):
				t.Error("No alert comes to the new destination")
			}
			replaceList(t, server, "army.mil\nnavy.mil\n")
			if !server.Wait(func() bool { return blocked("navy.ml") }) {
				t.Error("The changed list is not taken")
			}
		})
	}
}

// TestListReload changes a list while the server runs: a broken one is refused,
// and the good one after it is taken.
func TestListReload(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike {\n protect ./names.txt\n reload 1s\n }"),
		Files:    map[string]string{"names.txt": "army.mil\n"},
		Upstream: harness.NewUpstream(t).Addr,
	})
	blocked := func(name string) bool {
		return isBlocked(harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(name, dns.TypeMX)))
	}
	steps := []struct {
		list       string
		army, navy bool
		result     string
	}{
		{"army.mil\nnav y..mil\n", true, false, "failure"},
		{"navy.mil\n", false, true, "success"},
		{"", false, true, "failure"},
		{"army.mil\nnavy.mil\n", true, true, "success"},
	}
	results := make(map[string]float64)
	for _, step := range steps {
		replaceList(t, server, step.list)
		results[step.result]++
		if !server.Wait(func() bool {
			return server.Metric(t, "coredns_lookalike_list_reloads_total", "result", step.result) >= results[step.result]
		}) {
			t.Fatalf("No %s of the list %q", step.result, step.list)
		}
		if army, navy := blocked("army.ml"), blocked("navy.ml"); army != step.army || navy != step.navy {
			t.Errorf("List %q: army.ml blocked %t, navy.ml %t, want %t and %t", step.list, army, navy, step.army, step.navy)
		}
	}
	for result, want := range results {
		if n := server.Metric(t, "coredns_lookalike_list_reloads_total", "result", result); n != want {
			t.Errorf("%v times %s counted, want %v: one for each change", n, result, want)
		}
	}
	if n := strings.Count(server.Output(), " failed, keeping 1 protected name: "); n != int(results["failure"]) {
		t.Errorf("%d lines in the log about a bad list, want %v: one for each change", n, results["failure"])
	}
}

// replaceList changes names.txt as an editor does it: the new file takes the name
// of the old one. It returns the time just before that.
func replaceList(t *testing.T, server *harness.Server, list string) time.Time {
	t.Helper()
	if err := os.WriteFile(server.Dir+"/new", []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	replaced := time.Now()
	if err := os.Rename(server.Dir+"/new", server.Dir+"/names.txt"); err != nil {
		t.Fatal(err)
	}
	return replaced
}

// TestLameduck stops the server while queries come in. It goes on answering
// until the lameduck time of health is over, and has told of every query that
// it answered.
func TestLameduck(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike", "health 127.0.0.1:{$HTTP} {\n lameduck 2s\n }"),
		Upstream: harness.NewUpstream(t).Addr,
	})
	load := lameduck(t, server, 0)
	alerts := server.Alerts(t)
	checkTold(t, load, alerts)
	checkGroups(t, alerts, len(lameduckNames))
}

// TestLameduckWithHangingReceiver is the same with a second destination, which
// takes connections and never answers. What is answered while the server waits
// for it is in the file of the first.
func TestLameduckWithHangingReceiver(t *testing.T) {
	t.Parallel()
	hanging, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike {\n alert ./alerts.json\n alert http://"+hanging.Addr().String()+"\n }",
			"health 127.0.0.1:{$HTTP} {\n lameduck 2s\n }"),
		Upstream: harness.NewUpstream(t).Addr,
	})
	began := time.Now()
	load := lameduck(t, server, 4) // what the second did not get is an error
	t.Logf("%v; %d answers, %d of them SERVFAIL", time.Since(began), load.Answered.Load()+load.Wrong.Load(), load.Wrong.Load())
	alerts := fileAlerts(t, server)
	checkGroups(t, alerts, len(lameduckNames))
	checkTold(t, load, append(alerts, server.Alerts(t)...))
}

// lameduckNames are asked for by one client each.
var lameduckNames = []string{"army.ml", "navy.ml", "af.ml"}

// lameduck asks the server without a pause, while it works and after it was told
// to stop, until it is gone.
func lameduck(t *testing.T, server *harness.Server, wantStatus int) *harness.Load {
	t.Helper()
	const busy = 100 // many more than can be on their way at once
	load := harness.StartLoad(t, server.Addr("DNS"), dns.RcodeNameError, lameduckNames...)
	if !server.Wait(func() bool { return load.Answered.Load() > busy }) {
		t.Fatal("The load does not get going")
	}
	if err := server.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !server.Wait(func() bool { return strings.Contains(server.Output(), "lameduck") }) {
		t.Fatal("The server does not go into lameduck mode")
	}
	before, began := load.Answered.Load(), time.Now()
	status := server.Stop()
	took := time.Since(began)
	load.Stop()
	if during := load.Answered.Load() - before; during < busy {
		t.Errorf("%d queries answered before the lameduck time, %d during it", before, during)
	}
	if status != wantStatus {
		t.Errorf("Exit status %d, want %d", status, wantStatus)
	}
	if most := 2*time.Second + 6*time.Second + time.Second; took > most {
		t.Errorf("The server stopped after %v, want %v at most", took, most)
	}
	return load
}

// checkTold wants the alerts to tell of every query that was blocked. Those that
// were on their way at the last flush are in the log, one of each client at most.
func checkTold(t *testing.T, load *harness.Load, alerts []harness.Alert) {
	t.Helper()
	answered, sent := load.Answered.Load(), load.Sent.Load()
	if n := int64(harness.Sum(alerts)); n < answered || n > sent {
		t.Errorf("The alerts tell of %d queries; %d were answered, %d sent", n, answered, sent)
	}
	late := 0
	for _, a := range alerts {
		if a.Late {
			late++
		}
	}
	if late > len(lameduckNames) {
		t.Errorf("%d alerts after the last flush, want %d at most", late, len(lameduckNames))
	}
}

// TestSignals ends the server in each way that an operator has.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			server := harness.Start(t, harness.Config{Corefile: corefile("lookalike"), Upstream: harness.NewUpstream(t).Addr})
			const queries = 25
			for range queries {
				harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("army.ml", dns.TypeMX))
			}
			// SIGINT ends the process without waiting for what it is doing, and
			// a query is counted when its answer has left.
			if !server.Wait(func() bool { return server.Metric(t, "coredns_lookalike_detections_total") == queries }) {
				t.Fatal("The queries are not counted")
			}
			if err := server.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if status := server.Stop(); status != 0 {
				t.Errorf("Exit status %d", status)
			}
			if n := harness.Sum(server.Alerts(t)); n != queries {
				t.Errorf("The alerts tell of %d queries, want %d", n, queries)
			}
		})
	}
}

// TestReaderGone ends whoever reads the server's standard output, where the log
// and the alerts go. DNS and the other alerts go on.
func TestReaderGone(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike {\n alert stdout\n alert ./alerts.json\n }", "log"),
		Upstream: harness.NewUpstream(t).Addr,
	})
	if err := server.StopReading(); err != nil {
		t.Fatal(err)
	}
	const rounds = 5
	for range rounds {
		if !isBlocked(harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("army.ml", dns.TypeMX))) {
			t.Error("army.ml passes")
		}
		if m := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("example.org", dns.TypeMX)); len(m.Answer) == 0 {
			t.Errorf("No answer for example.org: %v", m)
		}
	}
	if !server.Wait(func() bool {
		return server.Metric(t, "coredns_lookalike_sink_up", "sink", "stdout") == 0 &&
			server.Metric(t, "coredns_lookalike_sink_retries_total", "sink", "stdout") > 0
	}) {
		t.Error("The destination without a reader counts as one that works")
	}
	// What standard output did not get is an error of the shutdown.
	if status := server.Stop(); status != 4 {
		t.Errorf("Exit status %d, want 4", status)
	}
	if n := harness.Sum(fileAlerts(t, server)); n != rounds {
		t.Errorf("The alerts tell of %d queries, want %d", n, rounds)
	}
}
