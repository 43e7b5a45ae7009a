package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/perf"
)

// scenario is a row: what two servers are asked, and at most what ratio of
// processor time per query is aimed at.
type scenario struct {
	chain  chain
	server string // name of a subject
	base   string // of the one that it is compared with
	kind   string // of traffic
	aim    float64
}

// scenarios are the rows of the table.
func scenarios() (rows []scenario) {
	aims := map[string]map[string]float64{
		small.name: {passing: 1.00, missing: 1.00, blocked: 1.00, various: 1.00},
		full.name:  {passing: 0.85, missing: 0.90, blocked: 0.85, various: 0.85},
	}
	for _, c := range []chain{small, full} {
		for _, kind := range []string{passing, missing, blocked, various} {
			rows = append(rows, scenario{chain: c, server: guarded, base: upstream, kind: kind, aim: aims[c.name][kind]})
		}
		rows = append(rows,
			scenario{chain: c, server: ownTLD, base: upstream, kind: under, aim: 0.90},
			scenario{chain: c, server: anyTLD, base: upstream, kind: passing, aim: 0.90})
		for _, kind := range []string{passing, missing, blocked, under} {
			rows = append(rows, scenario{chain: c, server: again, base: upstream, kind: kind})
		}
	}
	return rows
}

// cell is one server that is asked one kind of traffic.
type cell struct{ chain, server, kind string }

// measured are the µs a query of each cell, and the memory of each server in MiB,
// round by round.
type measured struct {
	costs  map[cell][]float64
	memory map[cell][]float64 // kind is empty
}

// costs prints the table of processor time.
func (b *bench) costs(ctx context.Context) error {
	return b.table(ctx, b.subjects(), scenarios())
}

// table measures what the rows want, and prints it.
func (b *bench) table(ctx context.Context, subjects []subject, rows []scenario) error {
	m := measured{make(map[cell][]float64), make(map[cell][]float64)}
	for round := range b.rounds {
		first := round % len(subjects)
		turned := slices.Concat(subjects[first:], subjects[:first])
		for _, c := range []chain{small, full} {
			if err := b.round(ctx, c, turned, rows, m); err != nil {
				return err
			}
		}
	}
	return b.printCosts(rows, m)
}

// round starts the servers of a chain, and asks one after the other for each kind
// of traffic.
func (b *bench) round(ctx context.Context, c chain, subjects []subject, rows []scenario, m measured) error {
	servers := make(map[string]*harness.Server)
	defer func() {
		for _, s := range servers {
			s.Stop()
		}
	}()
	for _, s := range subjects {
		server, err := b.start(c, s, nil, "GOMAXPROCS="+strconv.Itoa(b.procs))
		if err != nil {
			return err
		}
		servers[s.name] = server
		if b.procs == 1 {
			if err := server.Pin("0"); err != nil {
				return err
			}
		}
		if err := b.warm(ctx, server, kindsOf(c, s.name, rows)...); err != nil {
			return err
		}
	}
	for _, kind := range kinds {
		for _, s := range subjects {
			if !slices.Contains(kindsOf(c, s.name, rows), kind) {
				continue
			}
			cost, err := b.cost(ctx, servers[s.name], kind)
			if err != nil {
				return err
			}
			at := cell{c.name, s.name, kind}
			m.costs[at] = append(m.costs[at], cost)
		}
	}
	for _, s := range subjects {
		bytes, err := harness.Memory(servers[s.name].PID(), "VmRSS")
		if err != nil {
			return err
		}
		at := cell{chain: c.name, server: s.name}
		m.memory[at] = append(m.memory[at], float64(bytes)/(1<<20))
	}
	return nil
}

// cost is the µs of processor time that a query of this kind takes.
func (b *bench) cost(ctx context.Context, s *harness.Server, kind string) (float64, error) {
	run := b.ask(s, kind)
	run.Passes, run.Rate = b.passes, b.rate
	before, err := s.CPU()
	if err != nil {
		return 0, err
	}
	r, err := run.Do(ctx)
	if err != nil {
		return 0, err
	}
	after, err := s.CPU()
	return float64((after - before).Nanoseconds()) / 1000 / r.Queries, err
}

// kindsOf are the kinds of traffic that the rows want of a server.
func kindsOf(c chain, server string, rows []scenario) (kinds []string) {
	for _, row := range rows {
		if row.chain.name == c.name && (row.server == server || row.base == server) && !slices.Contains(kinds, row.kind) {
			kinds = append(kinds, row.kind)
		}
	}
	return kinds
}

// printCosts prints medians, and the median and quartiles of the rounds' ratios.
func (b *bench) printCosts(rows []scenario, m measured) error {
	pace := "as fast as answers come"
	if b.rate > 0 {
		pace = fmt.Sprintf("at %d queries/s", b.rate)
	}
	where := fmt.Sprintf("on %d of %d processors", b.procs, runtime.NumCPU())
	if b.procs == 1 {
		where = "on one processor, which dnsperf keeps off"
	}
	fmt.Printf("Processor time per query of the server's process, %s, %s: medians of %d rounds,\n"+
		"median and quartiles of the rounds' ratios, and the ratio of the least. %d names a kind, asked for %d times a round, all from the\n"+
		"cache of the base. Each round starts every server anew and asks them in turn.\n\n", where, pace, b.rounds, size, b.passes)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "Corefile\tserver\tMiB\tµs/query\tbase\tMiB\tµs/query\tratio\tquartiles\tleast\taim\ttraffic\t")
	for _, row := range rows {
		server, base := cell{row.chain.name, row.server, row.kind}, cell{row.chain.name, row.base, row.kind}
		aim := ""
		if row.aim > 0 {
			aim = fmt.Sprintf("≤ %.2f", row.aim)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", row.chain.name,
			row.server, memory(m, server), micro(m, server), row.base, memory(m, base), micro(m, base),
			compare(m.costs[server], m.costs[base]), aim, row.kind)
	}
	return table.Flush()
}

func micro(m measured, at cell) string { return fmt.Sprintf("%.2f", perf.Quantile(m.costs[at], 0.5)) }

func memory(m measured, at cell) string {
	at.kind = ""
	return fmt.Sprintf("%.0f", perf.Quantile(m.memory[at], 0.5))
}

// compare gives the median and the quartiles of the rounds' ratios, and the ratio of
// the least values, which other work on the machine disturbs least.
func compare[N ~int64 | ~float64](of, to []N) string {
	ratios := make([]float64, len(of))
	for i := range ratios {
		ratios[i] = float64(of[i]) / float64(to[i])
	}
	return fmt.Sprintf("%.3f\t%.3f-%.3f\t%.3f", perf.Quantile(ratios, 0.5), perf.Quantile(ratios, 0.25), perf.Quantile(ratios, 0.75),
		float64(slices.Min(of))/float64(slices.Min(to)))
}
