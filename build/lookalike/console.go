package main

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/build/internal/console"
	"github.com/lookalike-dns/lookalike/build/internal/interrupt"
)

var consoleCommand = command{
	name:    "console",
	summary: "show alerts in a browser as they arrive",
	help:    helpText("console"),
	flags: func(fs *flag.FlagSet) action {
		o := consoleOptions{listen: "127.0.0.1:8053"}
		fs.StringVar(&o.listen, "listen", o.listen, "")
		fs.StringVar(&o.tokenFile, "token-file", "", "")
		fs.Func("host", "", func(s string) error {
			o.hosts = append(o.hosts, strings.ToLower(s))
			return nil
		})
		return o.run
	},
}

// consoleOptions is the command line of console.
type consoleOptions struct {
	listen, tokenFile string
	hosts             []string
}

func (o *consoleOptions) run(e *env, alerts []string) (int, error) {
	if len(alerts) == 0 {
		return 0, misused("want an alert file, or more")
	}
	for _, name := range alerts {
		if info, err := os.Stat(name); name == "-" || err == nil && info.Mode()&os.ModeNamedPipe != 0 { //nolint:gosec // the user names it
			return 0, misused("%s cannot be read from its beginning: name alert files", name)
		}
	}
	token, err := readToken(o.tokenFile)
	if err != nil {
		return 0, err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return 0, err
	}
	if at := l.Addr().(*net.TCPAddr).AddrPort().Addr(); token == "" && !at.Unmap().IsLoopback() {
		l.Close()
		return 0, misused("-listen %s is not a loopback address: everybody there could read the alerts. Add -token-file FILE", o.listen)
	}
	fmt.Fprintf(e.stderr, "lookalike: the console is at http://%s/\n", pageHost(l.Addr()))
	ctx, stop := interrupt.Context()
	defer stop()
	c := &console.Console{Alerts: alerts, Token: token, Hosts: o.hosts}
	c.Problem = func(p alertlog.Problem) { fmt.Fprintf(e.stderr, "lookalike: %s\n", display(p.Error())) }
	return exitNothing, c.Run(ctx, l)
}

// pageHost is where a browser on this host finds the page.
func pageHost(a net.Addr) string {
	at := a.(*net.TCPAddr).AddrPort()
	if !at.Addr().IsUnspecified() {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String()
	}
	return fmt.Sprintf("localhost:%d", at.Port())
}

// leastToken is the length of the shortest token that nobody tries out.
const leastToken = 16

// readToken reads the word in a file; without a file it is empty.
func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(b))
	if len(token) < leastToken || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s: want one word of %d characters or more, such as `openssl rand -hex 16` writes", file, leastToken)
	}
	return token, nil
}
