// Package perf has what the programs that measure servers share: runs of dnsperf, and
// quantiles of what they find.
package perf

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// Of every run: dnsperf's clients, each with a port of its own, and how many queries
// wait for their answers at a time.
const (
	Clients     = 4
	Outstanding = 64
)

// Run is a run of dnsperf: so many passes through the queries, or so many seconds of
// them.
type Run struct {
	Server     netip.AddrPort
	Queries    string // a file: a name and a type on each line
	Passes     int
	Seconds    int
	Rate       int    // at most so many queries a second; 0: as many as are answered
	Processors string // that dnsperf may use, in the form of taskset: "0-3"
	Each       bool   // whether the latency of each query is wanted
}

// Result is what dnsperf says of a run.
type Result struct {
	Queries   float64         // that were answered, which are all
	Rate      float64         // of them a second
	Latencies []time.Duration // of each, where they are wanted
}

var (
	completed = regexp.MustCompile(`Queries completed:\s+(\d+) \((\d+\.\d+)%\)`)
	perSecond = regexp.MustCompile(`Queries per second:\s+([\d.]+)`)
	latency   = regexp.MustCompile(`(?m)^> \S+ \S+ \S+ (\d+\.\d+)$`)
)

// Do runs dnsperf. A query without an answer is an error.
func (r Run) Do(ctx context.Context) (Result, error) {
	const patience = 2 * time.Minute // beyond the seconds
	ctx, cancel := context.WithTimeout(ctx, time.Duration(r.Seconds)*time.Second+patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "taskset", r.args()...).CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("dnsperf: %w\n%s", err, out)
	}
	return parse(string(out))
}

func (r Run) args() []string {
	args := []string{
		"-c", r.Processors, "dnsperf",
		"-s", r.Server.Addr().String(), "-p", strconv.Itoa(int(r.Server.Port())), "-d", r.Queries,
		"-c", strconv.Itoa(Clients), "-T", "1", "-q", strconv.Itoa(Outstanding),
	}
	for _, limit := range []struct {
		option string
		value  int
	}{{"-n", r.Passes}, {"-l", r.Seconds}, {"-Q", r.Rate}} {
		if limit.value > 0 {
			args = append(args, limit.option, strconv.Itoa(limit.value))
		}
	}
	if r.Each {
		args = append(args, "-v")
	}
	return args
}

func parse(out string) (r Result, err error) {
	done, speed := completed.FindStringSubmatch(out), perSecond.FindStringSubmatch(out)
	if done == nil || speed == nil {
		return r, fmt.Errorf("dnsperf says nothing of its queries:\n%s", out)
	}
	if done[2] != "100.00" {
		return r, fmt.Errorf("only %s %% of the queries were answered:\n%s", done[2], out)
	}
	if r.Queries, err = strconv.ParseFloat(done[1], 64); err != nil {
		return r, err
	}
	if r.Rate, err = strconv.ParseFloat(speed[1], 64); err != nil {
		return r, err
	}
	for _, m := range latency.FindAllStringSubmatch(out, -1) {
		d, err := time.ParseDuration(m[1] + "s")
		if err != nil {
			return r, err
		}
		r.Latencies = append(r.Latencies, d)
	}
	return r, nil
}
