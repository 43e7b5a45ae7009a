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

// Run is a run of dnsperf.
type Run struct {
	Server     netip.AddrPort
	Queries    string        // a file: a name and a type on each line
	Duration   time.Duration // in whole seconds, at least one
	Rate       int           // at most so many queries a second; 0: as many as are answered
	Processors string        // that dnsperf runs on, in the form of taskset: "0-3"
}

// Result is what dnsperf says of a run.
type Result struct {
	Queries float64 // that were answered, which are all
	Rate    float64 // of them a second
}

var (
	completed = regexp.MustCompile(`Queries completed:\s+(\d+) \((\d+\.\d+)%\)`)
	perSecond = regexp.MustCompile(`Queries per second:\s+([\d.]+)`)
)

// Do runs dnsperf. A query without an answer is an error.
func (r Run) Do(ctx context.Context) (Result, error) {
	seconds := max(1, int(r.Duration.Seconds()))
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+time.Minute)
	defer cancel()
	args := []string{
		"-c", r.Processors, "dnsperf",
		"-s", r.Server.Addr().String(), "-p", strconv.Itoa(int(r.Server.Port())), "-d", r.Queries,
		"-l", strconv.Itoa(seconds), "-c", strconv.Itoa(Clients), "-T", "1", "-q", strconv.Itoa(Outstanding),
	}
	if r.Rate > 0 {
		args = append(args, "-Q", strconv.Itoa(r.Rate))
	}
	out, err := exec.CommandContext(ctx, "taskset", args...).CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("dnsperf: %w\n%s", err, out)
	}
	return parse(string(out))
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
	r.Rate, err = strconv.ParseFloat(speed[1], 64)
	return r, err
}
