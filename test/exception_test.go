package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// TestExceptionEnds has an exception end in a running server, which reads nothing
// again: until then the name passes, from then on it is blocked, and the alert says
// whose exception it was.
func TestExceptionEnds(t *testing.T) {
	t.Parallel()
	const directive = "lookalike {\n protect army.mil\n allow ./allow.txt {\n  require owner until\n  max 1d\n }\n alert stdout\n spool ./spool\n }"
	upstream := harness.NewUpstream(t).Addr
	var server *harness.Server
	var end time.Time
	for room := 4 * time.Second; ; room *= 2 { // that the server has to start
		end = time.Now().Add(room).Truncate(time.Second)
		server = harness.Start(t, harness.Config{Corefile: corefile(directive), Upstream: upstream, Files: map[string]string{
			"allow.txt": fmt.Sprintf("army.ml until=%s owner=mail-team@example.net reason=\"pension payments\" ticket=SEC-1\n", end.UTC().Format(time.RFC3339)),
		}})
		if left := time.Until(end); left > 2*time.Second {
			time.Sleep(left - 2*time.Second)
			break
		} else if room > harness.Patience {
			t.Fatalf("The server took longer than %v to start", room)
		}
	}
	passed, blocked := 0, 0
	for blocked == 0 {
		asked := time.Now()
		rcode := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("mx.army.ml", dns.TypeMX)).Rcode
		answered := time.Now()
		if rcode == dns.RcodeNameError {
			blocked++
		} else {
			passed++
		}
		if rcode == dns.RcodeNameError && answered.Before(end) || rcode != dns.RcodeNameError && asked.After(end) {
			t.Fatalf("Got %s, asked %v and answered %v after the end", dns.RcodeToString[rcode], asked.Sub(end), answered.Sub(end))
		}
		time.Sleep(20 * time.Millisecond)
	}
	if passed == 0 {
		t.Error("Nothing passed before the end")
	}
	a := server.WaitAlert(t, "about the name", func(a harness.Alert) bool { return a.DNS.Question.Name == "mx.army.ml" })
	want := fmt.Sprintf(`"exception":{"name":"army.ml","until":"%s","owner":"mail-team@example.net","reason":"pension payments","ticket":"SEC-1"}`, end.UTC().Format(time.RFC3339))
	if a.Lookalike.Phase != "first" || !strings.Contains(a.Raw, want) || !strings.Contains(a.Raw, "its owner is mail-team@example.net") {
		t.Errorf("Got the alert %s, want a first one with %s", a.Raw, want)
	}
	const told = "exceptions that have ended let nothing pass: army.ml"
	if !server.Wait(func() bool { return strings.Contains(server.Output(), told) }) {
		t.Errorf("The log does not say %q", told)
	}
	if n := server.Metric(t, "coredns_lookalike_list_reloads_total", "result", "success"); n != 0 {
		t.Errorf("The lists were read again %v times", n)
	}
	if n := server.Metric(t, "coredns_lookalike_allowed_total", "class", "tld-swap"); n != float64(passed) {
		t.Errorf("%v queries were counted as allowed, want %d", n, passed)
	}
	server.Stop()
	contents, err := os.ReadFile(filepath.Join(server.Dir, "spool", "allow-use.json"))
	if err != nil {
		t.Fatal(err)
	}
	var uses struct {
		Names map[string]struct{ Days int }
	}
	if err := json.Unmarshal(contents, &uses); err != nil || uses.Names["army.ml"].Days < 1 {
		t.Errorf("Got the uses %s, error %v", contents, err)
	}
}
