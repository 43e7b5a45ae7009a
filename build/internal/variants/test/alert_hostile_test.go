//go:build e2e

package test

import (
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
	"github.com/lookalike-dns/lookalike/test/harness"
)

const (
	hostileTime   = time.Minute
	hostileMemory = 256 << 20
)

// TestHostileReceivers gives each kind of destination all hostile receivers at
// once, for a minute: the server answers all that time, stays small, and writes
// no line or terminal sequence of theirs into its log.
func TestHostileReceivers(t *testing.T) {
	authority := sinktest.NewAuthority(t)
	evilCert, evilKey := authority.IssueFor("evil", []string{"evil\n[INFO] all is well\x1b[2J.example.org"}, x509.ExtKeyUsageServerAuth)
	cert, key := authority.Issue("server", x509.ExtKeyUsageServerAuth)
	behind, evil := sinktest.TLS(t, cert, key), sinktest.TLS(t, evilCert, evilKey)
	ca := " ca=" + authority.File()
	kinds := []struct {
		name, format string // of an alert line; %s is the address
		greet        func(net.Conn) (net.Conn, error)
		more         []sinktest.Hostile
	}{
		{"syslog over TCP", "syslog+tcp://%s", nil, nil},
		{"syslog over TLS", "syslog+tls://%s" + ca, behind, nil},
		{"a certificate with control characters", "syslog+tls://%s servername=siem.example.org" + ca, evil, nil},
		{"webhook", "http://%s/hook", nil, nil},
		{"webhook over TLS", "https://%s/hook" + ca, behind, nil},
		{"webhook with such a certificate", "https://%s/hook" + ca, evil, nil},
		{"splunk", "splunk+http://%s token_file=token", nil, nil},
		{"elastic", "elastic+http://%s", nil, nil},
		{"otlp", "otlp+http://%s", nil, nil},
		{"kafka", "kafka://%s/alerts", nil, []sinktest.Hostile{sinktest.Repeat("\x06\x40\x00\x00"), sinktest.Repeat("\x00\x00\x00\x04\x00\x00\x00\x00")}},
		{"nats", "nats://%s/alerts", nil, nil},
		{"nats, let in", "nats://%s/alerts", greetNATS, []sinktest.Hostile{
			sinktest.Repeat("MSG a 1 9223372036854775807\r\n"), sinktest.Repeat("MSG a 1 99999999999\r\n"), sinktest.Repeat("MSG a 1 -5\r\n"),
			sinktest.Repeat("HMSG a 1 12 99999999999\r\n"), sinktest.Repeat("-ERR 'forged\x1b[2J'\r\n"), sinktest.Repeat("PING\r\n"), sinktest.Repeat("INFO {}\r\n"),
		}},
	}
	servers := make([]*harness.Server, len(kinds))
	for i, kind := range kinds {
		var alerts strings.Builder
		for _, h := range append(sinktest.Hostiles(), kind.more...) {
			fmt.Fprintf(&alerts, " alert "+kind.format+"\n", h.Listen(t, kind.greet))
		}
		servers[i] = harness.Start(t, harness.Config{
			Upstream: harness.NewUpstream(t).Addr,
			Files:    map[string]string{"token": "geheim"},
			Corefile: ".:{$DNS} {\n lookalike {\n protect army.mil navy.mil\n" + alerts.String() + " }\n prometheus 127.0.0.1:{$METRICS}\n forward . {$UPSTREAM}\n}",
		})
	}
	asked := 0
	for end := time.Now().Add(hostileTime); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		query := harness.Pack(t, harness.Query([]string{"army.ml", "navy.ml", "armyy.ml", "mail.army.ml"}[asked%4], dns.TypeMX))
		asked++
		for i, s := range servers {
			if replies := harness.Replies(t, netip.MustParseAddr("127.0.0.1"), s.Addr("DNS"), query, true); len(replies) != 1 {
				t.Fatalf("Got %d replies to query %d of the server with %s", len(replies), asked, kinds[i].name)
			}
		}
	}
	for i, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			s := servers[i]
			if got := s.Memory(t, "VmHWM"); got > hostileMemory {
				t.Errorf("Got %d MiB of memory, want %d at most", got>>20, hostileMemory>>20)
			} else {
				t.Logf("%d MiB of memory", got>>20)
			}
			if got := s.Metric(t, "coredns_lookalike_detections_total"); int(got) < asked/2 {
				t.Errorf("Got %v detections of %d queries", got, asked)
			}
			for line := range strings.SplitSeq(s.Output(), "\n") {
				if strings.ContainsAny(line, "\x1b\u009b\r") || strings.HasPrefix(line, "[INFO] all is well") {
					t.Errorf("Got a line %q in the log", line)
				}
			}
		})
	}
}

// greetNATS lets a client in.
func greetNATS(c net.Conn) (net.Conn, error) {
	if _, err := io.WriteString(c, "INFO {\"server_id\":\"x\",\"headers\":true,\"max_payload\":1048576}\r\n"); err != nil {
		return nil, err
	}
	var seen []byte
	for b := make([]byte, 4096); !strings.Contains(string(seen), "PING\r\n"); {
		n, err := c.Read(b)
		if err != nil {
			return nil, err
		}
		seen = append(seen, b[:n]...)
	}
	_, err := io.WriteString(c, "PONG\r\n")
	return c, err
}
