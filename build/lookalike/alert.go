package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
)

const alertHelp = `Work with alerts.

Usage: lookalike alert test [-conf COREFILE] [-timeout DURATION]
       lookalike alert tail [FLAGS] FILE

Commands:
  test   send one test alert through every destination of a Corefile
  tail   show an alert file as it grows, one readable line an alert

'lookalike alert test -help' and 'lookalike alert tail -help' say more.
`

const alertTestHelp = `Send one test alert through every alert destination of a Corefile, and say what
became of each.

Usage: lookalike alert test [-conf COREFILE] [-timeout DURATION]

A test alert has lookalike.phase "test" and lookalike.test true; rules and
searches leave it out by these. It is sent once to each destination, without a
spool: what is said is what the receiver answered now. Syslog has no answers:
over UDP "sent" is all that is known, over TCP and TLS that there is a
connection. For a file, a line is added to it; one that root creates by this is
given to the owner and group of its directory, which should be the server's.

Flags:
  -conf COREFILE      take the alert lines of this Corefile (default Corefile)
  -timeout DURATION   wait so long for all answers (default 15s)
  -help               print this help

Exit status:
  0  every destination has taken the alert
  1  at least one has not
  2  wrong usage, an unreadable Corefile, or output that cannot be written
  130  interrupted

Examples:
  lookalike alert test -conf /etc/coredns/Corefile
`

func runAlert(e *env, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(e.stderr, alertHelp)
		return exitError
	}
	switch args[0] {
	case "test":
		return runAlertTest(e, args[1:])
	case "tail":
		return runAlertTail(e, args[1:])
	case "-h", "-help", "--help":
		fmt.Fprint(e.stdout, alertHelp)
		return exitNothing
	}
	return e.fail("unknown command %q: 'lookalike help alert' lists those of alert", "alert "+args[0])
}

func runAlertTest(e *env, args []string) int {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	conf := "Corefile"
	confFlag(fs, &conf)
	timeout := fs.Duration("timeout", 15*time.Second, "")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(e.stdout, alertTestHelp)
		return exitNothing
	case err == nil && fs.NArg() > 0:
		err = fmt.Errorf("takes no argument, got %q", fs.Arg(0))
	case err == nil && *timeout <= 0:
		err = fmt.Errorf("-timeout %v: nothing can be done in no time", *timeout)
	}
	if err != nil {
		return e.fail("alert test: %v\n'lookalike alert test -help' explains the command", err)
	}
	configs, err := alertConfigs(e, conf)
	if err != nil {
		return e.fail("alert test: %v", err)
	}
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(interrupted, *timeout)
	defer cancel()
	var results []alert.Result
	for _, c := range configs {
		results = append(results, alert.TestDestinations(ctx, c)...)
	}
	status, err := report(e.stdout, results)
	if err != nil && !errors.Is(err, syscall.EPIPE) { // a reader that has gone has seen enough
		return e.fail("alert test: %v", err)
	}
	if interrupted.Err() != nil {
		return exitInterrupted
	}
	return status
}

// alertConfigs returns what the directives of a Corefile say of alerts, with
// each destination once.
func alertConfigs(e *env, corefile string) ([]alert.Config, error) {
	file, err := e.load(corefile)
	if err != nil {
		return nil, err
	}
	var configs []alert.Config
	seen := make(map[string]bool)
	for _, p := range file.Policies {
		c := p.Alerts()
		if len(c.Destinations) == 0 {
			d, err := alert.ParseDestination([]string{"stdout"})
			if err != nil {
				return nil, err
			}
			c.Destinations = []alert.Destination{d}
		}
		c.Destinations = slices.DeleteFunc(slices.Clone(c.Destinations), func(d alert.Destination) bool {
			again := seen[d.Key()]
			seen[d.Key()] = true
			return again
		})
		if len(c.Destinations) > 0 {
			configs = append(configs, c)
		}
	}
	return configs, nil
}

// report writes the results and returns the exit status.
func report(w io.Writer, results []alert.Result) (int, error) {
	status := exitNothing
	var text strings.Builder
	for _, r := range results {
		if r.Err != nil {
			status = exitFound
			fmt.Fprintf(&text, "failed  %s: %s\n", display(r.Destination), display(r.Err.Error()))
			continue
		}
		fmt.Fprintf(&text, "sent    %s (%v)\n", display(r.Destination), r.Took.Round(time.Millisecond))
	}
	_, err := io.WriteString(w, text.String())
	return status, err
}
