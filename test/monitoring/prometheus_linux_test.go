//go:build e2e

package monitoring

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// watchedCorefile has whatever exports metrics: all kinds of destinations, of which
// one is down and one refuses, lists, exceptions, a sinkhole where nobody answers,
// the responder and a policy zone.
const watchedCorefile = `.:{$DNS} {
	bind 127.0.0.1
	errors
	prometheus 127.0.0.1:{$METRICS}
	lookalike ml {
		protect ./protect.txt
		allow ./allow.txt
		action high sinkhole 192.0.2.25
		action tld-kept monitor
		verify
		inspect
		alert ./alerts.json
		alert {$TAKES}
		alert {$REFUSES}
		alert nats://127.0.0.1:1/alerts
		spool ./spool
		reload 1s
	}
	smtpreject 127.0.0.1:{$HTTP}
	rpz rpz.example.org
	transfer rpz.example.org {
		to *
	}
	forward . {$UPSTREAM}
}
`

// bareCorefile is a server without the directive.
const bareCorefile = `.:{$DNS} {
	bind 127.0.0.1
	prometheus 127.0.0.1:{$METRICS}
	forward . {$UPSTREAM}
}
`

// protected is the list that it begins with.
const protected = "navy.mil\ndisa.mil\nbank.mil\n"

// watched starts that server.
func watched(t *testing.T) *harness.Server {
	t.Helper()
	receiver := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	return harness.Start(t, harness.Config{
		Corefile: watchedCorefile,
		Upstream: harness.NewUpstream(t).Addr,
		Files: map[string]string{
			"protect.txt": protected,
			"allow.txt":   fmt.Sprintf("bank.ml until=%s owner=mail-team@example.net\n", time.Now().AddDate(0, 0, 3).UTC().Format(time.DateOnly)),
		},
		Env: []string{"TAKES=" + receiver(http.StatusOK), "REFUSES=" + receiver(http.StatusBadRequest)},
	})
}

// prometheus is a Prometheus that runs.
type prometheus struct{ url string }

// startPrometheus has Debian's Prometheus read the server every second and evaluate
// our rules, with our example of a configuration.
func startPrometheus(t *testing.T, s *harness.Server) prometheus {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"prometheus.yaml", "rules.yaml"} {
		text, err := os.ReadFile(soc + "/prometheus/" + name)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer("192.0.2.53:9153", s.Addr("METRICS").String(), "30s", "1s").Replace(string(text))
		if name == "rules.yaml" {
			changed = string(text)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t))
	p := prometheus{"http://" + address}
	harness.StartProcess(t, "/usr/bin/prometheus", []string{
		"--config.file=" + dir + "/prometheus.yaml", "--storage.tsdb.path=" + dir + "/data",
		"--web.listen-address=" + address, "--log.level=warn",
	}, func() bool {
		reply, err := harness.Web.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		reply.Body.Close()
		return reply.StatusCode == http.StatusOK
	})
	wait.Until(t, "a first look of Prometheus at the server", func() bool {
		return len(p.query(t, `up{job="lookalike"} == 1`)) == 1
	})
	return p
}

// get asks the API and decodes the data of its answer.
func (p prometheus) get(t *testing.T, path string, data any) {
	t.Helper()
	reply, err := harness.Web.Get(p.url + "/api/v1/" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(reply.Body).Decode(&answer); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if answer.Status != "success" {
		t.Errorf("%s: %s", path, answer.Error)
	}
}

// query returns the labels of each series that an expression has now.
func (p prometheus) query(t *testing.T, expr string) []map[string]string {
	t.Helper()
	var data struct {
		Result []struct{ Metric map[string]string }
	}
	p.get(t, "query?query="+url.QueryEscape(expr), &data)
	var all []map[string]string
	for _, r := range data.Result {
		all = append(all, r.Metric)
	}
	return all
}

// states are the alerts that are not inactive, with their state.
func (p prometheus) states(t *testing.T) []string {
	t.Helper()
	var data struct {
		Alerts []struct {
			Labels map[string]string
			State  string
		}
	}
	p.get(t, "alerts", &data)
	var all []string
	for _, a := range data.Alerts {
		all = append(all, a.Labels["alertname"]+" "+a.State)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestPrometheus has Prometheus watch a server that is in trouble. The first
// detection comes before Prometheus looks for the first time.
func TestPrometheus(t *testing.T) {
	s := watched(t)
	ask(t, s, "navy.ml")
	p := startPrometheus(t, s)
	exercise(t, s)
	writeList(t, s, "navy\n") // which the server cannot load
	want := []string{
		"LookalikeAlertsLost firing", "LookalikeBlocked firing", "LookalikePassed firing", "LookalikeSuspected firing",
		"LookalikeDestinationDown pending", "LookalikeExceptionEnding pending", "LookalikeListStale pending", "LookalikeSinkholeFallback pending",
	}
	p.await(t, want)
	t.Run("rules", func(t *testing.T) { p.checkRules(t) })
	metrics := s.Metrics(t)
	exported := parseExport(t, metrics)
	t.Run("expressions of the rules", func(t *testing.T) { p.checkRuleQueries(t, exported) })
	t.Run("queries of the dashboard", func(t *testing.T) { p.checkDashboard(t, exported) })
	t.Run("READMEs", func(t *testing.T) { checkReadmes(t, exported) })
	t.Run("metrics in the runbook", func(t *testing.T) { checkPages(t, exported) })
	if err := s.Reload(bareCorefile); err != nil {
		t.Fatal(err)
	}
	p.awaitOne(t, "LookalikeNotLoaded pending")
	s.Stop()
	p.awaitOne(t, "LookalikeServerDown pending")
	writeList(t, s, protected)
	t.Run("runbook", func(t *testing.T) { checkRunbook(t, s, metrics) })
}

// await waits until just these alerts have these states.
func (p prometheus) await(t *testing.T, want []string) {
	t.Helper()
	slices.Sort(want)
	var got []string
	defer func() {
		if !slices.Equal(got, want) {
			t.Errorf("Got the alerts %q, want %q", got, want)
		}
	}()
	wait.Until(t, "the alerts", func() bool {
		got = p.states(t)
		return slices.Equal(got, want)
	})
}

// awaitOne waits until an alert has a state, among others.
func (p prometheus) awaitOne(t *testing.T, want string) {
	t.Helper()
	wait.Until(t, want, func() bool { return slices.Contains(p.states(t), want) })
}

// ask has the server answer a query for an MX.
func ask(t *testing.T, s *harness.Server, name string) {
	t.Helper()
	harness.Exchange(t, "udp", s.Addr("DNS"), harness.Query(name, dns.TypeMX))
}

// exercise makes happen what the server counts.
func exercise(t *testing.T, s *harness.Server) {
	t.Helper()
	for _, name := range []string{
		"navy.mil.ml", // sure, and only watched
		"nvay.ml",     // a possible one
		"bank.ml",     // an exception
		"army.ml",     // verified
		"example.org", // none
	} {
		ask(t, s, name)
	}
	in, err := new(dns.Transfer).In(new(dns.Msg).SetAxfr("rpz.example.org."), s.Addr("DNS").String())
	if err != nil {
		t.Fatal(err)
	}
	for envelope := range in {
		if envelope.Error != nil {
			t.Error(envelope.Error)
		}
	}
	c, err := smtp.Dial(s.Addr("HTTP").String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Mail("alice@example.net"); err != nil {
		t.Error(err)
	}
	if err := c.Rcpt("bob@navy.ml"); err == nil {
		t.Error("The responder has taken mail")
	}
}

// writeList writes the list of protected names.
func writeList(t *testing.T, s *harness.Server, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.Dir, "protect.txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFiles has the tools of Prometheus and Alertmanager check the files, run the
// unit tests of the rules, and say to whom an alert goes.
func TestFiles(t *testing.T) {
	for _, tc := range []struct{ command, want string }{
		{"promtool check rules rules.yaml", "SUCCESS"},
		{"promtool check config prometheus.yaml", "SUCCESS"},
		{"promtool test rules tests.yaml", "SUCCESS"},
		{"amtool check-config alertmanager.yaml", "SUCCESS"},
		{"amtool config routes test --config.file=alertmanager.yaml alertname=LookalikeServerDown severity=critical", "on-call\n"},
		{"amtool config routes test --config.file=alertmanager.yaml alertname=LookalikeBlocked severity=warning", "working-hours\n"},
		{"amtool config routes test --config.file=alertmanager.yaml alertname=LookalikeSuspected severity=info", "nobody\n"},
	} {
		words := strings.Fields(tc.command)
		cmd := wait.Command(t, 2*time.Minute, words[0], words[1:]...)
		cmd.Dir = soc + "/prometheus"
		cmd.Env = append(os.Environ(), "TMPDIR=/dev/shm") // each unit test makes a database, and syncs it
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), tc.want) {
			t.Errorf("%s: %v, want %q\n%s", tc.command, err, tc.want, out)
		}
	}
}
