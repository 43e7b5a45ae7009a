package sink_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/elastic"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/kafka"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/nats"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/otlp"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/webhook"
)

// TestWarnings says what an administrator hears of at start.
func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // past the umask
			t.Fatal(err)
		}
		return path
	}
	private, read, change := file("private", 0o640), file("read", 0o644), file("change", 0o602)
	tests := []struct {
		name    string
		parse   sink.Parser
		address string
		options string
		want    string // part of the warning; empty: none
	}{
		{"a password in clear text", elastic.Parse, "http://192.0.2.1:9200", "user=alice password_file=" + private, "the password goes to 192.0.2.1 in clear text, where others can read it: use https"},
		{"to a name", elastic.Parse, "http://search.example.org", "user=alice password_file=" + private, "goes to search.example.org"},
		{"to IPv6", elastic.Parse, "http://[2001:db8::1]:9200", "api_key_file=" + private, "the api_key goes to 2001:db8::1"},
		{"on this host", elastic.Parse, "http://127.0.0.53:9200", "user=alice password_file=" + private, ""},
		{"on this host by IPv6", elastic.Parse, "http://[::1]:9200", "user=alice password_file=" + private, ""},
		{"on this host by name", elastic.Parse, "http://localhost:9200", "user=alice password_file=" + private, ""},
		{"a name that begins like an address", elastic.Parse, "http://127.0.0.1.example.org", "user=alice password_file=" + private, "goes to 127.0.0.1.example.org"},
		{"over TLS", elastic.Parse, "https://192.0.2.1:9200", "user=alice password_file=" + private, ""},
		{"none", elastic.Parse, "http://192.0.2.1:9200", "", ""},
		{"a token", otlp.Parse, "http://192.0.2.1:4318", "token_file=" + private, "the token goes to 192.0.2.1"},
		{"a query", webhook.Parse, "http://192.0.2.1/hook?sig=x", "", "the query of the address goes to 192.0.2.1"},
		{"a signature, which tells nothing", webhook.Parse, "http://192.0.2.1/hook", "secret_file=" + private, ""},
		{"NATS", nats.Parse, "nats://127.0.0.1,192.0.2.1:4222/soc", "user=alice password_file=" + private, "the password goes to 192.0.2.1 in clear text, where others can read it: use tls=yes"},
		{"NATS over TLS", nats.Parse, "nats://192.0.2.1/soc", "tls=yes token_file=" + private, ""},
		{"Kafka", kafka.Parse, "kafka://192.0.2.1/soc", "sasl=plain user=alice password_file=" + private, "use tls=yes"},
		{"Kafka, where the password is not sent", kafka.Parse, "kafka://192.0.2.1/soc", "sasl=scram-sha-256 user=alice password_file=" + private, ""},
		{"a file for everybody", webhook.Parse, "https://192.0.2.1/hook", "secret_file=" + read, "everybody on this machine can read " + read},
		{"a file that everybody may change", nats.Parse, "nats://192.0.2.1/soc", "creds=" + change, "everybody on this machine can change " + change},
		{"a key", otlp.Parse, "https://192.0.2.1", "cert=" + read + " key=" + read, "chmod o= " + read},
		{"a file that is not there", otlp.Parse, "https://192.0.2.1", "token_file=" + dir + "/none", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			o, err := sink.ParseOptions(strings.Fields(tc.options))
			if err == nil {
				_, err = tc.parse(sink.Address{Target: tc.address}, o)
			}
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(o.Warnings(), "\n")
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) || strings.Contains(got, "\n") {
				t.Errorf("Got %q, want one with %q", got, tc.want)
			}
		})
	}
}
