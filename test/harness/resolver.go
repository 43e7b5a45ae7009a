package harness

import (
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Beginnings of configurations: the resolver listens on {PORT} of 127.0.0.1, and
// forwards all queries to {UPSTREAM}. More follows, of the options of BIND and of
// the clause "server" of Unbound.
const (
	BINDOptions = `options {
	directory "{DIR}";
	pid-file none;
	session-keyfile none;
	managed-keys-directory "{DIR}";
	listen-on port {PORT} { 127.0.0.1; };
	recursion yes;
	allow-query { any; };
	empty-zones-enable no;
	forward only;
	forwarders { {UPSTREAM} port {UPSTREAMPORT}; };
`
	UnboundServer = `forward-zone:
	name: "."
	forward-addr: {UPSTREAM}@{UPSTREAMPORT}
remote-control:
	control-enable: no
server:
	interface: 127.0.0.1
	port: {PORT}
	username: ""
	chroot: ""
	directory: "{DIR}"
	pidfile: ""
	use-syslog: no
	logfile: ""
	do-daemonize: no
	do-ip6: no
	do-not-query-localhost: no
	access-control: 127.0.0.0/8 allow
`
	RecursorSettings = `local-address=127.0.0.1
local-port={PORT}
forward-zones-recurse=.={UPSTREAM}:{UPSTREAMPORT}
dont-query=
socket-dir={DIR}
daemon=no
`
)

// Resolver is a DNS server from Debian, and what it is given. In its arguments and
// files, {DIR} stands for its directory, {PORT} for its port, {UPSTREAM} and
// {UPSTREAMPORT} for the server that it asks.
type Resolver struct {
	Program string
	Args    []string
	Under   []string          // a command that runs the program: taskset -c 0
	Files   map[string]string // in its directory, by name
	Dir     string            // where it runs; empty: a directory of the test's
	Port    uint16            // on 127.0.0.1; 0: one that is free
}

// BIND is a named with a configuration.
func BIND(conf string) Resolver {
	return Resolver{Program: "named", Args: []string{"-g", "-n", "1", "-c", "{DIR}/conf"}, Files: map[string]string{"conf": conf}}
}

// Unbound is an unbound with a configuration.
func Unbound(conf string) Resolver {
	return Resolver{Program: "unbound", Args: []string{"-d", "-p", "-c", "{DIR}/conf"}, Files: map[string]string{"conf": conf}}
}

// Recursor is a PowerDNS Recursor with a configuration.
func Recursor(conf string) Resolver {
	return Resolver{Program: "pdns_recursor", Args: []string{"--config-dir={DIR}"}, Files: map[string]string{"recursor.conf": conf}}
}

// Start runs the resolver until the test ends. It waits until ready holds, and
// returns the resolver with its directory and its port.
func (r Resolver) Start(tb testing.TB, upstream netip.AddrPort, ready func(resolver netip.AddrPort) bool) Resolver {
	tb.Helper()
	if r.Dir == "" {
		r.Dir = tb.TempDir()
	}
	if r.Port == 0 {
		r.Port = FreePort(tb)
	}
	cmd, out, err := r.command(upstream)
	if err != nil {
		tb.Fatal(err)
	}
	defer out.Close()
	startProcess(tb, cmd, func() string { return r.Output(tb) }, func() bool { return ready(r.Addr()) })
	return r
}

// Launch is [Resolver.Start] outside a test, and does not wait. The resolver must have
// a directory. The caller ends the process.
func (r Resolver) Launch(upstream netip.AddrPort) (Resolver, *Process, error) {
	if r.Port == 0 {
		port, err := freePort()
		if err != nil {
			return r, nil, err
		}
		r.Port = port
	}
	cmd, out, err := r.command(upstream)
	if err != nil {
		return r, nil, err
	}
	defer out.Close()
	p, err := spawn(cmd)
	return r, p, err
}

// command writes the resolver's files, and returns what runs it and the file that
// takes its output.
func (r Resolver) command(upstream netip.AddrPort) (*exec.Cmd, io.Closer, error) {
	fill := strings.NewReplacer("{DIR}", r.Dir, "{PORT}", strconv.Itoa(int(r.Port)),
		"{UPSTREAM}", upstream.Addr().String(), "{UPSTREAMPORT}", strconv.Itoa(int(upstream.Port()))).Replace
	for name, text := range r.Files {
		if err := os.WriteFile(filepath.Join(r.Dir, name), []byte(fill(text)), 0o600); err != nil {
			return nil, nil, err
		}
	}
	program, err := private(r.Program, r.Dir)
	if err != nil {
		return nil, nil, err
	}
	args := append(slices.Clone(r.Under), program)
	for _, arg := range r.Args {
		args = append(args, fill(arg))
	}
	out, err := os.Create(r.output())
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.Dir, out, out
	return cmd, out, nil
}

// Addr is where a resolver listens that has been started.
func (r Resolver) Addr() netip.AddrPort { return netip.AddrPortFrom(Loopback, r.Port) }

// Output is what a resolver has printed since it was started.
func (r Resolver) Output(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile(r.output())
	if err != nil {
		tb.Error(err)
	}
	return string(text)
}

func (r Resolver) output() string { return filepath.Join(r.Dir, "output") }

// Answers is ready, for [Resolver.Start], when the name's addresses are asked for and
// there is any reply.
func Answers(name string) (ready func(resolver netip.AddrPort) bool) {
	return func(resolver netip.AddrPort) bool {
		client := dns.Client{Timeout: time.Second}
		_, _, err := client.Exchange(Query(name, dns.TypeA), resolver.String())
		return err == nil
	}
}
