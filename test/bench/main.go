// Command bench has dnsperf ask two servers and prints how they compare: the
// same binary with and without the lookalike directive, the same twice (the null
// test: what lies within its quartiles is noise) and, with -against, this binary
// and another, both with the directive. They are asked in turn, as fast as they
// answer, for the queries per second; and both in the same seconds, at one rate
// and on one processor that dnsperf keeps off, for the processor time per query,
// so that whatever else the machine does weighs on both alike. It needs dnsperf,
// and Linux for the processor time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/perf"
)

// corefile is a server as in corefile/enforce, with room for the directive.
const corefile = `.:{$DNS} {
	bind 127.0.0.1
	errors
	prometheus 127.0.0.1:{$METRICS}
	%s
	cache
	loop
	forward . {$UPSTREAM}
}
`

// workloads are what is asked. Without the directive every answer comes from
// the cache, which is the fastest thing that CoreDNS does.
var workloads = []struct {
	name    string
	queries string // in dnsperf's form
}{
	{"passing: outside the lookalike TLDs", "example.org MX\nexample.org A\narmy.mil MX\narmy.mil A\nmx.army.mil A\n"},
	{"passing: below .ml, resembling nothing", "example.ml MX\nexample.ml A\nmx.example.ml A\ngouv.ml MX\n"},
	{"blocked, against the same names from the cache", "army.ml MX\narmy.ml A\nmx.army.ml A\nnavy.ml MX\n"},
}

func main() {
	b := bench{}
	flag.StringVar(&b.binary, "coredns", "build/bin/coredns", "the server to measure")
	flag.StringVar(&b.against, "against", "", "another build of the server, to compare with")
	flag.IntVar(&b.rounds, "rounds", 20, "rounds for each kind of traffic; each asks both servers")
	flag.DurationVar(&b.duration, "duration", time.Second, "how long each server is asked in a round, in whole seconds")
	flag.IntVar(&b.rate, "rate", 10000, "queries a second to each server while both are asked")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is which server is asked, how long and how hard.
type bench struct {
	binary   string
	against  string // empty: nothing
	dir      string // for files
	upstream netip.AddrPort
	rounds   int
	duration time.Duration
	rate     int
}

func (b *bench) run(ctx context.Context) (err error) {
	for _, path := range []*string{&b.binary, &b.against} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	upstream, stop, err := harness.ServeUpstream()
	if err != nil {
		return err
	}
	defer stop()
	b.upstream = upstream.Addr

	fmt.Printf("dnsperf, %d clients with %d queries on their way, %d rounds of %s: medians, and the median and quartiles of the rounds' ratios.\n"+
		"Queries/s in turn and as fast as possible; processor time at %d queries/s with both servers asked at once, on one processor.\n",
		perf.Clients, perf.Outstanding, b.rounds, b.duration, b.rate)
	for _, c := range b.comparisons() {
		if err := b.print(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// comparison is two servers that are compared.
type comparison struct {
	title       string
	left, right string // of the table
	sides       [2]side
}

// side is a server: what runs, and its lookalike directive.
type side struct{ binary, directive string }

func (b *bench) comparisons() []comparison {
	with, without := side{b.binary, "lookalike"}, side{b.binary, ""}
	all := []comparison{
		{"the directive against none", "with", "without", [2]side{with, without}},
		{"null test: no directive, twice", "one", "other", [2]side{without, without}},
	}
	if b.against != "" {
		old := side{b.against, "lookalike"}
		all = append(all,
			comparison{"this build against " + b.against + ", both with the directive", "this", "that", [2]side{with, old}},
			comparison{"null test: this build with the directive, twice", "one", "other", [2]side{with, with}})
	}
	return all
}

// print measures a comparison with each kind of traffic, and prints its table.
func (b *bench) print(ctx context.Context, c comparison) error {
	fmt.Printf("\n%s\n", c.title)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "queries/s %s\t%s\tratio\tquartiles\tCPU µs/query %s\t%s\tratio\tquartiles\ttraffic\t\n", c.left, c.right, c.left, c.right)
	for _, w := range workloads {
		data := filepath.Join(b.dir, "queries")
		if err := os.WriteFile(data, []byte(w.queries), 0o600); err != nil {
			return err
		}
		rates, costs, err := b.compare(ctx, c.sides, data)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t\n", rates.row("%.0f"), costs.row("%.2f"), w.name)
	}
	return table.Flush()
}

// series are the figures of the two servers, round by round.
type series [2][]float64

// row gives the medians, and the median and the quartiles of the ratios of the
// rounds.
func (s series) row(format string) string {
	ratios := make([]float64, len(s[0]))
	for i := range ratios {
		ratios[i] = s[0][i] / s[1][i]
	}
	return fmt.Sprintf(format+"\t"+format+"\t%.3f\t%.3f-%.3f", perf.Quantile(s[0], 0.5), perf.Quantile(s[1], 0.5),
		perf.Quantile(ratios, 0.5), perf.Quantile(ratios, 0.25), perf.Quantile(ratios, 0.75))
}

// pair is the two servers of a comparison.
type pair [2]*harness.Server

// launch starts a pair, which is asked until its caches are filled: the first
// side first, or last.
func (b *bench) launch(ctx context.Context, sides [2]side, data string, last bool, env ...string) (p pair, err error) {
	order := []int{0, 1}
	if last {
		slices.Reverse(order)
	}
	for _, i := range order {
		if p[i], err = b.start(sides[i], env); err == nil {
			_, err = ask(ctx, p[i], data, time.Second, 0, perf.AllProcessors())
		}
		if err != nil {
			p.stop()
			return p, err
		}
	}
	return p, nil
}

func (b *bench) start(s side, env []string) (*harness.Server, error) {
	dir, err := os.MkdirTemp(b.dir, "server")
	if err != nil {
		return nil, err
	}
	return harness.Launch(s.binary, dir, harness.Config{
		Corefile: fmt.Sprintf(corefile, s.directive),
		Upstream: b.upstream,
		Env:      env,
	})
}

func (p pair) stop() {
	for _, s := range p {
		if s != nil {
			s.Stop()
		}
	}
}

// pin keeps the pair on the first processor.
func (p pair) pin() error { return errors.Join(p[0].Pin("0"), p[1].Pin("0")) }

// compare asks two servers each alone in every round, in turn, and two others
// both at once.
func (b *bench) compare(ctx context.Context, sides [2]side, data string) (rates, costs series, err error) {
	fast, err := b.launch(ctx, sides, data, false)
	if err != nil {
		return rates, costs, err
	}
	defer fast.stop()
	for round := range b.rounds {
		for i := range fast {
			which := (i + round) % len(fast)
			result, err := ask(ctx, fast[which], data, b.duration, 0, perf.AllProcessors())
			if err != nil {
				return rates, costs, err
			}
			rates[which] = append(rates[which], result.rate)
		}
		if err := b.askBoth(ctx, sides, data, round%2 == 1, &costs); err != nil {
			return rates, costs, err
		}
	}
	return rates, costs, nil
}

// askBoth asks two servers at once, from the other processors.
func (b *bench) askBoth(ctx context.Context, sides [2]side, data string, last bool, costs *series) error {
	pinned, err := b.launch(ctx, sides, data, last, "GOMAXPROCS=1")
	if err != nil {
		return err
	}
	defer pinned.stop()
	if err := pinned.pin(); err != nil {
		return err
	}
	var errs [len(pinned)]error
	var both sync.WaitGroup
	for i, s := range pinned {
		both.Go(func() {
			var result result
			result, errs[i] = ask(ctx, s, data, 2*b.duration, b.rate, perf.OtherProcessors())
			costs[i] = append(costs[i], result.cost)
		})
	}
	both.Wait()
	return errors.Join(errs[:]...)
}

// result is what dnsperf and the server's processor time say of a run.
type result struct {
	rate float64 // queries/s
	cost float64 // µs of processor time a query
}

// ask runs dnsperf on these processors, at most at rate queries a second; 0 is
// without a limit.
func ask(ctx context.Context, s *harness.Server, data string, duration time.Duration, rate int, processors string) (result, error) {
	before, err := s.CPU()
	if err != nil {
		return result{}, err
	}
	run, err := perf.Run{
		Server: s.Addr("DNS"), Queries: data, Seconds: max(1, int(duration.Seconds())), Rate: rate, Processors: processors,
	}.Do(ctx)
	if err != nil {
		return result{}, err
	}
	after, err := s.CPU()
	return result{run.Rate, float64((after - before).Microseconds()) / run.Queries}, err
}
