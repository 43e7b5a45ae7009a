package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/perf"
)

// asked are the kinds of traffic whose latency is measured.
var asked = []string{passing, missing, blocked}

// percentiles of what queries of a kind waited for a server, round by round.
type percentiles struct{ p50, p99 []time.Duration }

// latencies prints the median and the 99th percentile of what queries wait, at half
// of the rate at which upstream's server answers on one processor. The servers are
// asked in turn, a second each, in every round; the percentiles are of each round.
func (b *bench) latencies(ctx context.Context) error {
	subjects := b.subjects()[:3] // the base, the same again, and ours
	servers := make([]*harness.Server, 0, len(subjects))
	defer func() {
		for _, s := range servers {
			s.Stop()
		}
	}()
	for _, s := range subjects {
		server, err := b.start(full, s, nil, "GOMAXPROCS=1")
		if err != nil {
			return err
		}
		servers = append(servers, server)
		if err := server.Pin("0"); err != nil {
			return err
		}
		if err := b.warm(ctx, server, asked...); err != nil {
			return err
		}
	}
	run := b.ask(servers[0], passing)
	run.Seconds = 2
	top, err := run.Do(ctx)
	if err != nil {
		return err
	}
	half := int(top.Rate) / 2
	waits := make(map[string][]percentiles)
	for _, kind := range asked {
		waits[kind] = make([]percentiles, len(servers))
		for round := range b.rounds / 2 {
			for n := range servers {
				i := (n + round) % len(servers)
				if err := b.wait(ctx, servers[i], kind, half, &waits[kind][i]); err != nil {
					return err
				}
			}
		}
	}
	fmt.Printf("Latency at %d queries/s, half of what upstream's server answers on its processor, full Corefile:\n"+
		"medians of %d rounds of a second, median and quartiles of the rounds' ratios, and the ratio of the least.\n\n", half, b.rounds/2)
	return printLatencies(subjects, waits)
}

// wait asks a server for a second.
func (b *bench) wait(ctx context.Context, s *harness.Server, kind string, rate int, p *percentiles) error {
	run := b.ask(s, kind)
	run.Seconds, run.Rate, run.Each = 1, rate, true
	r, err := run.Do(ctx)
	if err != nil {
		return err
	}
	p.p50 = append(p.p50, perf.Quantile(r.Latencies, 0.50))
	p.p99 = append(p.p99, perf.Quantile(r.Latencies, 0.99))
	return nil
}

func printLatencies(subjects []subject, waits map[string][]percentiles) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "server\tp50\tratio\tquartiles\tleast\tp99\tratio\tquartiles\tleast\ttraffic\t")
	for _, kind := range asked {
		base := waits[kind][0]
		for i, s := range subjects {
			p := waits[kind][i]
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t\n", s.name, latency(p.p50, base.p50), latency(p.p99, base.p99), kind)
		}
	}
	return table.Flush()
}

func latency(of, to []time.Duration) string {
	return fmt.Sprintf("%v\t%s", perf.Quantile(of, 0.5).Round(time.Microsecond), compare(of, to))
}
