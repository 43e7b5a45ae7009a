package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/build/internal/digest"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

var reportCommand = command{
	name:    "report",
	summary: "report on a month of alerts",
	help:    helpText("report"),
	flags: func(fs *flag.FlagSet) action {
		o := new(reportOptions)
		o.define(fs)
		confFlag(fs, &o.conf)
		fs.StringVar(&o.month, "month", "", "")
		return o.run
	},
}

// reportOptions is the command line of report.
type reportOptions struct {
	pageOptions
	conf, month string
}

func (o *reportOptions) run(e *env, files []string) (int, error) {
	if len(files) == 0 {
		return 0, misused("want at least one file of ALERTS, or - for standard input")
	}
	hide, err := o.check()
	if err != nil {
		return 0, err
	}
	do := &digest.Options{Now: time.Now(), Hide: hide, Version: lookalike.Version}
	do.Month = do.Now.In(o.zone)
	if o.month != "" {
		if do.Month, err = time.ParseInLocation("2006-01", o.month, o.zone); err != nil {
			return 0, misused("-month: %q is no month: want one such as 2026-11", o.month)
		}
	}
	if o.conf != "" {
		file, err := e.load(o.conf)
		if err != nil {
			return 0, err
		}
		do.Policies = file.Policies
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process
	defer stop()
	status := exitNothing
	err = o.write(e, files, func(w io.Writer) error {
		status, err = o.digest(ctx, e, files, do, w)
		return err
	})
	return o.finish(e, status, err)
}

// digest reads the alerts, writes what they tell, and returns the exit status.
func (o *reportOptions) digest(ctx context.Context, e *env, files []string, do *digest.Options, w io.Writer) (int, error) {
	var rows *report.CSV
	if o.format == "csv" {
		rows = report.NewCSV(w, digest.Columns)
		do.Alert = func(r *alertlog.Record) error { return rows.Write(digest.Row(r)) }
	}
	p, damaged, err := digest.Run(ctx, files, e.stdin, do)
	if err != nil {
		return 0, err
	}
	status := exitNothing
	if len(p.Names) > 0 || p.Total.Queries > 0 {
		status = exitFound
	}
	for _, err := range damaged {
		fmt.Fprintf(e.stderr, "lookalike: %s\n", display(err.Error()))
		status = exitError
	}
	if rows != nil {
		return status, rows.Flush()
	}
	return status, p.Write(w, o.format)
}
