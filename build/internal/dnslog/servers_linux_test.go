//go:build e2e

package dnslog_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/build/internal/dnslog"
	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/logfile"
	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// queryLogger is a resolver from Debian that logs queries.
type queryLogger struct {
	name     string
	format   string // of its log
	log      string // the file in its directory
	resolver harness.Resolver
	old      bool                // PowerDNS's old style: what the cache answers has no name, and other lines have no mark
	names    func(string) string // how the log spells a name in presentation format: empty where it does not
}

// bind is a named whose channel of queries has these options.
func bind(channel, more string) harness.Resolver {
	r := harness.BIND(harness.BINDOptions + `	listen-on-v6 port {PORT} { ::1; };
	dnssec-validation no;
};
controls { };
logging {
	channel queries { file "{DIR}/log"; ` + channel + ` };
	category default { queries; };
	category queries { queries; };
};
` + more)
	r.Args = []string{"-f", "-n", "2", "-c", "{DIR}/conf"} // -g would log to the terminal alone
	return r
}

const namedView = `
view "mail: query: servers" { match-clients { any; }; };
`

func unbound(more string) harness.Resolver {
	return harness.Unbound(harness.UnboundServer + `	interface: ::1
	do-ip6: yes
	logfile: "{DIR}/log"
	num-threads: 2
	module-config: "iterator"
	access-control: ::1 allow
	log-queries: yes
` + more)
}

func recursor(more string) harness.Resolver {
	return harness.Recursor(harness.RecursorSettings + `local-address=127.0.0.1,::1
dnssec=off
threads=2
quiet=no
loglevel=6
disable-syslog=yes
` + more)
}

func dnsmasq(more string) harness.Resolver {
	conf := `
port={PORT}
listen-address=127.0.0.1
listen-address=::1
bind-interfaces
no-hosts
no-resolv
server={UPSTREAM}#{UPSTREAMPORT}
user=root
log-facility={DIR}/log
` + more
	return harness.Resolver{Program: "dnsmasq", Args: []string{"--keep-in-foreground", "--conf-file={DIR}/conf"}, Files: map[string]string{"conf": conf}}
}

var queryLoggers = []queryLogger{
	{name: "named", format: "bind", log: "log", resolver: bind("print-time yes; print-category yes; print-severity yes;", ""), names: escaped},
	{name: "named with ISO times", format: "bind", log: "log", resolver: bind("print-time iso8601-utc; print-category yes;", ""), names: escaped},
	{name: "named with a view", format: "bind", log: "log", resolver: bind("print-time yes;", namedView), names: escaped},
	{name: "unbound", format: "unbound", log: "log", resolver: unbound(""), names: printable},
	{name: "unbound with replies", format: "unbound", log: "log", resolver: unbound("\tlog-replies: yes\n"), names: printable},
	{name: "unbound with tags and ASCII times", format: "unbound", log: "log", resolver: unbound("\tlog-replies: yes\n\tlog-tag-queryreply: yes\n\tlog-time-ascii: yes\n"), names: printable},
	{name: "pdns_recursor", format: "recursor", log: "output", resolver: recursor(""), names: escaped},
	{name: "pdns_recursor in the old style", format: "recursor", log: "output", resolver: recursor("structured-logging=no\n"), names: escaped, old: true},
	{name: "dnsmasq", format: "dnsmasq", log: "log", resolver: dnsmasq("log-queries\n"), names: unescaped},
	{name: "dnsmasq with more", format: "dnsmasq", log: "log", resolver: dnsmasq("log-queries=extra\n"), names: unescaped},
}

// escaped spells a name as it is.
func escaped(name string) string { return name }

// printable spells a name as Unbound does: what is no letter, digit, hyphen or
// underscore becomes a question mark.
func printable(name string) string {
	return relabelled(name, func(octet byte) byte {
		if octet == '-' || octet == '_' || octet-'0' < 10 || octet|0x20-'a' < 26 {
			return octet
		}
		return '?'
	})
}

// unescaped spells a name as dnsmasq does: not at all, where a label has a dot or
// an octet that does not print.
func unescaped(name string) string {
	spelled := true
	relabelled(name, func(octet byte) byte {
		spelled = spelled && octet >= ' ' && octet < 0x7f && octet != '.'
		return octet
	})
	if !spelled {
		return ""
	}
	return name
}

// relabelled returns the name with each octet of its labels changed.
func relabelled(name string, change func(byte) byte) string {
	wire := make([]byte, 256)
	end, err := dns.PackDomainName(name, wire, 0, nil, false)
	if err != nil {
		return err.Error()
	}
	for at := 0; wire[at] != 0; {
		n := int(wire[at])
		for i := range wire[at+1 : at+1+n] {
			wire[at+1+i] = change(wire[at+1+i])
		}
		at += 1 + n
	}
	changed, _, err := dns.UnpackDomainName(wire[:end], 0)
	if err != nil {
		return err.Error()
	}
	return changed
}

// readyName is asked for until a resolver answers. It is left out of the count.
const readyName = "ready.example.net."

// queryNames are names as mail servers, attackers and mistakes ask for them.
var queryNames = []string{
	"example.ml.", "EXAMPLE.Ml.", "_dmarc.example.ml.", "xn--rmy-5cd.ml.", ".",
	strings.Repeat("a", 63) + ".example.ml.",
	`a\032b.example.ml.`, `a\"b.example.ml.`, `a\(b\)c.example.ml.`, `a\\b.example.ml.`, `a\;b\@c\$d.example.ml.`, `it\'s.example.ml.`,
	`query[A]\032good.example\032from\032192\.0\.2\.1.example.ml.`,
	`a:\032query:\032good.example.ml.`,
	`\000\009\010\127\128\255.example.ml.`,
}

// queryLogTypes are asked for of each name.
var queryLogTypes = []uint16{
	dns.TypeMX, dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeHTTPS, dns.TypeTLSA, dns.TypeNS, dns.TypeSOA, dns.TypeSRV, dns.TypeSVCB, 64999,
}

// seen is a query as log and sender can tell it.
type seen struct{ client, name, qtype string }

// nameless stands for all queries whose names a log does not spell.
var nameless = seen{}

// askAll sends every name with every type, the first type twice and over TCP
// too, and returns how often each was sent.
func askAll(t *testing.T, port uint16, spelled func(string) string, clients ...string) map[seen]int {
	t.Helper()
	sent := map[seen]int{}
	for _, client := range clients {
		askAllOf(t, netip.AddrPortFrom(netip.MustParseAddr(client), port), client, spelled, sent)
	}
	return sent
}

// askAllOf is askAll for one server, which the client asks from the address that
// the kernel chooses. It adds to sent.
func askAllOf(t *testing.T, server netip.AddrPort, client string, spelled func(string) string, sent map[seen]int) {
	t.Helper()
	for _, name := range queryNames {
		for i, qtype := range queryLogTypes {
			networks := []string{"udp"}
			if i == 0 {
				networks = []string{"udp", "udp", "tcp"}
			}
			for _, network := range networks {
				harness.Exchange(t, network, server, harness.QueryEDNS(name, qtype, false))
				s := nameless
				if shown := spelled(name); shown != "" {
					s = seen{client, wireName(t, shown), dns.Type(qtype).String()}
				}
				sent[s]++
			}
		}
	}
}

// wireName is a name as octets, so that it does not matter how it is escaped.
func wireName(t *testing.T, name string) string {
	t.Helper()
	buf := make([]byte, 256)
	n, err := dns.PackDomainName(dns.Fqdn(name), buf, 0, nil, false)
	if err != nil {
		t.Errorf("%q: %v", name, err)
	}
	return string(buf[:n])
}

// readLog returns what dnslog finds in a log, and what it says of the file.
func readLog(t *testing.T, path string, o logfile.Options) (map[seen]int, *logfile.File) {
	t.Helper()
	o.Formats = dnslog.Formats()
	found := map[seen]int{}
	files, err := logfile.Read(t.Context(), []string{path}, nil, o, func(e *event.Event) {
		if name := wireName(t, e.Name); !strings.EqualFold(name, wireName(t, readyName)) {
			found[seen{e.Client, name, e.Qtype}] += e.Count
		}
	})
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %d files, %v", path, len(files), err)
	}
	for _, w := range files[0].Warnings {
		if n := 0; strings.Contains(w, "name no domain") {
			if _, err := fmt.Sscan(w, &n); err != nil {
				t.Errorf("warning %q: %v", w, err)
			}
			found[nameless] += n
		}
	}
	return found, files[0]
}

// check waits until the log has as many queries as were sent, and compares them.
func (q *queryLogger) check(t *testing.T, path string, sent map[seen]int, o logfile.Options) {
	t.Helper()
	late := time.Now().Add(harness.Patience / 4)
	wait.Until(t, "the log of all queries", func() bool {
		found, _ := readLog(t, path, o)
		return total(found) >= total(sent) || time.Now().After(late) // the comparison tells
	})
	found, file := readLog(t, path, o)
	if total(found) != total(sent) {
		t.Errorf("%d queries found, want %d", total(found), total(sent))
	}
	for s, n := range sent {
		if found[s] != n && (!q.old || found[s] > n) {
			t.Errorf("%q %s of %s: sent %d times, found %d times", s.name, s.qtype, s.client, n, found[s])
		}
	}
	for s, n := range found {
		if sent[s] == 0 && (!q.old || s != nameless) {
			t.Errorf("%q %s of %s: not sent, found %d times", s.name, s.qtype, s.client, n)
		}
	}
	if !slices.Equal(file.Formats, []string{q.format}) || file.Err != nil || file.Unknown != 0 && !q.old {
		t.Errorf("%s: formats %v, want %s; error %v; %d lines unknown: %v", path, file.Formats, q.format, file.Err, file.Unknown, file.First)
	}
	t.Logf("%d queries found, of %d lines, %d of them unknown", total(found), file.Lines, file.Unknown)
}

func total(of map[seen]int) (n int) {
	for _, k := range of {
		n += k
	}
	return n
}

// TestQueryLogs sends queries to resolvers from Debian, and finds each of them
// exactly once in their logs, and nothing else.
func TestQueryLogs(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	for _, q := range queryLoggers {
		t.Run(q.name, func(t *testing.T) {
			r := q.resolver.Start(t, upstream.Addr, harness.Answers(readyName))
			log := filepath.Join(r.Dir, q.log)
			sent := askAll(t, r.Port, q.names, "127.0.0.1", "::1")
			q.check(t, log, sent, logfile.Options{})
			if t.Failed() {
				text, _ := os.ReadFile(log)
				t.Logf("%.20000s", text)
			}
		})
	}
}
