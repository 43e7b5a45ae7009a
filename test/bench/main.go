// Command bench has dnsperf ask the same binary with and without the lookalike
// directive, in turn, and prints what the directive costs. It needs dnsperf, and
// Linux for the server's processor time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
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
	binary := flag.String("coredns", "build/bin/coredns", "the server to measure")
	rounds := flag.Int("rounds", 8, "rounds for each kind of traffic; each asks both servers")
	duration := flag.Duration("duration", 3*time.Second, "how long each server is asked in a round")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, *binary, *rounds, *duration); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, rounds int, duration time.Duration) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	upstream, stop, err := harness.ServeUpstream()
	if err != nil {
		return err
	}
	defer stop()

	var servers [2]*harness.Server
	for i, directive := range []string{"lookalike", ""} {
		at := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(at, 0o700); err != nil {
			return err
		}
		servers[i], err = harness.Launch(binary, at, harness.Config{
			Corefile: fmt.Sprintf(corefile, directive),
			Upstream: upstream.Addr,
		})
		if err != nil {
			return err
		}
		defer servers[i].Stop()
	}

	fmt.Printf("dnsperf, %d clients with %d queries on their way: %d rounds of %s, medians and the range of the rounds' ratios\n\n",
		clients, outstanding, rounds, duration)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "queries/s with\twithout\tratio\trange\tCPU µs/query with\twithout\tratio\trange\ttraffic\t")
	for _, w := range workloads {
		data := filepath.Join(dir, "queries")
		if err := os.WriteFile(data, []byte(w.queries), 0o600); err != nil {
			return err
		}
		rates, costs, err := compare(ctx, servers, data, rounds, duration)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t\n", rates.row("%.0f"), costs.row("%.2f"), w.name)
	}
	return table.Flush()
}

// series are the figures of the two servers, round by round.
type series [2][]float64

// row gives the medians, their ratio and the range of the ratios of the rounds.
func (s series) row(format string) string {
	ratios := make([]float64, len(s[0]))
	for i := range ratios {
		ratios[i] = s[0][i] / s[1][i]
	}
	return fmt.Sprintf(format+"\t"+format+"\t%.3f\t%.3f-%.3f",
		median(s[0]), median(s[1]), median(ratios), slices.Min(ratios), slices.Max(ratios))
}

// compare asks both servers in every round, each first in every other one.
func compare(ctx context.Context, servers [2]*harness.Server, data string, rounds int, duration time.Duration) (rates, costs series, err error) {
	for _, s := range servers { // fill the caches
		if _, _, err := measure(ctx, s, data, time.Second); err != nil {
			return rates, costs, err
		}
	}
	for round := range rounds {
		for i := range servers {
			which := (i + round) % len(servers)
			rate, cost, err := measure(ctx, servers[which], data, duration)
			if err != nil {
				return rates, costs, err
			}
			rates[which] = append(rates[which], rate)
			costs[which] = append(costs[which], cost)
		}
	}
	return rates, costs, nil
}

const (
	clients     = 4
	outstanding = 64
)

var (
	completed = regexp.MustCompile(`Queries completed:\s+(\d+) \((\d+\.\d+)%\)`)
	perSecond = regexp.MustCompile(`Queries per second:\s+([\d.]+)`)
)

// measure runs dnsperf and returns the queries per second, and the server's
// processor time for each in µs.
func measure(ctx context.Context, s *harness.Server, data string, duration time.Duration) (rate, cost float64, err error) {
	before, err := s.CPU()
	if err != nil {
		return 0, 0, err
	}
	seconds := strconv.Itoa(max(1, int(duration.Seconds())))
	cmd := exec.CommandContext(ctx, "dnsperf", "-s", "127.0.0.1", "-p", strconv.Itoa(int(s.Addr("DNS").Port())),
		"-d", data, "-l", seconds, "-c", strconv.Itoa(clients), "-T", "1", "-q", strconv.Itoa(outstanding))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("dnsperf: %w\n%s", err, out)
	}
	after, err := s.CPU()
	if err != nil {
		return 0, 0, err
	}
	done, speed := completed.FindSubmatch(out), perSecond.FindSubmatch(out)
	if done == nil || speed == nil {
		return 0, 0, fmt.Errorf("dnsperf says nothing of its queries:\n%s", out)
	}
	queries, err := strconv.ParseFloat(string(done[1]), 64)
	if err != nil {
		return 0, 0, err
	}
	if strings.TrimSpace(string(done[2])) != "100.00" {
		return 0, 0, fmt.Errorf("only %s %% of the queries were answered:\n%s", done[2], out)
	}
	rate, err = strconv.ParseFloat(string(speed[1]), 64)
	return rate, float64((after - before).Microseconds()) / queries, err
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}
