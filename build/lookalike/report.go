package main

import (
	"context"
	"flag"
	"io"
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
	return o.write(e, files, func(ctx context.Context, w io.Writer) (*outcome, error) {
		return o.digest(ctx, e, files, do, w)
	})
}

// digest reads the alerts, and writes what they tell.
func (o *reportOptions) digest(ctx context.Context, e *env, files []string, do *digest.Options, w io.Writer) (*outcome, error) {
	var rows *report.CSV
	if o.format == "csv" {
		rows = report.NewCSV(w, digest.Columns)
		do.Alert = func(r *alertlog.Record) error { return rows.Write(digest.Row(r)) }
	}
	p, damaged, err := digest.Run(ctx, files, e.stdin, do)
	if err != nil {
		return nil, err
	}
	made := &outcome{p, len(p.Names) > 0 || p.Total.Queries > 0, damaged, "report reads alerts in the ecs format"}
	if rows != nil {
		return made, rows.Flush()
	}
	return made, p.Write(w, o.format)
}
