// Command benchpeers measures the server beside the resolvers and forwarders of Debian
// that can block names by a list. Ours protects the built-in names; the others have the
// zone that "lookalike rpz" writes for these, or its names in a form of their own.
//
// In each round, every server is started, asked, given another list and stopped, while
// no other runs. It has the first processor; dnsperf, the upstream and this program have
// the others. Before anything is measured, each server has to block all names that are
// asked for as blocked, and to answer the others; and these must come from its cache while
// it is measured. It needs dnsperf, Linux, and root for some of the servers.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/test/harness"
)

func main() {
	var b bench
	flag.StringVar(&b.coredns, "coredns", "build/bin/coredns", "our server")
	flag.StringVar(&b.tool, "tool", "build/bin/lookalike", "our tool, which writes the zone")
	flag.IntVar(&b.names, "names", 0, "protect so many of the built-in names; 0: all")
	flag.StringVar(&b.classes, "classes", "", "the classes of the zone, as lookalike rpz takes them; empty: its default")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds, of which the medians count")
	flag.IntVar(&b.seconds, "seconds", 2, "how long dnsperf asks each time")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := b.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchpeers:", err)
		os.Exit(1)
	}
}

// bench is what is measured, and how long.
type bench struct {
	coredns, tool string
	classes       string
	names         int
	rounds        int
	seconds       int

	dir              string // for files
	upstream         *harness.Upstream
	peers            []peer
	first, second    list // the second protects one name more
	compiled         cost // of the zone of the first
	blocked, passing traffic
	drawn            []drawn
	raised           map[string]bool // the names drawn that raise an alert
}

// anything is what the upstream has for every name, so that one with nothing is blocked.
const anything = "*. 3600 IN A 192.0.2.1\n*. 3600 IN MX 10 mx.example.org."

// The second list protects a name, so that these become blocked.
const protectedToo, added = "example.mil", "example.ml"

// run measures, and prints the tables.
func (b *bench) run(ctx context.Context, out io.Writer) error {
	began := time.Now()
	done, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := b.printHead(ctx, out); err != nil {
		return err
	}
	all, err := b.measure(ctx)
	if err != nil {
		return err
	}
	b.printFigures(out, all)
	b.printDrawn(out, all)
	b.printAims(out, all)
	fmt.Fprintf(out, "\nIt took %s.\n", time.Since(began).Round(time.Second))
	return nil
}

// open makes what is measured with. The caller ends it.
func (b *bench) open(ctx context.Context) (done func(), err error) {
	for _, path := range []*string{&b.coredns, &b.tool} {
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
	}
	b.peers = peers(b.coredns)
	if b.dir, err = os.MkdirTemp("", "benchpeers"); err != nil {
		return nil, err
	}
	upstream, stop, err := harness.ServeUpstream(anything)
	if err != nil {
		os.RemoveAll(b.dir)
		return nil, err
	}
	b.upstream = upstream
	done = func() {
		stop()
		os.RemoveAll(b.dir)
	}
	if err := b.prepare(ctx); err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// measure returns the figures by peer, then round. In each round, another peer is first.
func (b *bench) measure(ctx context.Context) ([][]figures, error) {
	all := make([][]figures, len(b.peers))
	for round := range b.rounds {
		for i := range b.peers {
			which := (i + round) % len(b.peers)
			fmt.Fprintf(os.Stderr, "benchpeers: round %d of %d: %s\n", round+1, b.rounds, b.peers[which].name)
			f, err := b.round(ctx, b.peers[which])
			if err != nil {
				return nil, err
			}
			all[which] = append(all[which], f)
		}
	}
	return all, nil
}

// prepare makes the lists, the queries and the lookalikes.
func (b *bench) prepare(ctx context.Context) (err error) {
	list := names.Default()
	if b.names > 0 {
		list = list[:min(b.names, len(list))]
	}
	if b.first, b.compiled, err = b.compile(ctx, list); err != nil {
		return err
	}
	if b.second, _, err = b.compile(ctx, append(list, protectedToo)); err != nil {
		return err
	}
	index, err := detect.New(detect.Config{Protected: list, TLDs: []string{"ml"}})
	if err != nil {
		return err
	}
	if b.blocked, err = blockedTraffic(b.first.blocked, filepath.Join(b.dir, "blocked")); err != nil {
		return err
	}
	if b.passing, err = passingTraffic(index, filepath.Join(b.dir, "passing")); err != nil {
		return err
	}
	b.drawn, b.raised = draw(index, list), make(map[string]bool)
	for _, d := range b.drawn {
		_, b.raised[d.name] = index.Match(d.name)
	}
	return nil
}
