//go:build e2e

package test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// numbered is what tells records of a file apart.
type numbered struct {
	Event struct{ Sequence int64 }
	Agent struct {
		EphemeralID string `json:"ephemeral_id"`
	}
}

// TestKill kills the server at random moments of a storm: no line is torn, no
// sequence number is used twice, no group begins twice, and at most the counts
// of two seconds are lost each time. It takes all of the machine, so it runs
// alone, as TestStorm does.
func TestKill(t *testing.T) {
	dir, binary, upstream := t.TempDir(), harness.Binary(t), harness.NewUpstream(t).Addr
	config := harness.Config{Upstream: upstream, Corefile: corefile("lookalike {\n protect *.mil\n alert ./alerts.json\n spool ./spool\n }")}
	names := make([]string, 0, 16)
	for i := range cap(names) {
		names = append(names, fmt.Sprintf("x%d.ml", i))
	}
	var answered, sent, mayLose int64
	var loaded time.Duration
	var last *harness.Server
	const kills = 6
	for round := range kills + 1 {
		server, err := harness.Launch(binary, dir, config)
		for try := 1; err != nil && try < 5 && strings.Contains(err.Error(), "address already in use"); try++ {
			server, err = harness.Launch(binary, dir, config)
		}
		if err != nil {
			t.Fatal(err)
		}
		load := harness.StartLoad(t, server.Addr("DNS"), dns.RcodeNameError, names...)
		began, lasts := time.Now(), time.Second+rand.N(3*time.Second)
		var before int64 // answered two seconds before the kill
		for time.Since(began) < lasts {
			time.Sleep(10 * time.Millisecond)
			if lasts-time.Since(began) >= 2*time.Second {
				before = load.Answered.Load()
			}
		}
		if round < kills {
			if err := server.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			server.Stop()
		}
		load.Stop()
		if round == kills {
			last = server
			if status := server.Stop(); status != 0 {
				t.Errorf("Exit status %d:\n%s", status, server.Output())
			}
		} else {
			mayLose += load.Answered.Load() - before
		}
		rate := float64(load.Answered.Load()) / lasts.Seconds()
		t.Logf("Round %d: %.0f queries/s for %v", round, rate, lasts.Round(10*time.Millisecond))
		answered, sent, loaded = answered+load.Answered.Load(), sent+load.Sent.Load(), loaded+lasts
	}
	if rate, least := float64(answered)/loaded.Seconds(), 2000.0; rate < least {
		t.Errorf("%.0f queries/s, too few for a storm: want %.0f", rate, least)
	}
	alerts := fileAlerts(t, last)
	told := int64(harness.Sum(alerts))
	t.Logf("%d answered, %d told of, %d of the last two seconds before a kill", answered, told, mayLose)
	if told > sent || told < answered-mayLose {
		t.Errorf("The alerts tell of %d queries; %d were answered and %d sent, and %d may be lost", told, answered, sent, mayLose)
	}
	seen := make(map[numbered]bool)
	for _, a := range alerts {
		var n numbered
		if err := json.Unmarshal([]byte(a.Raw), &n); err != nil {
			t.Fatal(err)
		}
		if seen[n] {
			t.Errorf("Sequence %d of %s twice", n.Event.Sequence, n.Agent.EphemeralID)
		}
		seen[n] = true
	}
	checkGroups(t, alerts, len(names))
}

// TestOutage has a receiver away for two minutes: it then gets all that it
// missed, in order, and repeats only with ids that it knows.
func TestOutage(t *testing.T) {
	t.Parallel()
	addr := localAddr(t)
	var mu sync.Mutex
	var got []harness.Alert
	serve := func() *http.Server {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			var a harness.Alert
			if err == nil && json.Unmarshal(body, &a) == nil {
				mu.Lock()
				got = append(got, a)
				mu.Unlock()
			}
		})}
		go func() { _ = s.Serve(l) }()
		return s
	}
	server := harness.Start(t, harness.Config{Upstream: harness.NewUpstream(t).Addr, Corefile: corefile(
		"lookalike {\n protect *.mil\n alert http://" + addr + "\n spool ./spool\n }")})
	asked := 0
	ask := func() {
		harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(fmt.Sprintf("x%d.ml", asked), dns.TypeMX))
		asked++
	}
	up := serve()
	for range 5 {
		ask()
	}
	wait.Until(t, "the first ones are there", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == 5 })
	up.Close()
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(2 * time.Second) {
		ask()
	}
	up = serve()
	defer up.Close()
	firsts := func() (distinct int, ordered bool) {
		mu.Lock()
		defer mu.Unlock()
		ids, last := make(map[string]bool), int64(0)
		ordered = true
		for _, a := range got {
			if ids[a.Event.ID] {
				continue
			}
			ids[a.Event.ID] = true
			ordered = ordered && a.Event.Sequence == last+1
			last = a.Event.Sequence
		}
		return len(ids), ordered
	}
	// The last pause may be a minute long.
	wait.Within(t, 3*time.Minute, "all are there", func() bool { n, _ := firsts(); return n >= asked })
	if n, ordered := firsts(); n != asked || !ordered {
		t.Errorf("%d alerts of %d queries, in order: %v", n, asked, ordered)
	}
}

// TestStorm sends 10,000 queries a second for a minute, from 10,000 clients,
// for random lookalikes. Beside other tests it would lose their queries.
func TestStorm(t *testing.T) {
	server := harness.Start(t, harness.Config{Upstream: harness.NewUpstream(t).Addr, Corefile: corefile(
		"lookalike {\n protect *.mil\n alert ./alerts.json\n spool ./spool\n }")})
	conn, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var answered atomic.Int64
	var reader sync.WaitGroup
	reader.Go(func() {
		for b := make([]byte, 2048); ; answered.Add(1) {
			if _, _, err := conn.ReadFrom(b); err != nil {
				return
			}
		}
	})
	const seconds, rate, clients = 60, 10_000, 10_000
	pc, to := ipv4.NewPacketConn(conn), net.UDPAddrFromAddrPort(server.Addr("DNS"))
	sent := 0
	began := time.Now()
	for ; sent < seconds*rate; sent++ {
		for due := time.Duration(sent) * time.Second / rate; time.Since(began) < due; {
			time.Sleep(time.Millisecond)
		}
		q := new(dns.Msg).SetQuestion(fmt.Sprintf("x%x.ml.", rand.Uint32()), dns.TypeMX)
		client := rand.IntN(clients)
		src := netip.AddrFrom4([4]byte{127, 1, byte(client >> 8), byte(client)})
		if _, err := pc.WriteTo(harness.Pack(t, q), &ipv4.ControlMessage{Src: src.AsSlice()}, to); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(began)
	wait.Until(t, "the storm is over", func() bool {
		before := answered.Load()
		time.Sleep(300 * time.Millisecond)
		return answered.Load() == before
	})
	detected := int(server.Metric(t, "coredns_lookalike_detections_total"))
	most := server.Memory(t, "VmHWM")
	if code := server.Stop(); code != 0 {
		t.Errorf("Exit status %d", code)
	}
	conn.Close()
	wait.Done(t, "the reader to end", reader.Wait)
	alerts := fileAlerts(t, server)
	byPhase := make(map[string]int)
	for _, a := range alerts {
		byPhase[a.Lookalike.Phase]++
	}
	t.Logf("%d queries in %v, %d answered, %d detected; %d alerts: %v; memory at most %d MiB",
		sent, took.Round(time.Second), answered.Load(), detected, len(alerts), byPhase, most>>20)
	if n := harness.Sum(alerts); n != detected {
		t.Errorf("The alerts tell of %d queries, %d were detected", n, detected)
	}
	if detected < sent/2 {
		t.Errorf("%d of %d queries were detected, too few for a storm", detected, sent)
	}
	if most := 100 + 50*int(took.Seconds()+2); byPhase["first"] > most || byPhase["storm"] > 20 || byPhase["final"] > byPhase["first"] || byPhase["update"] > byPhase["first"] {
		t.Errorf("Alerts %v, want %d first ones at most", byPhase, most)
	}
	if most > 256<<20 {
		t.Errorf("%d bytes of memory, want at most 256 MiB", most)
	}
}

// TestReloadsKeepSinks reloads good and bad Corefiles, a hundred of each, under
// load: the sink that stays the same keeps its connection, nothing leaks and
// nothing is lost.
func TestReloadsKeepSinks(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int64
	var open sync.WaitGroup
	var conns []net.Conn
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			conns = append(conns, c)
			open.Go(func() { _, _ = io.Copy(io.Discard, c) })
		}
	})
	defer func() {
		l.Close()
		for _, c := range conns {
			c.Close()
		}
		wait.Done(t, "the connections to end", open.Wait)
	}()
	directive := func(ttl int, more string) string {
		return corefile(fmt.Sprintf("lookalike {\n protect *.mil\n ttl %d\n alert syslog+tcp://%s\n alert ./alerts.json\n spool ./spool\n %s\n }", ttl, l.Addr(), more))
	}
	server := harness.Start(t, harness.Config{Upstream: harness.NewUpstream(t).Addr, Corefile: directive(60, "")})
	round := func(i int) {
		more := ""
		if i%2 == 1 {
			more = "alert ./more.json" // another configuration: the pipeline is another one
		}
		if err := server.Reload(directive(61+i, more)); err != nil {
			t.Errorf("Reload %d of a good Corefile: %v", i, err)
		}
		bad := directive(60, "alert /nowhere/alerts.json")
		if i%2 == 1 {
			bad = directive(60, "alert xyz://example.org")
		}
		if err := server.Reload(bad); err == nil {
			t.Errorf("Reload %d of a bad Corefile: no error", i)
		}
	}
	harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("army.ml.", dns.TypeMX)) // the spool has its files from the first alert on
	for i := range 10 {
		round(i)
	}
	goroutines, descriptors := server.Metric(t, "go_goroutines"), server.Descriptors(t)
	for range 20 { // what is on its way is no baseline
		time.Sleep(50 * time.Millisecond)
		goroutines, descriptors = min(goroutines, server.Metric(t, "go_goroutines")), min(descriptors, server.Descriptors(t))
	}
	load := harness.StartLoad(t, server.Addr("DNS"), dns.RcodeNameError, "army.ml", "navy.ml")
	for i := range 100 {
		round(10 + i)
	}
	load.Stop()
	const slack = 2
	if !server.Wait(func() bool {
		return server.Metric(t, "go_goroutines") <= goroutines+slack && server.Descriptors(t) <= descriptors+slack
	}) {
		t.Errorf("%v goroutines and %d descriptors before the reloads, %v and %d after",
			goroutines, descriptors, server.Metric(t, "go_goroutines"), server.Descriptors(t))
	}
	if load.Wrong.Load() != 0 || load.Lost.Load() != 0 {
		t.Errorf("Of %d queries %d were answered wrongly, %d not", load.Sent.Load(), load.Wrong.Load(), load.Lost.Load())
	}
	if status := server.Stop(); status != 0 {
		t.Errorf("Exit status %d", status)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections to the sink, want one that lasts", n)
	}
	if n, sent := int64(harness.Sum(fileAlerts(t, server))), load.Sent.Load()+1; n != sent {
		t.Errorf("The alerts tell of %d queries, %d were sent", n, sent)
	}
}

// spoolFiles are those of the spool's logs.
func spoolFiles(t *testing.T, server *harness.Server) []string {
	t.Helper()
	files, err := filepath.Glob(server.Dir + "/spool/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestSpoolFilesGone damages or removes the spool's files under a server: alerts go
// on, the server stops when it is told to, and what waits is there for the next.
func TestSpoolFilesGone(t *testing.T) {
	t.Parallel()
	mishaps := map[string]func(path string) error{
		"emptied":       func(path string) error { return os.Truncate(path, 0) },
		"one page left": func(path string) error { return os.Truncate(path, int64(os.Getpagesize())) },
		"removed":       os.Remove,
	}
	for name, mishap := range mishaps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := harness.Start(t, harness.Config{Upstream: harness.NewUpstream(t).Addr, Corefile: corefile(
				"lookalike {\n protect *.mil\n alert ./alerts.json\n alert http://" + localAddr(t) + "\n spool ./spool\n }")})
			const queries = 12
			for i := range queries {
				harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(fmt.Sprintf("x%d.ml", i), dns.TypeMX))
				wait.Until(t, "an alert", func() bool { return len(fileAlerts(t, server)) == i+1 })
				if i == 3 {
					files := spoolFiles(t, server)
					if len(files) < 2 {
						t.Fatalf("Got files %q", files)
					}
					for _, path := range files {
						if err := mishap(path); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			wait.Until(t, "the spool is well", func() bool {
				return len(spoolFiles(t, server)) >= 2 && server.Metric(t, "coredns_lookalike_spool_healthy") == 1
			})
			if status := server.Stop(); status != 0 {
				t.Errorf("Exit status %d:\n%s", status, server.Output())
			}
			if got := harness.Sum(fileAlerts(t, server)); got != queries {
				t.Errorf("The alerts tell of %v queries, want %d", got, queries)
			}
		})
	}
}
