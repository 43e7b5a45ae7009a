package test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// local are the changes that let a Corefile for a mail resolver run on
// loopback, on free ports.
var local = strings.NewReplacer(
	"bind 127.0.0.1 192.0.2.53 2001:db8:25::53", "bind 127.0.0.1",
	"allow net 127.0.0.1/32 192.0.2.0/24 2001:db8:25::/64", "allow net 127.0.0.1/32 127.0.2.0/24 2001:db8:25::/64",
	"smtpreject 198.51.100.25 2001:db8:5::25 {", "smtpreject 127.0.0.1:0 {",
	"health 127.0.0.1:8080 {", "health 127.0.0.1:{$HTTP} {",
	"ready 127.0.0.1:8181\n", "ready 127.0.0.1:{$TLS}\n",
	"prometheus 127.0.0.1:9153", "prometheus 127.0.0.1:{$METRICS}",
	"clients 192.0.2.0/24 2001:db8:25::/64", "clients 127.0.0.0/24 2001:db8:25::/64",
	"alert /var/log/lookalike/alerts.json", "alert ./alerts.json",
	"nats1.example.org,nats2.example.org,nats3.example.org", "127.0.0.1:1", // nobody is there
	"spool /var/lib/lookalike/spool", "spool ./spool",
	"lameduck 5s", "lameduck 1s",
	"to 192.0.2.10 192.0.2.11", "to *",
	"forward . /etc/resolv.conf", "forward . {$UPSTREAM}",
)

// TestCorefiles starts each file of corefile/ and asks it.
func TestCorefiles(t *testing.T) {
	t.Parallel()
	const leaked = "army.ml.\t300\tIN\tA\t203.0.113.66"
	tests := []struct {
		file   string
		rcode  int      // for army.ml
		answer []string // for army.ml A, without TTLs that the cache counts down
		action string
		alerts string // where they are; empty: the standard output
		http   bool   // health, ready and metrics are served
		zone   string // that is handed out instead of forwarding queries
	}{
		{"quickstart", dns.RcodeNameError, nil, "nxdomain", "", false, ""},
		{"monitor", dns.RcodeSuccess, []string{leaked}, "monitor", "alerts.json", true, ""},
		{"enforce", dns.RcodeNameError, nil, "nxdomain", "alerts.json", true, ""},
		{"sinkhole", dns.RcodeSuccess, []string{"army.ml.\t60\tIN\tA\t198.51.100.25"}, "sinkhole", "alerts.json", true, ""},
		{"responder", dns.RcodeSuccess, []string{"army.ml.\t60\tIN\tA\t198.51.100.25"}, "sinkhole", "alerts.json", true, ""},
		{"rpz", dns.RcodeNameError, nil, "nxdomain", "", true, "rpz.example.org."},
		{"fleet", dns.RcodeNameError, nil, "nxdomain", "alerts.json", true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("../corefile", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			upstream := harness.NewUpstream(t)
			server := harness.Start(t, harness.Config{Corefile: local.Replace(string(text)), Upstream: upstream.Addr})

			r := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("army.ml", dns.TypeA))
			if r.Rcode != tt.rcode || !slices.Equal(texts(r.Answer), tt.answer) {
				t.Errorf("Want %s and %q, got\n%v", dns.RcodeToString[tt.rcode], tt.answer, r)
			}
			if tt.zone != "" {
				checkZone(t, server, tt.zone)
			} else if r = harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("example.org", dns.TypeMX)); len(r.Answer) != 1 ||
				upstream.Count("example.org", dns.TypeMX) != 1 {
				t.Errorf("example.org is not forwarded:\n%v", r)
			}
			if tt.http {
				checkHTTP(t, server)
			}
			if status := server.Stop(); status != 0 {
				t.Errorf("Exit status %d", status)
			}

			lines := server.Lines()
			if tt.alerts != "" {
				text, err := os.ReadFile(filepath.Join(server.Dir, tt.alerts))
				if err != nil {
					t.Fatal(err)
				}
				lines = strings.Split(string(text), "\n")
			}
			alerts := harness.ParseAlerts(t, lines)
			if harness.Sum(alerts) != 1 {
				t.Fatalf("The alerts tell of %d queries, want 1", harness.Sum(alerts))
			}
			if a := alerts[0]; a.Lookalike.Action != tt.action || a.DNS.Question.Name != "army.ml" || !slices.Equal(a.Lookalike.Protected, []string{"army.mil"}) {
				t.Errorf("Alert %s", a.Raw)
			}
		})
	}

	files, err := os.ReadDir("../corefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		tested := false
		for _, tt := range tests {
			tested = tested || tt.file == f.Name()
		}
		if !tested {
			t.Errorf("corefile/%s is not tested", f.Name())
		}
	}
}

// TestCorefilesAreClosed: a ready-made Corefile listens on the addresses that it
// names, and answers the clients that it names.
func TestCorefilesAreClosed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../corefile/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		words := make(map[string][]string) // of the first line of each directive
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(line, "#")
			if f := strings.Fields(line); len(f) > 0 && words[f[0]] == nil {
				words[f[0]] = f[1:]
			}
		}
		onLoopback := slices.Equal(words["bind"], []string{"127.0.0.1"})
		_, block := words["block"]
		switch {
		case len(words["bind"]) == 0:
			t.Errorf("%s listens on all addresses", file)
		case !onLoopback && (len(words["allow"]) < 2 || words["allow"][0] != "net" || !block):
			t.Errorf("%s answers everybody", file)
		}
		for name, port := range map[string]string{"health": "8080", "ready": "8181", "prometheus": "9153"} {
			if args, ok := words[name]; ok && (len(args) == 0 || args[0] != "127.0.0.1:"+port) {
				t.Errorf("%s: %s %q, want it on loopback", file, name, args)
			}
		}
		if filepath.Base(file) != "quickstart" && !slices.Equal(words["bufsize"], []string{"1232"}) {
			t.Errorf("%s: bufsize %q", file, words["bufsize"])
		}
		if strings.Contains(string(text), "nats://") && !strings.Contains(string(text), " tls=yes\n") {
			t.Errorf("%s: NATS in clear text", file)
		}
	}
}

// checkZone transfers a zone when it has been compiled.
func checkZone(t *testing.T, server *harness.Server, zone string) {
	t.Helper()
	if !server.Wait(func() bool {
		return len(harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(zone, dns.TypeSOA)).Answer) == 1
	}) {
		t.Fatalf("%s is not served", zone)
	}
	envelopes, err := (&dns.Transfer{ReadTimeout: harness.Patience}).In(new(dns.Msg).SetAxfr(zone), server.Addr("DNS").String())
	if err != nil {
		t.Fatal(err)
	}
	blocked := false
	for e := range envelopes {
		if e.Error != nil {
			t.Fatal(e.Error)
		}
		blocked = blocked || slices.ContainsFunc(e.RR, func(rr dns.RR) bool { return rr.Header().Name == "army.ml."+zone })
	}
	if !blocked {
		t.Errorf("%s does not block army.ml", zone)
	}
}

// checkHTTP asks health, ready and metrics.
func checkHTTP(t *testing.T, server *harness.Server) {
	t.Helper()
	for _, url := range []string{"http://" + server.Addr("HTTP").String() + "/health", "http://" + server.Addr("TLS").String() + "/ready"} {
		reply, err := harness.Web.Get(url)
		if err != nil {
			t.Error(err)
			continue
		}
		reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", url, reply.Status)
		}
	}
	if n := server.Metric(t, "coredns_lookalike_protected_names"); n < 150 {
		t.Errorf("%v protected names, want those of the built-in list", n)
	}
}

// TestOutOfScope asks the server of enforce and sinkhole as a client that they
// do not name.
func TestOutOfScope(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"enforce", "sinkhole"} {
		text, err := os.ReadFile(filepath.Join("../corefile", file))
		if err != nil {
			t.Fatal(err)
		}
		corefile := strings.Replace(local.Replace(string(text)), "clients 127.0.0.0/24", "clients 192.0.2.0/24", 1)
		server := harness.Start(t, harness.Config{Corefile: corefile, Upstream: harness.NewUpstream(t).Addr})
		r := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query("army.ml", dns.TypeA))
		if len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "203.0.113.66" {
			t.Errorf("%s: want the upstream's answer, got\n%v", file, r)
		}
	}
}
