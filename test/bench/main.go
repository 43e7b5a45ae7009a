// Command bench prints how this server compares with the one it stands in: with
// upstream's chain of plugins, built from the same version of CoreDNS by the same
// Go, without any code of ours. It measures
//
//   - processor time per query, for each row of a table of scenarios;
//   - latency at half of the load that upstream's server can bear;
//   - the longest wait of a query while a list of 100,000 names is reloaded;
//   - with -against, processor time of other builds and settings of this server.
//
// A null test compares a server with itself: what lies within its quartiles is
// noise. Bench needs dnsperf, Linux, and an idle machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	b := bench{}
	flag.StringVar(&b.binary, "coredns", "build/bin/coredns", "the server to measure")
	flag.Func("against", "another build of it to compare, with settings: BINARY[,NAME=VALUE | ,LINE OF THE COREFILE]...; may come again", b.addBuild)
	flag.IntVar(&b.rounds, "rounds", 20, "rounds, two at least; in each, every server starts anew")
	flag.IntVar(&b.passes, "passes", 3, "how often a server is asked all names of a kind in a round")
	flag.IntVar(&b.rate, "rate", 0, "queries a second while processor time is measured; 0: as fast as answers come")
	flag.IntVar(&b.procs, "procs", 1, "GOMAXPROCS of the servers while processor time is measured; with 1, they stay on the first processor")
	only := flag.String("only", "", "parts to measure, of cost,latency,reload,builds; empty: all")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := b.run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is what is measured, how long and how hard.
type bench struct {
	binary   string
	upstream string            // the server without our code
	builds   []subject         // others, to compare this one with
	dir      string            // for files
	traffic  map[string]string // by its kind: a file of queries
	rounds   int
	passes   int
	rate     int
	procs    int
}

// parts are what bench measures, in this order.
var parts = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"cost", (*bench).costs},
	{"latency", (*bench).latencies},
	{"reload", (*bench).reload},
	{"builds", (*bench).compareBuilds},
}

func (b *bench) run(ctx context.Context, only string) (err error) {
	if b.rounds < 2 {
		return errors.New("-rounds must be 2 or more")
	}
	if b.binary, err = filepath.Abs(b.binary); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.traffic, err = writeTraffic(b.dir); err != nil {
		return err
	}
	if b.upstream, err = buildUpstream(ctx, b.dir); err != nil {
		return err
	}
	if err := printMachine(b.binary); err != nil {
		return err
	}
	for _, part := range parts {
		if only != "" && !strings.Contains(","+only+",", ","+part.name+",") {
			continue
		}
		fmt.Println()
		if err := part.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}
