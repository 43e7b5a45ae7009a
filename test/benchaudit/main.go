// Command benchaudit writes large logs and measures "lookalike audit" on them
// beside the programs that people read such logs with. All read the same file,
// which the kernel has in memory, in turn; the shortest of the rounds counts,
// because whatever else the machine does only makes them longer. It needs grep
// and pflogsumm, and Linux for the memory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/lookalike-dns/lookalike/test/maillog"
	"github.com/lookalike-dns/lookalike/test/querylog"
)

// log is a log to measure with.
type log struct {
	name   string
	write  func(w io.Writer, size int64) error
	rivals []rival
}

// rival is a program that reads the log, too.
type rival struct {
	name   string
	args   []string // the log follows
	rounds int      // at most
	aim    string
}

// logs are the logs that are written.
var logs = []log{{
	name: "Postfix",
	write: func(w io.Writer, size int64) error {
		_, err := maillog.Postfix(w, size, 1, time.Now())
		return err
	},
	rivals: []rival{
		{"grep", []string{"grep", "-c", "status="}, 5, "at most 4 times its time"},
		{"pflogsumm", []string{"pflogsumm"}, 1, "at most a twentieth of its time"},
	},
}, {
	name: "BIND",
	write: func(w io.Writer, size int64) error {
		_, err := querylog.BIND(w, size, 1, time.Now())
		return err
	},
	rivals: []rival{{"grep", []string{"grep", "-c", "query:"}, 5, "at most 4 times its time"}},
}}

func main() {
	var b bench
	flag.StringVar(&b.tool, "tool", "build/bin/lookalike", "the command to measure")
	flag.Int64Var(&b.size, "size", 1024, "size of each log in MiB")
	flag.IntVar(&b.rounds, "rounds", 5, "how often each program reads it")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "benchaudit:", err)
		os.Exit(1)
	}
}

type bench struct {
	tool   string
	size   int64 // MiB
	rounds int
}

// usage is what a program took.
type usage struct {
	elapsed, processor time.Duration
	memory             int64 // bytes, at most at once
}

func (b *bench) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "benchaudit")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, l := range logs {
		if err := b.measure(ctx, l, filepath.Join(dir, "log")); err != nil {
			return err
		}
	}
	return nil
}

// measure writes a log, lets all programs read it, and prints how they compare.
func (b *bench) measure(ctx context.Context, l log, path string) error {
	if err := b.write(l, path); err != nil {
		return err
	}
	defer os.Remove(path)
	if err := read(path); err != nil {
		return err
	}
	ours, err := b.best(ctx, []string{b.tool, "audit", "-format", "json"}, path, b.rounds)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %d MiB\tseconds\tprocessor seconds\tMB of memory\n", l.name, b.size)
	row(w, "lookalike audit", ours, "")
	for _, r := range l.rivals {
		theirs, err := b.best(ctx, r.args, path, min(b.rounds, r.rounds))
		if err != nil {
			return err
		}
		row(w, r.name, theirs, fmt.Sprintf("audit takes %.2f of its time; aim: %s", ours.elapsed.Seconds()/theirs.elapsed.Seconds(), r.aim))
	}
	return w.Flush()
}

func row(w io.Writer, name string, u usage, note string) {
	fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.0f\t%s\n", name, u.elapsed.Seconds(), u.processor.Seconds(), float64(u.memory)/1e6, note)
}

func (b *bench) write(l log, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(l.write(f, b.size<<20), f.Close())
}

// read brings a file into the kernel's memory.
func read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

// best returns the shortest of several runs of a program, and the most memory.
func (b *bench) best(ctx context.Context, args []string, path string, rounds int) (best usage, err error) {
	for round := range rounds {
		u, err := once(ctx, append(slices.Clip(args), path))
		if err != nil {
			return best, err
		}
		memory := max(u.memory, best.memory)
		if round == 0 || u.elapsed < best.elapsed {
			best = u
		}
		best.memory = memory
	}
	return best, nil
}

func once(ctx context.Context, args []string) (u usage, err error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	// Through a pipe: grep reads no further than the first match when it writes
	// to /dev/null.
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	began := time.Now()
	err = cmd.Run()
	u.elapsed = time.Since(began)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 {
		err = nil // audit has found something
	}
	if err != nil {
		return u, fmt.Errorf("%v: %w", args, err)
	}
	u.processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.memory = r.Maxrss << 10 // Linux counts KiB
	}
	return u, nil
}
