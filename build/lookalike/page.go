package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/interrupt"
	"github.com/lookalike-dns/lookalike/build/internal/outfile"
	"github.com/lookalike-dns/lookalike/build/internal/report"
)

// pageOptions are the flags of the commands that make a page.
type pageOptions struct {
	format, out, addresses string
	unknown                float64 // percent

	zone *time.Location
}

// pageFormats are those of a page.
var pageFormats = []string{"text", "json", "csv", "html"}

// define defines the flags -format, -o, -addresses, -unknown and -tz.
func (o *pageOptions) define(fs *flag.FlagSet) {
	o.zone = time.Local
	fs.StringVar(&o.format, "format", "text", "")
	fs.StringVar(&o.out, "o", "", "")
	fs.StringVar(&o.addresses, "addresses", report.Pseudonym, "")
	fs.Float64Var(&o.unknown, "unknown", 5, "")
	fs.Func("tz", "", func(s string) (err error) {
		if o.zone, err = time.LoadLocation(s); err != nil {
			err = errors.New("want a zone such as Europe/Berlin or UTC")
		}
		return err
	})
}

// check checks the flags, and returns what hides addresses.
func (o *pageOptions) check() (*report.Hider, error) {
	if !slices.Contains(pageFormats, o.format) {
		return nil, misused("unknown format %q: want text, json, csv or html", o.format)
	}
	if !(o.unknown >= 0 && o.unknown <= 100) {
		return nil, misused("-unknown %v: want a number from 0 to 100", o.unknown)
	}
	hide, err := report.NewHider(o.addresses)
	if err != nil {
		err = misuse{err}
	}
	return hide, err
}

// outcome is what the exit status of a command depends on that made a page.
type outcome struct {
	page    *report.Page
	found   bool
	damaged []error // why files were not read to their ends
	cure    string  // where too many lines were not understood
}

// write has make write a page to the file of -o, which must not be one of those
// that are read, or else to standard output. It returns the exit status.
func (o *pageOptions) write(e *env, read []string, make func(context.Context, io.Writer) (*outcome, error)) (int, error) {
	ctx, stop := interrupt.Context()
	defer stop()
	var made *outcome
	write := func(w io.Writer) (err error) {
		made, err = interrupt.Within(ctx, func() (*outcome, error) { return make(ctx, w) })
		return err
	}
	var err error
	if o.out == "" {
		err = write(e.stdout)
	} else if err = outfile.Apart(o.out, read); err != nil {
		err = misuse{err}
	} else {
		err = outfile.Write(o.out, outfile.Private, write)
	}
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(e.stderr, "lookalike: interrupted, nothing was written")
		return exitInterrupted, nil
	case errors.Is(err, syscall.EPIPE): // the reader has seen enough
	case err != nil:
		return 0, err
	}
	return o.status(e, made), nil
}

// status says what is wrong with what was read, and returns the exit status.
// Without an outcome the reader of the page went before its end.
func (o *pageOptions) status(e *env, made *outcome) int {
	if made == nil {
		return exitNothing
	}
	status := exitNothing
	if made.found {
		status = exitFound
	}
	for _, err := range made.damaged {
		fmt.Fprintf(e.stderr, "lookalike: %s\n", display(err.Error()))
		status = exitError
	}
	if share := 100 * made.page.Read.UnknownShare(); share > o.unknown {
		fmt.Fprintf(e.stderr, "lookalike: %.1f %% of the lines were not understood, more than %g %%: the text form shows the first of them; %s, -unknown allows more\n", share, o.unknown, made.cure)
		status = exitError
	}
	return status
}
