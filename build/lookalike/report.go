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

const reportHelp = `Make the page of audit from the alerts of a month: who asked for which
lookalikes, what was blocked, and how that compares with the month before.

Usage: lookalike report [FLAGS] ALERTS...

ALERTS are files of alerts in the ecs format, rotated and compressed ones too,
or - for standard input. Give those of all resolvers, and of the month before:
an alert that stands in two files counts once.

Flags:
  -month YEAR-MONTH    the month, such as 2026-11 (default: this one)
  -tz ZONE             the zone of days and times: Europe/Berlin, UTC, ...
                       (default: this machine's)
  -format text|json|csv|html
                       text (default) is for a terminal, html is a page for
                       people that needs no other file, json has all that is on
                       the page, csv has a row for each alert
  -o FILE              write to FILE, which only its owner can read, and which
                       is there whole or not at all
  -addresses pseudonym|full|none
                       pseudonym (default) puts a keyed hash for what stands
                       before the @ in addresses, with a key that is thrown away
  -help                print this help

Messages are estimated from queries: a mail server asks 1 to 9 times for one, so
the number lies between a ninth of its queries and all of them. Only hosts that
asked for MX records count, and not those that checked mail which came in.

Exit status:
  0  nothing was reported in the month
  1  something was
  2  wrong usage, or a file that cannot be read to its end; the page is written
     all the same
  130  interrupted; nothing is written

Examples:
  lookalike report -month 2026-11 -format html -o november.html alerts.json*
      a page for who decides, from this resolver's alerts
  zcat ns1.json.gz ns2.json.gz | lookalike report -
      the present month in brief
`

var reportCommand = command{
	name:    "report",
	summary: "make the page of a month from alerts",
	help:    reportHelp,
	flags: func(fs *flag.FlagSet) action {
		o := new(reportOptions)
		o.define(fs)
		fs.StringVar(&o.month, "month", "", "")
		return o.run
	},
}

// reportOptions is the command line of report.
type reportOptions struct {
	pageOptions
	month string
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process
	defer stop()
	status := exitNothing
	err = o.write(e, func(w io.Writer) error {
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
