//go:build e2e

package test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// program is a receiver that a test kills and starts again.
type program struct {
	t    *testing.T
	path string
	args []string
	cmd  *exec.Cmd
}

// start runs the program until it accepts connections at addr.
func (p *program) start(addr string) {
	p.cmd = exec.Command(p.path, p.args...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(p.kill)
	wait.Until(p.t, p.path+" listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// kill ends the program as a crash does.
func (p *program) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // fails where it has ended
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// localAddr is an address of this host with a free port.
func localAddr(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t))
}

// authority issues certificates for 127.0.0.1 into dir: ca.pem, NAME.pem, NAME.key.
func authority(t *testing.T, dir string, names ...string) {
	t.Helper()
	var ca *x509.Certificate
	var caKey *ecdsa.PrivateKey
	for i, name := range append([]string{"ca"}, names...) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i) + 1), Subject: pkix.Name{CommonName: name}, IsCA: i == 0, BasicConstraintsValid: true,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		}
		if i == 0 {
			ca, caKey, c.KeyUsage = c, key, x509.KeyUsageCertSign
		}
		der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, caKey)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for file, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
			if err := os.WriteFile(filepath.Join(dir, name+file), pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

const rsyslogConf = `
global(workDirectory="%[1]s" defaultNetstreamDriverCAFile="%[1]s/ca.pem" defaultNetstreamDriverCertFile="%[1]s/server.pem" defaultNetstreamDriverKeyFile="%[1]s/server.key")
module(load="imudp")
module(load="imptcp")
module(load="mmpstrucdata")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
template(name="sd" type="list") {
	property(name="$!rfc5424-sd!lookalike@32473!qname") constant(value=" ")
	property(name="$!rfc5424-sd!lookalike@32473!prot") constant(value=" ")
	property(name="$!rfc5424-sd!lookalike@32473!phase") constant(value=" ")
	property(name="$!rfc5424-sd!lookalike@32473!cnt") constant(value="\n")
}
template(name="msg" type="string" string="%%msg%%\n")
ruleset(name="udp") { action(type="mmpstrucdata") action(type="omfile" file="%[1]s/udp.log" template="sd") }
ruleset(name="tcp") { action(type="omfile" file="%[1]s/tcp.log" template="msg") }
ruleset(name="tls") { action(type="omfile" file="%[1]s/tls.log" template="msg") }
input(type="imudp" address="127.0.0.1" port="%[2]s" ruleset="udp")
input(type="imptcp" address="127.0.0.1" port="%[2]s" ruleset="tcp")
input(type="imtcp" address="127.0.0.1" port="%[3]s" ruleset="tls")
`

// TestRsyslog sends to rsyslog by UDP, TCP and TLS with a client certificate,
// and has it read the structured data back; CEF and LEEF are read by liblognorm.
func TestRsyslog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	authority(t, dir, "server", "client")
	plain, secure := localAddr(t), localAddr(t)
	rsyslog := startRsyslog(t, dir, plain, secure)
	server := harness.Start(t, harness.Config{Upstream: harness.NewUpstream(t).Addr, Corefile: corefile(fmt.Sprintf(`lookalike {
		alert syslog://%[1]s
		alert syslog+tcp://%[1]s
		alert syslog+tls://%[2]s cef ca=%[3]s/ca.pem cert=%[3]s/client.pem key=%[3]s/client.key
		alert ./alerts.leef leef
		spool ./spool
	}`, plain, secure, dir))})
	ask := func(name string) {
		harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(name, dns.TypeMX))
	}
	read := func(file string) string {
		b, _ := os.ReadFile(filepath.Join(dir, file))
		return string(b)
	}
	ask("army.ml")
	wait.Until(t, "army.ml by UDP", func() bool { return strings.Contains(read("udp.log"), "army.ml army.mil first 1\n") })
	wait.Until(t, "army.ml by TCP", func() bool { return strings.Contains(read("tcp.log"), `"name":"army.ml"`) })
	wait.Until(t, "army.ml by TLS", func() bool { return strings.Contains(read("tls.log"), " cs1=army.ml ") })

	// What is asked while the server is away comes when it is back, and what it
	// may have lost comes again.
	rsyslog.kill()
	ask("navy.ml")
	wait.Until(t, "the sinks are known to be down", func() bool {
		return server.Metric(t, "coredns_lookalike_sink_up", "sink", "syslog+tcp://"+plain) == 0 &&
			server.Metric(t, "coredns_lookalike_sink_up", "sink", "syslog+tls://"+secure) == 0
	})
	rsyslog.start(secure)
	wait.Until(t, "navy.ml by TCP", func() bool { return strings.Contains(read("tcp.log"), `"name":"navy.ml"`) })
	wait.Until(t, "navy.ml by TLS", func() bool { return strings.Contains(read("tls.log"), " cs1=navy.ml ") })
	if status := server.Stop(); status != 0 {
		t.Errorf("Exit status %d", status)
	}
	ids := make(map[string]bool)
	for _, a := range harness.ParseAlerts(t, strings.Split(read("tcp.log"), "\n")) {
		ids[a.Event.ID] = true
	}
	if len(ids) != 4 {
		t.Errorf("%d alerts by TCP, want the first and final ones of two groups", len(ids))
	}
	checkCEF(t, read("tls.log"))
	leef, err := os.ReadFile(filepath.Join(server.Dir, "alerts.leef"))
	if err != nil {
		t.Fatal(err)
	}
	checkLEEF(t, string(leef))
}

// startRsyslog starts rsyslog at the addresses, with the certificates in dir.
func startRsyslog(t *testing.T, dir, plain, secure string) *program {
	t.Helper()
	port := func(addr string) string { return netip.MustParseAddrPort(addr).String()[len("127.0.0.1:"):] }
	conf := filepath.Join(dir, "rsyslog.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, rsyslogConf, dir, port(plain), port(secure)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, path: "/usr/sbin/rsyslogd", args: []string{"-n", "-f", conf, "-i", filepath.Join(dir, "pid")}}
	p.start(secure)
	return p
}

// TestRsyslogRefusesClient holds that no alert counts as delivered to a server
// that does not accept our certificate, and that all are there when it does.
func TestRsyslogRefusesClient(t *testing.T) {
	t.Parallel()
	dir, stranger := t.TempDir(), t.TempDir()
	authority(t, dir, "server", "client")
	authority(t, stranger, "client")
	secure := localAddr(t)
	startRsyslog(t, dir, localAddr(t), secure)
	files := make(map[string]string)
	for _, name := range []string{"client.pem", "client.key"} {
		text, err := os.ReadFile(filepath.Join(stranger, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	server := harness.Start(t, harness.Config{Upstream: harness.NewUpstream(t).Addr, Files: files, Corefile: corefile(fmt.Sprintf(
		"lookalike {\n alert syslog+tls://%s ca=%s/ca.pem cert=client.pem key=client.key\n spool ./spool\n }", secure, dir))})
	harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("army.ml", dns.TypeMX))
	name := "syslog+tls://" + secure
	wait.Until(t, "it is tried again and again", func() bool {
		return server.Metric(t, "coredns_lookalike_sink_retries_total", "sink", name) >= 3
	})
	if n := server.Metric(t, "coredns_lookalike_sink_delivered_total", "sink", name); n != 0 {
		t.Errorf("%v alerts delivered to a server that does not let us in", n)
	}
	for file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(server.Dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wait.Until(t, "the alert is there", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "tls.log"))
		return strings.Contains(string(text), `"name":"army.ml"`)
	})
}

// Rules for liblognorm, a reader that is not ours. It has a parser for CEF; of
// LEEF it is told the grammar.
const (
	cefRule  = `rule=:%f:cef%`
	leefRule = `rule=:LEEF:2.0|%vendor:char-to:|%|%product:char-to:|%|%version:char-to:|%|%id:char-to:|%|^|%attributes:repeat{` +
		`"parser":[{"name":"k","type":"char-to","extradata":"="},{"type":"literal","text":"="},{"name":"v","type":"char-sep","extradata":"^"}],` +
		`"while":{"type":"literal","text":"^"}}%`
)

// normalize has liblognorm parse lines, and returns what it reads of each.
func normalize[T any](t *testing.T, rule, lines string) []T {
	t.Helper()
	rules := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(rules, []byte("version=2\n"+rule+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := wait.Command(t, wait.Limit, "lognormalizer", "-r", rules, "-e", "json")
	cmd.Stdin = strings.NewReader(lines)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []T
	for line := range strings.Lines(string(out)) {
		var v T
		if err := json.Unmarshal([]byte(line), &v); err != nil || strings.Contains(line, "unparsed-data") {
			t.Errorf("lognormalizer read %s, error %v", line, err)
		}
		all = append(all, v)
	}
	if n := strings.Count(lines, "\n"); len(all) != n || n == 0 {
		t.Errorf("lognormalizer read %d lines, want %d", len(all), n)
	}
	return all
}

// checkCEF has CEF lines of army.ml and navy.ml read.
func checkCEF(t *testing.T, lines string) {
	t.Helper()
	type event struct {
		F struct {
			SignatureID string
			Extensions  map[string]string
		}
	}
	lines = strings.ReplaceAll(lines, "\n", " \n") // the parser loses the last character of a line
	for _, v := range normalize[event](t, cefRule, lines) {
		if v.F.SignatureID != "tld-swap" || v.F.Extensions["cs3"] != "army.mil" && v.F.Extensions["cs3"] != "navy.mil" {
			t.Errorf("lognormalizer read %+v", v)
		}
	}
}

// checkLEEF has LEEF lines of army.ml and navy.ml read.
func checkLEEF(t *testing.T, lines string) {
	t.Helper()
	type event struct {
		ID         string
		Attributes []struct{ K, V string }
	}
	for _, v := range normalize[event](t, leefRule, lines) {
		attributes := make(map[string]string)
		for _, a := range v.Attributes {
			attributes[a.K] = a.V
		}
		if v.ID != "tld-swap" || attributes["protectedName"] != "army.mil" && attributes["protectedName"] != "navy.mil" || attributes["count"] == "" {
			t.Errorf("lognormalizer read %+v", v)
		}
	}
}

// TestFleet has three resolvers publish to one JetStream stream while the
// broker is killed and started again: no alert is missing, none is there twice.
func TestFleet(t *testing.T) {
	t.Parallel()
	dir, addr := t.TempDir(), localAddr(t)
	authority(t, dir, "server")
	ca := filepath.Join(dir, "ca.pem")
	broker := natsServer(t, dir, addr, "--tls", "--tlscert", filepath.Join(dir, "server.pem"), "--tlskey", filepath.Join(dir, "server.key"))
	broker.start(addr)
	js := jetStream(t, addr, nats.RootCAs(ca), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "LOOKALIKE", Subjects: []string{"lookalike.alerts"}, Duplicates: time.Hour, Storage: jetstream.FileStorage,
	}); err != nil {
		t.Fatal(err)
	}
	servers := make([]*harness.Server, 0, 3)
	for range cap(servers) {
		servers = append(servers, harness.Start(t, harness.Config{
			Upstream: harness.NewUpstream(t).Addr, Corefile: fleet(t,
				[2]string{"alert nats://127.0.0.1:1/", "alert nats://" + addr + "/"}, [2]string{"stream=LOOKALIKE tls=yes", "stream=LOOKALIKE tls=yes ca=" + ca}),
		}))
	}
	const names = 40 // that each server is asked for
	asked := 0
	ask := func(n int) {
		for range n {
			for _, s := range servers {
				harness.Exchange(t, "udp", s.Addr("DNS"), harness.Query(fmt.Sprintf("x%d.ml", asked%names), dns.TypeMX))
				asked++
			}
		}
	}
	ask(10)
	for range 3 {
		broker.kill()
		ask(10)
		broker.start(addr)
		ask(10)
	}
	drained := func() bool {
		for _, s := range servers {
			records := s.Metric(t, "coredns_lookalike_sink_records_total", "sink", "nats://"+addr+"/lookalike.alerts")
			if records < names || records != s.Metric(t, "coredns_lookalike_sink_delivered_total", "sink", "nats://"+addr+"/lookalike.alerts") {
				return false
			}
		}
		return true
	}
	wait.Until(t, "all is published", drained)
	for _, s := range servers {
		if status := s.Stop(); status != 0 {
			t.Errorf("Exit status %d", status)
		}
	}
	published := make([]harness.Alert, 0, asked)
	consumer, err := js.OrderedConsumer(t.Context(), "LOOKALIKE", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	info, err := js.Stream(t.Context(), "LOOKALIKE")
	if err != nil {
		t.Fatal(err)
	}
	for range info.CachedInfo().State.Msgs {
		m, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		published = append(published, harness.ParseAlerts(t, []string{string(m.Data())})...)
	}
	if n := harness.Sum(published); n != asked {
		t.Errorf("The alerts in the stream tell of %d queries, %d were sent", n, asked)
	}
	sameAsFiles(t, servers, published)
}

// sameAsFiles wants the alerts of the servers' files published, each once.
func sameAsFiles(t *testing.T, servers []*harness.Server, published []harness.Alert) {
	t.Helper()
	want := make(map[string]int)
	for _, s := range servers {
		for _, a := range fileAlerts(t, s) {
			want[a.Event.ID]++
		}
	}
	for _, a := range published {
		want[a.Event.ID]--
	}
	for id, n := range want {
		if n != 0 {
			t.Errorf("Alert %s is in the files %+d times more than published", id, n)
		}
	}
}

// brokenKafka starts brokers that fail all the time: they break connections,
// move partitions away, and say that they failed when they took what they got.
// The number is of the requests to produce.
func brokenKafka(t *testing.T, topic string, options ...kfake.Opt) (*kfake.Cluster, *atomic.Int64) {
	t.Helper()
	cluster, err := kfake.NewCluster(append(options, kfake.NumBrokers(3), kfake.SeedTopics(3, topic))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	requests := new(atomic.Int64)
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if requests.Add(1)%3 == 0 {
			return nil, io.ErrUnexpectedEOF, true // the connection breaks
		}
		return nil, nil, false
	})
	every := func(n, rest int64) func(kmsg.Request) bool {
		return func(kmsg.Request) bool { return requests.Load()%n == rest }
	}
	cluster.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend, Count: -1, When: every(4, 1)},
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1, When: every(5, 2)},
	)
	return cluster, requests
}

// consumeKafka reads alerts from a topic until they tell of so many queries.
// As consumers do, it drops what has an id that it knows.
func consumeKafka(t *testing.T, topic string, want int, options ...kgo.Opt) []harness.Alert {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.ConsumeTopics(topic))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ids, repeats := make(map[string]bool), 0
	var alerts []harness.Alert
	wait.Until(t, "all is consumed", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for r := range client.PollFetches(ctx).RecordsAll() {
			id := string(r.Headers[0].Value)
			if ids[id] {
				repeats++
				continue
			}
			ids[id] = true
			a := harness.ParseAlerts(t, []string{string(r.Value)})
			if len(a) != 1 || a[0].Event.ID != id || a[0].Lookalike.Group != string(r.Key) {
				t.Errorf("Record with id %s and key %s: %s", id, r.Key, r.Value)
			}
			alerts = append(alerts, a...)
		}
		return harness.Sum(alerts) >= want
	})
	if n := harness.Sum(alerts); n != want {
		t.Errorf("The alerts tell of %d queries, %d were sent", n, want)
	}
	t.Logf("%d alerts and %d repeats", len(alerts), repeats)
	return alerts
}

// TestKafka produces to brokers that fail, stops, and goes on.
func TestKafka(t *testing.T) {
	t.Parallel()
	cluster, requests := brokenKafka(t, "alerts")
	config := harness.Config{Upstream: harness.NewUpstream(t).Addr, Corefile: corefile(fmt.Sprintf(
		"lookalike {\n protect *.mil\n alert kafka://%s/alerts\n spool ./spool\n }", strings.Join(cluster.ListenAddrs(), ",")))}
	server := harness.Start(t, config)
	const asked = 60
	for i := range asked {
		harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(fmt.Sprintf("x%d.ml", i%30), dns.TypeMX))
	}
	sink := "kafka://" + strings.Join(cluster.ListenAddrs(), ",") + "/alerts"
	wait.Until(t, "all is produced", func() bool {
		return server.Metric(t, "coredns_lookalike_sink_delivered_total", "sink", sink) >= 30
	})
	if status := server.Stop(); status != 0 {
		t.Errorf("Exit status %d", status)
	}
	// What the faults kept back while it stopped is in the spool.
	again, err := harness.Launch(harness.Binary(t), server.Dir, config)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	consumeKafka(t, "alerts", asked, kgo.SeedBrokers(cluster.ListenAddrs()...))
	if n := requests.Load(); n < 3 {
		t.Errorf("%d requests to produce, too few for a fault", n)
	}
}

// TestFleetKafka has three resolvers, with the Kafka line of corefile/fleet,
// produce to one topic of brokers that fail: no alert is missing, none is there
// twice for a consumer.
func TestFleetKafka(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	authority(t, dir, "server")
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	const topic = "lookalike-alerts"
	cluster, requests := brokenKafka(t, topic, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	brokers := strings.Join(cluster.ListenAddrs(), ",")
	servers := make([]*harness.Server, 0, 3)
	for range cap(servers) {
		servers = append(servers, harness.Start(t, harness.Config{
			Upstream: harness.NewUpstream(t).Addr, Corefile: fleetWithKafka(t, brokers, filepath.Join(dir, "ca.pem")),
		}))
	}
	asked := 0
	for i := range 60 {
		for _, s := range servers {
			harness.Exchange(t, "udp", s.Addr("DNS"), harness.Query(fmt.Sprintf("x%d.ml", i%40), dns.TypeMX))
			asked++
		}
		time.Sleep(10 * time.Millisecond) // for many requests to produce, with a fault each
	}
	sink := "kafka://" + brokers + "/" + topic
	for _, s := range servers {
		wait.Until(t, "all is produced", func() bool {
			return s.Metric(t, "coredns_lookalike_sink_delivered_total", "sink", sink) >= 40
		})
	}
	// What the faults keep back while a server stops is produced by its next run.
	for i, s := range servers {
		if status := s.Stop(); status != 0 {
			t.Errorf("Exit status %d", status)
		}
		again, err := harness.Launch(harness.Binary(t), s.Dir, harness.Config{
			Upstream: harness.NewUpstream(t).Addr, Corefile: fleetWithKafka(t, brokers, filepath.Join(dir, "ca.pem")),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { again.Stop() })
		servers[i] = again
	}
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("No certificate of the authority, error %v", err)
	}
	produced := consumeKafka(t, topic, asked, kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DialTLSConfig(&tls.Config{RootCAs: roots}))
	for _, s := range servers {
		s.Stop()
	}
	sameAsFiles(t, servers, produced)
	if n := requests.Load(); n < 20 {
		t.Errorf("%d requests to produce, too few for all faults", n)
	}
}

// fleetWithKafka is corefile/fleet with its Kafka line in force.
func fleetWithKafka(t *testing.T, brokers, ca string) string {
	t.Helper()
	return fleet(t,
		[2]string{"        alert nats://", "        # alert nats://"},
		[2]string{
			"# alert kafka://kafka1.example.org,kafka2.example.org/lookalike-alerts tls=yes",
			"alert kafka://" + brokers + "/lookalike-alerts tls=yes ca=" + ca,
		})
}

// fleet is corefile/fleet with other protected names, and with these changes.
func fleet(t *testing.T, changes ...[2]string) string {
	t.Helper()
	text, err := os.ReadFile("../corefile/fleet")
	if err != nil {
		t.Fatal(err)
	}
	changed := local.Replace(string(text))
	for _, change := range append(changes, [2]string{"# protect /etc/lookalike/protected.txt", "protect *.mil"}) {
		if strings.Count(changed, change[0]) != 1 {
			t.Fatalf("corefile/fleet does not have %q once", change[0])
		}
		changed = strings.Replace(changed, change[0], change[1], 1)
	}
	return changed
}

// moody is a webhook that does everything wrong in turn, hangs once, and takes
// an alert every so often.
type moody struct {
	mu     sync.Mutex
	turn   int
	key    []byte
	taken  []harness.Alert
	ids    map[string]int
	forged int
	hung   int    // requests that the client gave up
	bad    string // refuse what has this name
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	id, stamp := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
	if err != nil || !signed(m.key, id, stamp, string(body), r.Header.Get("Webhook-Signature")) {
		m.forged++
	}
	if strings.Contains(string(body), m.bad) {
		http.Error(w, "not this one", http.StatusBadRequest)
		return
	}
	m.turn++
	if m.turn == 6 {
		<-r.Context().Done()
		m.hung++
		return
	}
	switch m.turn % 7 {
	case 1:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	case 2:
		w.WriteHeader(http.StatusTooManyRequests)
	case 3:
		m.hijack(w, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", false)
	case 4:
		m.hijack(w, "", true)
	default:
		var a harness.Alert
		if err := json.Unmarshal(body, &a); err != nil || a.Event.ID != id {
			m.forged++
		}
		m.ids[id]++
		m.taken = append(m.taken, a)
	}
}

// hijack writes something and closes, or resets.
func (m *moody) hijack(w http.ResponseWriter, text string, reset bool) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = io.WriteString(c, text)
	if tcp, ok := c.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
}

// serveWeb returns the address of a web server that ends with the test, without
// waiting for what hangs in it.
func serveWeb(t *testing.T, h http.Handler) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: h}
	go func() { _ = web.Serve(l) }()
	t.Cleanup(func() { web.Close() })
	return l.Addr().String()
}

// TestWebhook holds that a receiver that does everything wrong gets each alert
// once in the end, but the one that it will not have.
func TestWebhook(t *testing.T) {
	t.Parallel()
	m := &moody{key: []byte("the key that the receiver has"), ids: make(map[string]int), bad: "x3.ml"}
	sink := "http://" + serveWeb(t, m)
	server := harness.Start(t, harness.Config{
		Upstream: harness.NewUpstream(t).Addr,
		Files:    map[string]string{"secret": "whsec_" + base64.StdEncoding.EncodeToString(m.key)},
		Corefile: corefile("lookalike {\n protect *.mil\n alert " + sink + " secret_file=secret\n spool ./spool\n }"),
	})
	const asked = 12
	for i := range asked {
		harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(fmt.Sprintf("x%d.ml", i), dns.TypeMX))
	}
	wait.Within(t, 3*time.Minute, "all is taken", func() bool {
		return server.Metric(t, "coredns_lookalike_sink_delivered_total", "sink", sink) == asked-1 &&
			server.Metric(t, "coredns_lookalike_sink_lost_total", "sink", sink, "reason", "refused") == 1
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := harness.Sum(m.taken); n != asked-1 || len(m.ids) != asked-1 || m.forged != 0 || m.hung != 1 {
		t.Errorf("%d queries in %d alerts taken, %d badly signed, %d given up", n, len(m.ids), m.forged, m.hung)
	}
	for i := 1; i < len(m.taken); i++ {
		if m.taken[i].Event.Sequence <= m.taken[i-1].Event.Sequence {
			t.Errorf("Sequence %d behind %d", m.taken[i].Event.Sequence, m.taken[i-1].Event.Sequence)
		}
	}
	dead, err := os.ReadFile(filepath.Join(server.Dir, "spool", "dead.jsonl"))
	if err != nil || strings.Count(string(dead), "\n") != 1 || !strings.Contains(string(dead), "x3.ml") {
		t.Errorf("Dead letters %q, error %v", dead, err)
	}
	if out, err := wait.Command(t, wait.Limit, "jq", "-e", ".record.lookalike.phase", filepath.Join(server.Dir, "spool", "dead.jsonl")).Output(); err != nil || string(out) != "\"first\"\n" {
		t.Errorf("jq read %q, error %v", out, err)
	}
}

// guarded is a webhook that lets in whoever signs with its key.
type guarded struct {
	mu    sync.Mutex
	key   []byte
	taken []harness.Alert
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	g.mu.Lock()
	defer g.mu.Unlock()
	var a harness.Alert
	if err != nil || !signed(g.key, r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), string(body), r.Header.Get("Webhook-Signature")) {
		http.Error(w, "cannot POST "+r.URL.Path, http.StatusUnauthorized)
		return
	}
	if json.Unmarshal(body, &a) == nil {
		g.taken = append(g.taken, a)
	}
}

// TestCredentialsChange has a webhook and a NATS server change what they let
// in: the sinks pause, and go on soon after the files of the secrets have
// changed. No secret is in the log or the metrics. A record that is too large
// for the stream is put away.
func TestCredentialsChange(t *testing.T) {
	t.Parallel()
	g := &guarded{key: []byte("the first key of the receiver")}
	web := serveWeb(t, g)
	dir, addr := t.TempDir(), localAddr(t)
	var broker *program
	startBroker := func(password string) {
		broker = natsServer(t, dir, addr, "--user", "alice", "--pass", password)
		broker.start(addr)
	}
	startBroker("geheim-1")
	createStream(t, addr, jetstream.StreamConfig{Name: "SOC", Subjects: []string{"soc"}, MaxMsgSize: 3000}, nats.UserInfo("alice", "geheim-1"))
	whsec := func(key string) string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(key)) }
	server := harness.Start(t, harness.Config{
		Upstream: harness.NewUpstream(t).Addr,
		Files:    map[string]string{"secret": whsec("the first key of the receiver"), "password": "geheim-1"},
		Corefile: corefile(fmt.Sprintf("lookalike {\n protect *.mil\n alert http://%s/geheim-path secret_file=secret\n"+
			" alert nats://%s/soc user=alice password_file=password\n spool ./spool\n }", web, addr)),
	})
	ask := func(name string) {
		harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(name, dns.TypeMX))
	}
	broken := "nats://" + addr + "/soc"
	delivered := func(n float64) func() bool {
		return func() bool {
			g.mu.Lock()
			defer g.mu.Unlock()
			return float64(len(g.taken)) >= n && server.Metric(t, "coredns_lookalike_sink_delivered_total", "sink", broken) >= n
		}
	}
	ask("x1.ml")
	wait.Until(t, "the first alert is there", delivered(1))

	g.mu.Lock()
	g.key = []byte("the second key of the receiver")
	g.mu.Unlock()
	broker.kill()
	startBroker("geheim-2")
	ask("x2.ml")
	wait.Until(t, "the sinks are not let in", func() bool {
		return strings.Count(server.Output(), "failed, retrying: access denied:") == 2
	})
	for file, secret := range map[string]string{"secret": whsec("the second key of the receiver"), "password": "geheim-2"} {
		if err := os.WriteFile(filepath.Join(server.Dir, file), []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wait.Until(t, "the sinks go on", delivered(2))

	ask(strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + ".x3.ml")
	wait.Until(t, "the large alert is refused", func() bool {
		return server.Metric(t, "coredns_lookalike_sink_lost_total", "sink", broken, "reason", "refused") == 1
	})
	ask("x4.ml")
	wait.Until(t, "the one after it is there", delivered(3))
	dead, err := os.ReadFile(filepath.Join(server.Dir, "spool", "dead.jsonl"))
	if err != nil || strings.Count(string(dead), "\n") != 1 || !strings.Contains(string(dead), "ccc.x3.ml") {
		t.Errorf("Dead letters %q, error %v", dead, err)
	}
	for _, text := range []string{server.Output(), string(dead), server.Metrics(t)} {
		if strings.Contains(text, "geheim") || strings.Contains(text, "whsec_") || strings.Contains(text, "on connection [") {
			t.Errorf("A secret, or a message of the NATS client, in %s", text)
		}
	}
}

// natsServer is a NATS server for addr that keeps its streams in dir.
func natsServer(t *testing.T, dir, addr string, more ...string) *program {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return &program{t: t, path: "/usr/sbin/nats-server", args: append([]string{"-js", "-sd", dir, "-a", "127.0.0.1", "-p", port}, more...)}
}

// jetStream is connected to a NATS server until the test ends.
func jetStream(t *testing.T, addr string, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect("nats://"+addr, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// createStream makes a stream at a NATS server.
func createStream(t *testing.T, addr string, stream jetstream.StreamConfig, options ...nats.Option) {
	t.Helper()
	if _, err := jetStream(t, addr, options...).CreateStream(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
}
