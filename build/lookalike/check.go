package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"github.com/lookalike-dns/lookalike/build/internal/input"
	"github.com/lookalike-dns/lookalike/build/internal/interrupt"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/build/internal/render"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

var checkCommand = command{
	name:    "check",
	summary: "check whether names resemble protected ones, and why",
	help:    helpText("check"),
	flags: func(fs *flag.FlagSet) action {
		var o checkOptions
		confFlag(fs, &o.conf)
		fs.Func("client", "", func(s string) (err error) {
			if o.client, err = address.Parse(s); err != nil {
				err = errors.New("want an IP address")
			}
			return err
		})
		formatFlag(fs, &o.json)
		return o.run
	},
}

// checkOptions is the command line of check.
type checkOptions struct {
	conf   string
	client netip.Addr
	json   bool
}

func (o *checkOptions) run(e *env, names []string) (int, error) {
	if len(names) == 1 && names[0] == "-" {
		names = nil
	}
	if _, err := os.Stat(defaultConf); err == nil && o.conf == "" {
		o.conf = defaultConf
	}
	j, err := e.judge(o.conf)
	if err != nil {
		return 0, err
	}
	c := &checker{env: e, judge: j, client: o.client, out: bufio.NewWriterSize(e.stdout, 64<<10)}
	if o.json {
		c.render = render.NewJSON(c.out)
	} else {
		c.render = &render.Text{
			W: c.out, Explain: j.Explain, ProtectedAt: j.ProtectedAt, More: j.More(),
			Paint: wantColor(e.stdout), Full: len(names) > 0,
		}
	}
	if len(names) > 0 {
		return c.arguments(names)
	}
	return c.stream()
}

// renderer writes the finding about one name, beside the text that was given; f
// is nil for a name that resembles nothing.
type renderer interface {
	Write(given, name string, f *judge.Finding) error
	End() error
}

// checker checks names and remembers what the exit status will be.
type checker struct {
	*env
	judge  *judge.Judge
	client netip.Addr
	render renderer
	out    *bufio.Writer

	checked, found, broken int
}

// check checks one name.
func (c *checker) check(given string) error {
	name, err := input.Name(given)
	if err != nil {
		return &inputError{given, err}
	}
	f := c.judge.Decide(name, c.client)
	c.checked++
	if f != nil && !f.Allowed() {
		c.found++
	}
	return c.render.Write(given, name, f)
}

// inputError is the error of a text that is not a domain name. Others are about
// the output.
type inputError struct {
	given string
	err   error
}

func (e *inputError) Error() string {
	const most = 64 // bytes that a message repeats
	return strconv.Quote(text.Shorten(e.given, most)) + ": " + e.err.Error()
}
func (e *inputError) Unwrap() error { return e.err }

// maxReported is how many unreadable lines are reported one by one.
const maxReported = 100

// report handles an error of check: that of a name is reported and counted,
// any other is returned.
func (c *checker) report(err error, where string) error {
	var in *inputError
	if !errors.As(err, &in) {
		return err
	}
	if c.broken++; c.broken <= maxReported {
		fmt.Fprintf(c.stderr, "lookalike: %s%v\n", where, in)
	}
	return nil
}

// arguments checks the names of the command line.
func (c *checker) arguments(names []string) (int, error) {
	for _, name := range names {
		if err := c.report(c.check(name), ""); err != nil {
			return c.finish(err)
		}
	}
	return c.finish(nil)
}

// stream checks the names of standard input. What is found is written when
// the input pauses, so that it can be watched.
func (c *checker) stream() (int, error) {
	if isTerminal(c.stdin) {
		fmt.Fprintln(c.stderr, "lookalike: reading names from the terminal, one a line; Ctrl-D ends")
	}
	ctx, stop := interrupt.Context()
	defer stop()
	in := input.NewLines(ctx, c.stdin)
	defer in.Close()
	p := c.progress()
	for in.Next() {
		if in.N%1024 == 0 {
			p.Show(c.checked, c.found, in.Read)
		}
		var err error
		switch given := string(in.Content()); {
		case in.Long:
			err = &inputError{given, fmt.Errorf("line longer than %d bytes", input.MaxLine)}
		case given != "":
			err = c.check(given)
		}
		if err != nil {
			p.Clear()
			err = c.report(err, "line "+strconv.Itoa(in.N)+": ")
		}
		if err == nil && in.Paused() {
			err = c.out.Flush()
		}
		if err != nil {
			p.Clear()
			return c.finish(err)
		}
	}
	p.Clear()
	return c.finish(in.Err)
}

// finish writes what is left and returns the exit status; err is why the
// checking ended early, if it did.
func (c *checker) finish(err error) (int, error) {
	if c.broken > maxReported {
		fmt.Fprintf(c.stderr, "lookalike: %d lines are not domain names, the first %d are shown\n", c.broken, maxReported)
	}
	if ended := c.render.End(); err == nil {
		err = ended
	}
	if flushed := c.out.Flush(); flushed != nil {
		err = flushed
	}
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(c.stderr, "lookalike: interrupted after %d names\n", c.checked)
		return exitInterrupted, nil
	case errors.Is(err, syscall.EPIPE): // the reader has seen enough
	case err != nil:
		return 0, err
	}
	switch {
	case c.broken > 0:
		return exitError, nil
	case c.found > 0:
		return exitFound, nil
	}
	return exitNothing, nil
}
