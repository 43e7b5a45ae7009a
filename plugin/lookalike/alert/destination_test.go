package alert

import (
	"bytes"
	"fmt"
	"io"
	golog "log"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseDestination(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		line string
		name string // or
		err  string // part of the message
	}{
		{"stdout", "stdout", ""},
		{"stdout ecs", "stdout", ""},
		{"/var/log/coredns/lookalike.json", "/var/log/coredns/lookalike.json", ""},
		{"/var/log/../log/lookalike.json ecs", "/var/log/lookalike.json", ""},
		{"./lookalike.json", filepath.Join(here, "lookalike.json"), ""},
		{"", "", "a destination is needed"},
		{"lookalike.json", "", `write "./lookalike.json" for a file here`},
		{"stderr", "", "unknown destination"},
		{"/var/log/", "", "is a directory"},
		{"stdout xml", "", `unknown format "xml" (known: ecs`},
		{"stdout ecs json", "", `"json" is not of the form KEY=VALUE`},
		{"stdout =x", "", "is not of the form KEY=VALUE"},
		{"stdout color=yes", "", `unknown option "color"`},
		{"./x.json rotate=1 rotate=2", "", `"rotate" is given twice`},
		{"gopher://example.org", "", `unknown destination "gopher://"`},

		{"syslog://192.0.2.1", "syslog://192.0.2.1", ""},
		{"syslog://[2001:db8::1]:5514 ecs facility=local0", "syslog://[2001:db8::1]:5514", ""},
		{"syslog+tcp://siem.example.org cef framing=lf replay=1m", "syslog+tcp://siem.example.org", ""},
		{"syslog+tls://siem.example.org ca=/ca.pem cert=/c.pem key=/k.pem", "syslog+tls://siem.example.org", ""},
		{"syslog://", "", "not HOST or HOST:PORT"},
		{"syslog:///dev/log", "syslog:///dev/log", ""},
		{"syslog:///dev/log cef facility=auth", "syslog:///dev/log", ""},
		{"syslog:///dev/log framing=lf", "", `unknown option "framing" (known: facility)`},
		{"syslog:///", "", "is no path of a socket, such as /dev/log"},
		{"syslog+tcp:///dev/log", "", "not HOST or HOST:PORT"},
		{"elastic+https:///_bulk", "", "has no host"},
		{"syslog://192.0.2.1/path", "", "not HOST or HOST:PORT"},
		{"syslog://192.0.2.1:99999", "", "port 99999 of the address: want a number from 1 to 65535"},
		{"syslog://192.0.2.1 framing=lf", "", `unknown option "framing" (known: facility)`},
		{"syslog://192.0.2.1 facility=kern", "", `"kern" is unknown`},
		{"syslog+tcp://192.0.2.1 framing=nul", "", `"nul" is none of octet, lf`},
		{"syslog+tcp://192.0.2.1 replay=2d", "", `"2d" is not a time from 0s to 1h0m0s`},
		{"syslog+tcp://192.0.2.1:99999", "", "want a number from 1 to 65535"},
		{"syslog+tls://192.0.2.1 cert=/c.pem", "", "cert and key are needed together"},

		{"https://soc.example.org/hook ocsf secret_file=/s batch=100", "https://soc.example.org/...6fc2d0517add", ""},
		{"http://soc.example.org", "http://soc.example.org", ""},
		{"https://", "", "has no host"},
		{"https://alice:geheim@soc.example.org", "", "has a user in it"},
		{"https://soc.example.org:99999", "", "want a number from 1 to 65535"},
		{"elastic+https://es.example.org:0", "", "want a number from 1 to 65535"},
		{"https://soc.example.org?a=b", "https://soc.example.org/...5f0739d87394", ""},
		{"https://soc.example.org/hook#a", "", "has a fragment"},
		{"elastic+https://es.example.org?a=b", "", "has a query"},
		{"otlp+https://otel.example.org/v1/logs?_msg_field=body", "otlp+https://otel.example.org/v1/logs?...5b2f1d19bb53", ""},
		{"https://soc.example.org secret=geheim", "", "use secret_file=PATH or secret_env=VARIABLE"},
		{"https://soc.example.org batch=0", "", "not a number from 1 to 1000"},
		{"https://soc.example.org user=alice", "", "user and password_file"},

		{"splunk+https://hec.example.org:8088 token_env=HEC index=dns", "splunk+https://hec.example.org:8088", ""},
		{"splunk+https://hec.example.org:8088", "", "token_file or token_env is needed"},
		{"splunk+https://hec.example.org token=geheim", "", "option token: a secret does not belong in a Corefile: use token_file=PATH or token_env=VARIABLE"},
		{"splunk+https://hec.example.org token_env=A token_file=/b", "", "token_file is given as well"},
		{"splunk+https://hec.example.org token_file=/t user=alice password_file=/p", "", "leave out user and password_file"},
		{"elastic+https://es.example.org:9200 index=alerts api_key_file=/k", "elastic+https://es.example.org:9200", ""},
		{"elastic+https://es.example.org:9200 cef", "", "format cef cannot be used here (known: ecs, ocsf)"},
		{"elastic+https://es.example.org:9200 index=A*", "", "is no index name"},
		{"elastic+https://es.example.org:9200 api_key_file=/k user=alice password_file=/p", "", "user and api_key exclude each other"},
		{"otlp+https://otel.example.org:4318 token_file=/t user=alice password_file=/p", "", "user and token exclude each other"},
		{"otlp+https://otel.example.org:4318 token_file=/t", "otlp+https://otel.example.org:4318", ""},
		{"kafka://k1.example.org,k2.example.org:9093/alerts tls=yes", "kafka://k1.example.org,k2.example.org:9093/alerts", ""},
		{"kafka://k1.example.org", "", "HOST[:PORT],.../TOPIC"},
		{"kafka://k1.example.org/our_alerts-1.x", "kafka://k1.example.org/our_alerts-1.x", ""},
		{"kafka://k1.example.org/alerts!", "", "no name of a topic"},
		{"kafka://k1.example.org/..", "", "no name of a topic"},
		{"kafka://k1.example.org:99999/alerts", "", "want a number from 1 to 65535"},
		{"kafka://k1.example.org/alerts sasl=plain", "", "sasl needs user and password_file"},
		{"nats://n1.example.org/soc.lookalike stream=SOC", "nats://n1.example.org/soc.lookalike", ""},
		{"nats://n1.example.org/soc user=alice password_file=/p", "nats://n1.example.org/soc", ""},
		{"nats://n1.example.org/soc creds=/c", "nats://n1.example.org/soc", ""},
		{"nats://n1.example.org/soc user=alice password_file=/p token_env=T", "", "user, token and creds exclude each other: leave only"},
		{"nats://n1.example.org/soc user=alice password_file=/p creds=/c", "", "user, token and creds exclude each other: leave only"},
		{"nats://n1.example.org/soc token_file=/t creds=/c", "", "user, token and creds exclude each other: leave only"},
		{"nats://n1.example.org/soc.*", "", "HOST[:PORT],.../SUBJECT"},
		{"nats://n1.example.org/soc.", "", "HOST[:PORT],.../SUBJECT"},
	}
	for _, tc := range tests {
		t.Run(tc.line, func(t *testing.T) {
			d, err := ParseDestination(strings.Fields(tc.line))
			switch {
			case tc.err == "" && err != nil:
				t.Errorf("Got error %v, want none", err)
			case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
				t.Errorf("Got error %v, want one with %q", err, tc.err)
			case d.String() != tc.name:
				t.Errorf("Got %q, want %q", d, tc.name)
			}
			if err != nil && strings.Contains(err.Error(), "geheim@") {
				t.Errorf("Got a secret in error %v", err)
			}
		})
	}
}

// TestRedact holds that no secret in an address gets into logs and metrics,
// whether the address is good or not.
func TestRedact(t *testing.T) {
	tests := []struct{ target, want string }{
		{"stdout", "stdout"},
		{"/var/log/a.json", "/var/log/a.json"},
		{"https://soc.example.org", "https://soc.example.org"},
		{"https://soc.example.org/", "https://soc.example.org/"},
		{"https://soc.example.org:8443/geheim", "https://soc.example.org:8443/...9d1891db780e"},
		{"https://soc.example.org/geheim2", "https://soc.example.org/...fe9e448f21f3"},
		{"HTTP://soc.example.org/geheim", "HTTP://soc.example.org/...9d1891db780e"},
		{"https://soc.example.org?token=geheim", "https://soc.example.org/...b90b5e0cec69"},
		{"https://soc.example.org/#geheim", "https://soc.example.org/...b9c5c60def0f"},
		{"https://alice:geheim@soc.example.org", "https://soc.example.org"},
		{"https://alice:geheim/geheim@soc.example.org", "https://...cd07acc3f58c"},
		{"elastic+https://es.example.org/search?q=geheim", "elastic+https://es.example.org/search?...ea4084adac70"},
		{"kafka://geheim@k1.example.org/alerts", "kafka://k1.example.org/alerts"},
		{"nats://n1.example.org/soc.lookalike", "nats://n1.example.org/soc.lookalike"},
	}
	for _, tc := range tests {
		if got := redact(tc.target); got != tc.want {
			t.Errorf("Got %q for %q, want %q", got, tc.target, tc.want)
		}
		d, err := ParseDestination([]string{tc.target})
		if s := fmt.Sprint(d.String(), d.Key(), err); strings.Contains(s, "geheim") {
			t.Errorf("Got a secret in %q", s)
		}
	}
}

// TestDestinationKey says which lines share a sink.
func TestDestinationKey(t *testing.T) {
	key := func(line string) string {
		d, err := ParseDestination(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		return d.Key()
	}
	tests := []struct {
		a, b string
		same bool
	}{
		{"stdout", "stdout ecs", true},
		{"./a.json", "./b/../a.json", true},
		{"https://soc.example.org batch=2 secret_file=/s", "https://soc.example.org secret_file=/s batch=2", true},
		{"stdout", "stdout cef", false},
		{"https://soc.example.org", "https://soc.example.org batch=2", false},
		{"https://soc.example.org/a", "https://soc.example.org/b", false},
	}
	for _, tc := range tests {
		if got := key(tc.a) == key(tc.b); got != tc.same {
			t.Errorf("Got same sink %v for %q and %q, want %v", got, tc.a, tc.b, tc.same)
		}
	}
}

func FuzzParseDestination(f *testing.F) {
	for _, s := range []string{"stdout", "kafka://a,b/c tls=yes", "syslog+tls://[::1]:1 cef", "https://a b=c", "://", "a://b@c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		d, err := ParseDestination(strings.Fields(line))
		if err == nil && (d.open == nil || d.to.Format == nil || d.String() == "") {
			t.Errorf("Got destination %+v", d)
		}
	})
}

// TestWarnings says what the log has at start of a destination whose secrets
// others can read.
func TestWarnings(t *testing.T) {
	t.Setenv("PASSWORD", "geheim")
	for _, tc := range []struct{ words, want string }{
		{"elastic+http://192.0.2.1:9200 user=alice password_env=PASSWORD", "the password goes to 192.0.2.1 in clear text"},
		{"elastic+https://192.0.2.1:9200 user=alice password_env=PASSWORD", ""},
		{"stdout", ""},
	} {
		d, err := ParseDestination(strings.Fields(tc.words))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		golog.SetOutput(&b)
		Config{Destinations: []Destination{d}, Spool: &Spool{}}.warn()
		golog.SetOutput(io.Discard)
		if got := b.String(); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) || strings.Contains(got, "geheim") {
			t.Errorf("Got %q for %s, want %q", got, tc.words, tc.want)
		}
	}
}
