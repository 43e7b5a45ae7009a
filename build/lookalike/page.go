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

	"github.com/lookalike-dns/lookalike/build/internal/outfile"
	"github.com/lookalike-dns/lookalike/build/internal/report"
)

// pageOptions are the flags of the commands that make a page.
type pageOptions struct {
	format, out, addresses string

	zone *time.Location
}

// pageFormats are those of a page.
var pageFormats = []string{"text", "json", "csv", "html"}

// define defines the flags -format, -o, -addresses and -tz.
func (o *pageOptions) define(fs *flag.FlagSet) {
	o.zone = time.Local
	fs.StringVar(&o.format, "format", "text", "")
	fs.StringVar(&o.out, "o", "", "")
	fs.StringVar(&o.addresses, "addresses", report.Pseudonym, "")
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
	hide, err := report.NewHider(o.addresses)
	if err != nil {
		err = misuse{err}
	}
	return hide, err
}

// write writes to the file of -o, which must not be one of those that are read, or
// else to standard output.
func (o *pageOptions) write(e *env, read []string, write func(io.Writer) error) error {
	if o.out == "" {
		return write(e.stdout)
	}
	if err := outfile.Apart(o.out, read); err != nil {
		return misuse{err}
	}
	return outfile.Write(o.out, write)
}

// finish returns the exit status after what was written.
func (o *pageOptions) finish(e *env, status int, err error) (int, error) {
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(e.stderr, "lookalike: interrupted, nothing was written")
		return exitInterrupted, nil
	case errors.Is(err, syscall.EPIPE): // the reader has seen enough
	case err != nil:
		return 0, err
	}
	return status, nil
}
