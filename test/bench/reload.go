package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/perf"
)

const (
	listSize    = 100_000
	listFile    = "names.txt"
	reloadRate  = 2000 // queries a second to each server
	reloadLasts = 6    // seconds in which a server is asked while it reloads
	longest     = 10 * time.Millisecond
)

// reloads are the rows: how many processors the server and dnsperf share.
var reloads = []struct {
	name  string
	procs string
	pin   string // empty: all processors
}{
	{"all processors, shared with the clients", "", ""},
	{"one processor, without the clients", "GOMAXPROCS=1", "0"},
}

// reload prints the longest that a query waited while a list of 100,000 names was
// replaced, beside a second server that reloads nothing: how long its queries
// waited is how long the machine makes them wait.
func (b *bench) reload(ctx context.Context) error {
	fmt.Printf("The longest wait of a query, at %d queries/s, passing, while a list of %d names is reloaded;\n"+
		"beside it a server with the same list that reloads nothing, in turn. Aim: none above %v.\n\n", reloadRate, listSize, longest)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "reloads\tlongest\tp99.9\tlongest without\tp99.9 without\tabove aim\tof\tserver\t")
	for _, row := range reloads {
		var with, without waits
		for n := range min(b.rounds, 3) {
			for _, replace := range []bool{n%2 == 0, n%2 != 0} {
				w, err := b.reloadOnce(ctx, row.procs, row.pin, replace)
				if err != nil {
					return err
				}
				if replace {
					with = append(with, w)
				} else {
					without = append(without, w)
				}
			}
		}
		a, o := slices.Concat(with...), slices.Concat(without...)
		above := 0
		for _, wait := range a {
			if wait > longest {
				above++
			}
		}
		fmt.Fprintf(table, "%d\t%v\t%v\t%v\t%v\t%d\t%d\t%s\t\n", len(with), milli(slices.Max(a)), milli(perf.Quantile(a, 0.999)),
			milli(slices.Max(o)), milli(perf.Quantile(o, 0.999)), above, len(a), row.name)
	}
	return table.Flush()
}

// waits are the latencies of runs.
type waits [][]time.Duration

func milli(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

// reloadOnce starts a server with a list, asks it for some seconds and replaces the
// list meanwhile, or leaves it as it is.
func (b *bench) reloadOnce(ctx context.Context, procs, pin string, replace bool) ([]time.Duration, error) {
	var env []string
	processors := perf.AllProcessors()
	if procs != "" {
		env = append(env, procs)
	}
	s := subject{binary: b.binary, directive: "lookalike {\n protect ./" + listFile + "\n reload 1s\n }"}
	server, err := b.start(full, s, map[string]string{listFile: harness.Hosts(listSize, 1)}, env...)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	if pin != "" {
		processors = perf.OtherProcessors()
		if err := server.Pin(pin); err != nil {
			return nil, err
		}
	}
	if err := b.warm(ctx, server, passing); err != nil {
		return nil, err
	}
	var (
		asking sync.WaitGroup
		r      perf.Result
		asked  error
	)
	run := b.ask(server, passing)
	run.Seconds, run.Rate, run.Each, run.Processors = reloadLasts, reloadRate, true, processors
	asking.Go(func() {
		r, asked = run.Do(ctx)
	})
	if replace {
		err = replaceList(server)
	}
	asking.Wait()
	if err == nil {
		err = asked
	}
	return r.Latencies, err
}

// replaceList puts another list in its place, and waits until it is in force.
func replaceList(server *harness.Server) error {
	path := filepath.Join(server.Dir, listFile)
	if err := os.WriteFile(path+".new", []byte(harness.Hosts(listSize, 2)), 0o600); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	if !server.Wait(func() bool { return strings.Contains(server.Output(), "reloaded lists of") }) {
		return fmt.Errorf("the list is not reloaded:\n%s", server.Output())
	}
	return nil
}
