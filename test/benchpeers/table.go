package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lookalike-dns/lookalike/test/perf"
)

// printHead prints what the figures depend on.
func (b *bench) printHead(ctx context.Context, out io.Writer) error {
	machine, err := perf.Machine()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n", machine)
	var versions []string
	for _, p := range b.peers {
		if p.version == nil {
			continue
		}
		v, err := version(ctx, p.version)
		if err != nil {
			return err
		}
		versions = append(versions, p.name+" "+v)
	}
	fmt.Fprintf(out, "%s\n", strings.Join(versions, ", "))
	fmt.Fprintf(out, "%d protected names; lookalike rpz lists %d names for them in %d records, within %.1f s (processor %.1f s, %d MiB).\n",
		len(b.first.protected), len(b.first.suffixes), b.first.records, b.compiled.took.Seconds(), b.compiled.cpu.Seconds(), b.compiled.peak>>20)
	fmt.Fprintf(out, "Medians of %d rounds. The server has one processor, dnsperf the others: %d clients, %d queries on their way, for %d s,\n"+
		"as fast as answers come. CPU is the processor time of the server's process, that of a query in µs. Passing names come from\n"+
		"its cache. Reload: until a changed list is in force; lookalike (two looks, a second apart) and Knot Resolver look\n"+
		"themselves, the others are told. BIND logs each query that it blocks, lookalike alerts; the others log nothing.\n\n", b.rounds, perf.Clients, perf.Outstanding, b.seconds)
	return nil
}

var number = regexp.MustCompile(`\d+\.\d+[^\s,)]*`)

// version is the first that a program prints.
func version(ctx context.Context, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
	v := number.FindString(string(out))
	if v == "" {
		return "", fmt.Errorf("%s says no version: %w\n%s", strings.Join(command, " "), err, out)
	}
	return v, nil
}

// columns are those of the table.
var columns = []struct {
	title  string
	format string
	of     func(figures) float64
}{
	{"MiB", "%.1f", func(f figures) float64 { return f.memory }},
	{"s until ready", "%.3f", func(f figures) float64 { return f.ready }},
	{"reload s", "%.3f", func(f figures) float64 { return f.reload }},
	{"CPU s", "%.3f", func(f figures) float64 { return f.reloadProcessor }},
	{"peak MiB", "%.1f", func(f figures) float64 { return f.reloadPeak }},
	{"blocked/s", "%.0f", func(f figures) float64 { return f.blockedRate }},
	{"passing/s", "%.0f", func(f figures) float64 { return f.passingRate }},
	{"µs blocked", "%.1f", func(f figures) float64 { return f.blockedCost }},
	{"µs passing", "%.1f", func(f figures) float64 { return f.passingCost }},
}

// printFigures prints the medians of each server.
func (b *bench) printFigures(out io.Writer, all [][]figures) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "entries\t")
	for _, c := range columns {
		fmt.Fprintf(table, "%s\t", c.title)
	}
	fmt.Fprint(table, "of 1,000\tserver\t\n")
	for i, p := range b.peers {
		_, entries := p.list(b.first)
		fmt.Fprintf(table, "%d\t", entries)
		for _, c := range columns {
			fmt.Fprintf(table, c.format+"\t", median(all[i], c.of))
		}
		fmt.Fprintf(table, "%d\t%s\t\n", sum(all[i][0].hits), p.name)
	}
	table.Flush()
}

// printDrawn prints how many lookalikes of each kind are blocked.
func (b *bench) printDrawn(out io.Writer, all [][]figures) {
	fmt.Fprint(out, "\nLookalikes drawn, three out of ten with a host in front, and how many of them each server blocks.\n"+
		"raised: lookalike raises an alert, whether it blocks or not.\n\n")
	share, raised := make(map[string]int), make(map[string]int)
	var order []string
	for _, d := range b.drawn {
		if share[d.kind] == 0 {
			order = append(order, d.kind)
		}
		share[d.kind]++
		if b.raised[d.name] {
			raised[d.kind]++
		}
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "drawn\traised\t")
	for _, p := range b.peers {
		fmt.Fprintf(table, "%s\t", p.name)
	}
	fmt.Fprint(table, "kind\t\n")
	row := func(kind string, of func(map[string]int) int) {
		fmt.Fprintf(table, "%d\t%d\t", of(share), of(raised))
		for i := range b.peers {
			fmt.Fprintf(table, "%d\t", of(all[i][0].hits))
		}
		fmt.Fprintf(table, "%s\t\n", kind)
	}
	for _, kind := range order {
		row(kind, func(counts map[string]int) int { return counts[kind] })
	}
	row("all", sum)
	table.Flush()
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// aims are what ours should reach beside a peer.
var aims = []struct {
	what string
	peer string
	most float64
	of   func(figures) float64
}{
	{"processor time of a blocked query", "BIND", 1, func(f figures) float64 { return f.blockedCost }},
	{"processor time of a blocked query", "Unbound", 2, func(f figures) float64 { return f.blockedCost }},
	{"memory", "BIND", 0.25, func(f figures) float64 { return f.memory }},
	{"time until ready", "BIND", 0.1, func(f figures) float64 { return f.ready }},
}

// printAims prints the ratios of ours to peers', and what they should be at the most.
func (b *bench) printAims(out io.Writer, all [][]figures) {
	fmt.Fprint(out, "\nMedians and ranges of the rounds' ratios, lookalike to a peer:\n\n")
	at := func(name string) []figures {
		return all[slices.IndexFunc(b.peers, func(p peer) bool { return p.name == name })]
	}
	for _, a := range aims {
		var ratios []float64
		for i, f := range at(ours) {
			ratios = append(ratios, a.of(f)/a.of(at(a.peer)[i]))
		}
		met := "met"
		if perf.Quantile(ratios, 0.5) > a.most {
			met = "missed"
		}
		fmt.Fprintf(out, "%-34s %-8s %.2f (%.2f-%.2f), aim %.2f: %s\n", a.what, a.peer, perf.Quantile(ratios, 0.5), slices.Min(ratios), slices.Max(ratios), a.most, met)
	}
}

// median is that of a figure in the rounds.
func median(rounds []figures, of func(figures) float64) float64 {
	values := make([]float64, len(rounds))
	for i, f := range rounds {
		values[i] = of(f)
	}
	return perf.Quantile(values, 0.5)
}
