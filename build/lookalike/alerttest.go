package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/interrupt"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
)

var alertTestCommand = command{
	name:    "alert test",
	summary: "send a test alert to every destination of a Corefile",
	help:    helpText("alert test"),
	flags: func(fs *flag.FlagSet) action {
		t := alertTest{conf: defaultConf}
		confFlag(fs, &t.conf)
		fs.DurationVar(&t.timeout, "timeout", 15*time.Second, "")
		return t.run
	},
}

// alertTest is the command line of alert test.
type alertTest struct {
	conf    string
	timeout time.Duration
}

func (t *alertTest) run(e *env, args []string) (int, error) {
	switch {
	case len(args) > 0:
		return 0, misused("takes no argument, got %q", args[0])
	case t.timeout <= 0:
		return 0, misused("-timeout %v: want more than 0", t.timeout)
	}
	configs, err := alertConfigs(e, t.conf)
	if err != nil {
		return 0, err
	}
	interrupted, stop := interrupt.Context()
	defer stop()
	ctx, cancel := context.WithTimeout(interrupted, t.timeout)
	defer cancel()
	var results []alert.Result
	for _, c := range configs {
		results = append(results, alert.TestDestinations(ctx, c)...)
	}
	status, err := outcomes(e.stdout, results)
	if err != nil && !errors.Is(err, syscall.EPIPE) { // a reader that has gone has seen enough
		return 0, err
	}
	if interrupted.Err() != nil {
		return exitInterrupted, nil
	}
	return status, nil
}

// alertConfigs returns the alert configurations of a Corefile's directives,
// with each destination once.
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

// outcomes writes the results and returns the exit status.
func outcomes(w io.Writer, results []alert.Result) (int, error) {
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
