package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/lookalike-dns/lookalike/build/internal/input"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

const checkHelp = `Say whether names resemble protected ones, how, how sure that is, and what the
resolver would do.

Usage: lookalike check [-conf COREFILE] [-format text|json] [NAME...]

Names come from the arguments or, without any, from standard input: one a line,
of any case, with or without a trailing dot, Unicode (as mail programs read it,
with IDNA) or A-labels (xn--...). Of a mail address, the domain is checked.
Blank lines and comments (a # at the start of a line or after a blank) are
skipped. After a second, a line on standard error shows the progress, if
standard error is a terminal and standard output is not.

Flags:
  -conf COREFILE       take protected and allowed names, lookalike TLDs and
                       actions from the lookalike directives of this Corefile.
                       As in the server, the block with the longest zone that
                       the name lies in decides, at each address that the server
                       listens on; of several directives the first that has
                       something to do about the name. Views are not looked at:
                       the answer is for those in the view.
                       Nothing is asked of the DNS: a server with verify or
                       inspect may also block names that resemble nothing here,
                       which a note at the end of the text says.
                       Without the flag: Corefile in this directory or, where
                       there is none, the built-in list of .mil names, TLD ml,
                       and the default actions (high nxdomain, others monitor).
  -client ADDRESS      say what this client gets: a directive with clients is
                       for those alone. Without the flag: one in scope.
  -format text|json    text (default) is for people. json is one object a line,
                       in the order of the input:
                         name          as it was given
                         class         how it resembles: tld-swap, typo, ...
                         confidence    high, medium or low
                         protected     the names that it resembles, best first
                         did_you_mean  the full names that were probably meant
                         unicode       the name in Unicode, where that differs
                         action        what the resolver does: nxdomain,
                                       monitor, ..., or allow where an allow
                                       line lets the name through; empty where
                                       the server block that answers for the
                                       name has no lookalike directive
                         reason        one sentence that says why
                         directive     file and line of the directive that
                                       decides; empty without a Corefile
                         exception     the one that lets the name through, or
                                       has ended, as 'allow list' has it; left
                                       out where there is none
                       For a name that resembles nothing all but name is empty.
  -help                print this help

Exit status:
  0  no name resembles a protected one, or all that do are allowed
  1  at least one does
  2  wrong usage, an unreadable Corefile or list, input in UTF-16, a line that
     is no domain name or has something besides it (it is reported with its
     number, the other lines are still checked), or output that cannot be
     written
  130  interrupted; what was found so far is written

Examples:
  lookalike check army.ml
      why army.ml resembles army.mil, and what is done about it
  lookalike check -conf /etc/coredns/Corefile mail.amry.ml us-af.ml
      what your own resolver would do
  lookalike check -format json <names.txt | jq -r 'select(.class!="").name'
      the lookalikes in a file
  lookalike check -conf Corefile <partners.txt >hits.txt || less hits.txt
      whether blocking would hit a partner, who then belongs on the allow list
`

var checkCommand = command{
	name:    "check",
	summary: "say whether names resemble protected ones, and why",
	help:    checkHelp,
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
		c.render = newJSONWriter(c.out)
	} else {
		c.render = &textWriter{
			w: c.out, explain: j.Explain, protectedAt: j.ProtectedAt, more: j.More(),
			paint: wantColor(e.stdout), full: len(names) > 0,
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
	write(given, name string, f *judge.Finding) error
	end() error
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
	return c.render.write(given, name, f)
}

// inputError is the error of a text that is no domain name. Others are about
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
	// A second signal ends the process at once, even where output blocks.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	in := input.NewLines(ctx, c.stdin)
	defer in.Close()
	p := newProgress(c.env)
	for in.Next() {
		if in.N%1024 == 0 {
			p.show(c.checked, c.found, in.Read)
		}
		var err error
		switch given := string(in.Content()); {
		case in.Long:
			err = &inputError{given, fmt.Errorf("line longer than %d bytes", input.MaxLine)}
		case given != "":
			err = c.check(given)
		}
		if err != nil {
			p.clear()
			err = c.report(err, "line "+strconv.Itoa(in.N)+": ")
		}
		if err == nil && in.Paused() {
			err = c.out.Flush()
		}
		if err != nil {
			p.clear()
			return c.finish(err)
		}
	}
	p.clear()
	return c.finish(in.Err)
}

// finish writes what is left and returns the exit status; err is why the
// checking ended early, if it did.
func (c *checker) finish(err error) (int, error) {
	if c.broken > maxReported {
		fmt.Fprintf(c.stderr, "lookalike: %d lines were no domain names, the first %d are shown\n", c.broken, maxReported)
	}
	if ended := c.render.end(); err == nil {
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
