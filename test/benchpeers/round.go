package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/perf"
)

// figures are what a round finds of a server. Sizes are MiB, times seconds, and the
// processor times of queries µs.
type figures struct {
	ready, memory                       float64
	blockedRate, passingRate            float64
	blockedCost, passingCost            float64
	reload, reloadProcessor, reloadPeak float64
	hits                                map[string]int // lookalikes blocked, by kind
}

// running is a server in a round.
type running struct {
	*bench
	peer
	figures
	process *harness.Process
	client  dns.Client
	probes  int
}

// round starts a server, measures it and stops it.
func (b *bench) round(ctx context.Context, p peer) (figures, error) {
	dir, err := os.MkdirTemp(b.dir, "server")
	if err != nil {
		return figures{}, err
	}
	defer os.RemoveAll(dir)
	p.server.Dir, p.server.Under = dir, []string{"taskset", "-c", "0"}
	r := &running{bench: b, peer: p, client: dns.Client{Timeout: 2 * time.Second}}
	defer func() {
		if r.process != nil {
			r.process.Stop()
		}
	}()
	for _, step := range []func(context.Context) error{r.start, r.check, r.load, r.count, r.change} {
		if err := step(ctx); err != nil {
			out, _ := os.ReadFile(filepath.Join(dir, "output")) // may not be there
			return figures{}, fmt.Errorf("%s: %w\n%s", r.name, err, out)
		}
	}
	return r.figures, nil
}

// start starts the server and waits until it blocks.
func (r *running) start(ctx context.Context) (err error) {
	if err := r.put(r.first); err != nil {
		return err
	}
	began := time.Now()
	if r.server, r.process, err = r.server.Launch(r.upstream.Addr); err != nil {
		return err
	}
	if err := r.await(ctx, 2*time.Millisecond, r.sample()...); err != nil {
		return err
	}
	r.ready = time.Since(began).Seconds()
	if err := sleep(ctx, time.Second); err != nil {
		return err
	}
	r.memory, err = r.size("VmRSS")
	return err
}

// load has dnsperf ask the server, from whose cache the passing names must come: all but
// one in a hundred, because Knot Resolver has asked again for some on a busy machine.
func (r *running) load(ctx context.Context) (err error) {
	if r.blockedRate, r.blockedCost, err = r.ask(ctx, r.blocked); err != nil {
		return err
	}
	before := r.asked(r.passing)
	if r.passingRate, r.passingCost, err = r.ask(ctx, r.passing); err != nil {
		return err
	}
	if n := r.asked(r.passing) - before; float64(n) > r.passingRate*float64(r.seconds)/100 {
		return fmt.Errorf("%d answers that should come from its cache came from upstream", n)
	}
	return nil
}

// count asks for the lookalikes, and counts by kind those that the server blocks.
func (r *running) count(ctx context.Context) error {
	r.hits = make(map[string]int)
	for _, d := range r.drawn {
		blocked, err := r.blocks(ctx, d.name, dns.TypeMX)
		if err != nil {
			return err
		}
		if blocked {
			r.hits[d.kind]++
		}
	}
	return nil
}

// put writes a list in one step.
func (r *running) put(l list) error {
	text, _ := r.list(l)
	path := filepath.Join(r.server.Dir, "list")
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// sample is names of the list, from all parts of it: BIND blocks some of them before it
// has read the rest.
func (r *running) sample() (names []string) {
	const size = 20
	for i := range size {
		names = append(names, r.first.blocked[i*len(r.first.blocked)/size])
	}
	return names
}

// await waits until names below all of these are blocked, and pauses after one that is
// not.
func (r *running) await(ctx context.Context, pause time.Duration, names ...string) error {
	var last error
	err := r.process.Await(pause, func() bool {
		for len(names) > 0 && ctx.Err() == nil {
			var blocked bool
			if blocked, last = r.blocks(ctx, r.fresh(names[0]), dns.TypeA); last != nil || !blocked {
				return false
			}
			names = names[1:]
		}
		return true
	})
	if err != nil && last != nil {
		err = fmt.Errorf("%w: %w", err, last)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// fresh is a name below another that nobody has asked for.
func (r *running) fresh(above string) string {
	r.probes++
	return fmt.Sprintf("n%d.%s", r.probes, above)
}

// blocks reports whether the server blocks a name that nobody has asked for: with
// NXDOMAIN, and without a query to its upstream. Another answer than that or the
// upstream's is an error.
func (r *running) blocks(ctx context.Context, name string, qtype uint16) (bool, error) {
	before := r.upstream.Count(name, qtype)
	reply, _, err := r.client.ExchangeContext(ctx, harness.Query(name, qtype), r.server.Addr().String())
	if err != nil {
		return false, err
	}
	left := r.upstream.Count(name, qtype) - before
	switch {
	case reply.Rcode == dns.RcodeNameError && left == 0:
		return true, nil
	case reply.Rcode == dns.RcodeSuccess && len(reply.Answer) == 1:
		return false, nil
	}
	return false, fmt.Errorf("%d queries for %s have left, and it answers\n%v", left, name, reply)
}

// check asks for all names of the traffics, which fills the cache. It is an error when
// the server does not block, or pass, what it should.
func (r *running) check(ctx context.Context) error {
	for _, kind := range []struct {
		traffic
		want bool
	}{{r.blocked, true}, {r.passing, false}} {
		for i, name := range kind.names {
			got, err := r.blocks(ctx, name, kind.qtype(i))
			if err != nil {
				return err
			}
			if got != kind.want {
				return fmt.Errorf("it blocks %s: %v, want %v", name, got, kind.want)
			}
		}
	}
	return nil
}

// ask returns how many queries a second the server answers, and the processor time of
// each.
func (r *running) ask(ctx context.Context, t traffic) (rate, cost float64, err error) {
	before, err := harness.CPU(r.process.PID())
	if err != nil {
		return 0, 0, err
	}
	run := perf.Run{Server: r.server.Addr(), Queries: t.file, Seconds: r.seconds, Processors: perf.OtherProcessors()}
	result, err := run.Do(ctx)
	if err != nil {
		return 0, 0, err
	}
	after, err := harness.CPU(r.process.PID())
	return result.Rate, float64((after - before).Nanoseconds()) / 1000 / result.Queries, err
}

// asked is how many queries of a traffic have come to the upstream.
func (r *running) asked(t traffic) (n int) {
	for i, name := range t.names {
		n += r.upstream.Count(name, t.qtype(i))
	}
	return n
}

// change gives the server the second list, and waits until it blocks by it.
func (r *running) change(ctx context.Context) error {
	if blocked, err := r.blocks(ctx, r.fresh(added), dns.TypeA); err != nil {
		return err
	} else if blocked {
		return fmt.Errorf("it blocks names below %s already", added)
	}
	if err := harness.ForgetPeak(r.process.PID()); err != nil {
		return err
	}
	before, err := harness.CPU(r.process.PID())
	if err != nil {
		return err
	}
	began := time.Now()
	if err := r.put(r.second); err != nil {
		return err
	}
	if err := r.tell(ctx); err != nil {
		return err
	}
	if err := r.await(ctx, 10*time.Millisecond, added); err != nil {
		return err
	}
	r.reload = time.Since(began).Seconds()
	if err := sleep(ctx, time.Second); err != nil { // it may have to tidy up
		return err
	}
	after, err := harness.CPU(r.process.PID())
	if err != nil {
		return err
	}
	r.reloadProcessor = (after - before).Seconds()
	r.reloadPeak, err = r.size("VmHWM")
	return err
}

// tell has the server read its list again.
func (r *running) tell(ctx context.Context) error {
	if r.signal != 0 {
		return r.process.Signal(r.signal)
	}
	if r.command == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, harness.Patience)
	defer cancel()
	fill := strings.NewReplacer("{DIR}", r.server.Dir, "{PORT}", strconv.Itoa(int(r.server.Port))).Replace
	args := make([]string, len(r.command))
	for i, arg := range r.command {
		args[i] = fill(arg)
	}
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// size is one of the process in MiB.
func (r *running) size(field string) (float64, error) {
	size, err := harness.Memory(r.process.PID(), field)
	return float64(size) / (1 << 20), err
}

// sleep waits, unless the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
