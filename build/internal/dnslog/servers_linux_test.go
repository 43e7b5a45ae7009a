//go:build e2e

package dnslog_test

import (
	"context"
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

// queryLogger is a resolver from Debian that logs queries to the file "log" in
// its directory. The configuration takes what that of [resolver] does.
type queryLogger struct {
	name   string
	format string // of its log
	conf   string
	run    string              // by a shell in its directory: %[1]s is the program, the other arguments are those of conf
	old    bool                // PowerDNS's old style: what the cache answers has no name, and other lines have no mark
	names  func(string) string // how the log spells a name in presentation format: empty where it does not
}

const namedLogConf = `
options {
	directory "%[4]s";
	pid-file none;
	session-keyfile none;
	managed-keys-directory "%[4]s";
	listen-on port %[1]d { 127.0.0.1; };
	listen-on-v6 port %[1]d { ::1; };
	recursion yes;
	allow-query { any; };
	dnssec-validation no;
	empty-zones-enable no;
	forward only;
	forwarders { %[2]s port %[3]d; };
};
controls { };
logging {
	channel queries { file "%[4]s/log"; %[5]s };
	category default { queries; };
	category queries { queries; };
};
`

const namedViewConf = `
view "mail: query: servers" { match-clients { any; }; };
`

const unboundLogConf = `
server:
	interface: 127.0.0.1
	interface: ::1
	port: %[1]d
	username: ""
	chroot: ""
	directory: "%[4]s"
	pidfile: ""
	use-syslog: no
	logfile: "%[4]s/log"
	do-daemonize: no
	num-threads: 2
	do-not-query-localhost: no
	module-config: "iterator"
	access-control: 127.0.0.0/8 allow
	access-control: ::1 allow
	log-queries: yes
	%[5]s
forward-zone:
	name: "."
	forward-addr: %[2]s@%[3]d
remote-control:
	control-enable: no
`

const recursorLogConf = `
local-address=127.0.0.1,::1
local-port=%[1]d
socket-dir=%[4]s
forward-zones-recurse=.=%[2]s:%[3]d
dont-query=
dnssec=off
daemon=no
threads=2
quiet=no
loglevel=6
disable-syslog=yes
%[5]s
`

const dnsmasqLogConf = `
port=%[1]d
listen-address=127.0.0.1
listen-address=::1
bind-interfaces
no-hosts
no-resolv
server=%[2]s#%[3]d
user=root
log-facility=%[4]s/log
%[5]s
`

// with fills in the last part of a configuration.
func with(conf, more string) string { return strings.Replace(conf, "%[5]s", more, 1) }

var queryLoggers = []queryLogger{
	{name: "named", format: "bind", conf: with(namedLogConf, "print-time yes; print-category yes; print-severity yes;"), run: "%[1]s -f -n 2 -c conf", names: escaped},
	{name: "named with ISO times", format: "bind", conf: with(namedLogConf, "print-time iso8601-utc; print-category yes;"), run: "%[1]s -f -n 2 -c conf", names: escaped},
	{name: "named with a view", format: "bind", conf: with(namedLogConf, "print-time yes;") + namedViewConf, run: "%[1]s -f -n 2 -c conf", names: escaped},
	{name: "unbound", format: "unbound", conf: with(unboundLogConf, ""), run: "%[1]s -d -p -c conf", names: printable},
	{name: "unbound with replies", format: "unbound", conf: with(unboundLogConf, "log-replies: yes"), run: "%[1]s -d -p -c conf", names: printable},
	{name: "unbound with tags and ASCII times", format: "unbound", conf: with(unboundLogConf, "log-replies: yes\n\tlog-tag-queryreply: yes\n\tlog-time-ascii: yes"), run: "%[1]s -d -p -c conf", names: printable},
	{name: "pdns_recursor", format: "recursor", conf: with(recursorLogConf, ""), run: "mv conf recursor.conf; %[1]s --config-dir=. 2>log", names: escaped},
	{name: "pdns_recursor in the old style", format: "recursor", conf: with(recursorLogConf, "structured-logging=no"), run: "mv conf recursor.conf; %[1]s --config-dir=. 2>log", names: escaped, old: true},
	{name: "dnsmasq", format: "dnsmasq", conf: with(dnsmasqLogConf, "log-queries"), run: "%[1]s --keep-in-foreground --conf-file=conf", names: unescaped},
	{name: "dnsmasq with more", format: "dnsmasq", conf: with(dnsmasqLogConf, "log-queries=extra"), run: "%[1]s --keep-in-foreground --conf-file=conf", names: unescaped},
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

// start runs the resolver until the test ends, and returns where it listens, and
// its log.
func (q *queryLogger) start(t *testing.T, upstream netip.AddrPort) (port uint16, log string) {
	t.Helper()
	dir := t.TempDir()
	port = harness.FreePort(t)
	conf := fmt.Sprintf(q.conf, port, upstream.Addr(), upstream.Port(), dir)
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	program, _, _ := strings.Cut(q.name, " ")
	command := "cd " + dir + "; " + strings.Replace(q.run, "%[1]s", "exec "+harness.Private(t, program, dir), 1)
	addr := netip.AddrPortFrom(harness.Loopback, port)
	harness.StartProcess(t, "/bin/sh", []string{"-c", command}, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
		defer cancel()
		client := dns.Client{}
		_, _, err := client.ExchangeContext(ctx, harness.Query(readyName, dns.TypeA), addr.String())
		return err == nil
	})
	return port, filepath.Join(dir, "log")
}

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
			port, log := q.start(t, upstream.Addr)
			sent := askAll(t, port, q.names, "127.0.0.1", "::1")
			q.check(t, log, sent, logfile.Options{})
			if t.Failed() {
				text, _ := os.ReadFile(log)
				t.Logf("%.20000s", text)
			}
		})
	}
}
