package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/audit"
	"github.com/lookalike-dns/lookalike/build/internal/dnslog"
	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/logfile"
	"github.com/lookalike-dns/lookalike/build/internal/mailog"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

var auditCommand = command{
	name:    "audit",
	summary: "find lookalikes in past mail and DNS logs",
	help:    fmt.Sprintf(helpText("audit"), formatLines()),
	flags: func(fs *flag.FlagSet) action {
		o := new(auditOptions)
		o.define(fs)
		confFlag(fs, &o.conf)
		fs.StringVar(&o.since, "since", "", "")
		fs.StringVar(&o.until, "until", "", "")
		fs.IntVar(&o.year, "year", 0, "")
		fs.StringVar(&o.log, "log", "", "")
		fs.StringVar(&o.coredns, "coredns-format", "", "")
		return o.run
	},
}

// auditOptions is the command line of audit.
type auditOptions struct {
	pageOptions
	conf, since, until, log, coredns string

	year int
}

// logFormats are the formats of logs, for the help and for reading.
func logFormats() []event.Format { return slices.Concat(mailog.Formats(), dnslog.Formats()) }

func formatLines() string {
	var b []byte
	for _, f := range logFormats() {
		b = fmt.Appendf(b, "  %-14s %s\n", f.Name, f.Title)
	}
	return string(b)
}

func (o *auditOptions) run(e *env, logs []string) (int, error) {
	if len(logs) == 0 {
		return 0, misused("want at least one LOG: a file, a directory, or - for standard input")
	}
	ao, err := o.options(e)
	if err != nil {
		return 0, err
	}
	p := e.progress()
	ao.Progress = func(at logfile.Progress, events, found uint64) { p.Bytes(at.Read, at.Size, events, found) }
	return o.write(e, logs, func(ctx context.Context, w io.Writer) (*outcome, error) {
		r, err := o.audit(ctx, e, logs, ao, w)
		p.Clear()
		if r == nil {
			return nil, err
		}
		return &outcome{r.Page, r.Found > 0, r.Damaged(), "-log names a format"}, err
	})
}

// options translates the command line.
func (o *auditOptions) options(e *env) (*audit.Options, error) {
	if _, err := os.Stat(defaultConf); err == nil && o.conf == "" {
		o.conf = defaultConf
	}
	j, err := e.judge(o.conf)
	if err != nil {
		return nil, err
	}
	hide, err := o.check()
	if err != nil {
		return nil, err
	}
	if err := dnslog.CheckCoreDNS(o.coredns); err != nil {
		return nil, misused("-coredns-format: %v", err)
	}
	ao := &audit.Options{
		Judge: j, Formats: logFormats(), Format: o.log, CoreDNS: o.coredns, Year: o.year, Zone: o.zone, Now: time.Now(),
		Hide: hide, Version: lookalike.Version,
	}
	var day bool
	if ao.Since, _, err = o.point(o.since, ao.Now); err != nil {
		return nil, misused("-since %s: %v", strconv.Quote(o.since), err)
	}
	if ao.Until, day, err = o.point(o.until, ao.Now); err != nil {
		return nil, misused("-until %s: %v", strconv.Quote(o.until), err)
	}
	if day {
		ao.Until = ao.Until.AddDate(0, 0, 1) // the end of the day
	}
	if !ao.Since.IsZero() && !ao.Until.IsZero() && !ao.Since.Before(ao.Until) {
		return nil, misused("-since %s is not before -until %s: give an earlier -since, or a later -until", o.since, o.until)
	}
	if latest := ao.Now.Year() + 1; o.year != 0 && (o.year < 1970 || o.year > latest) {
		return nil, misused("-year %d: want one from 1970 to %d", o.year, latest)
	}
	return ao, nil
}

// point reads a time in the zone of the logs. Empty is the zero time.
func (o *auditOptions) point(s string, now time.Time) (t time.Time, day bool, err error) {
	if s == "" {
		return t, false, nil
	}
	return parseTime(s, now.In(o.zone))
}

// audit reads the logs, and writes what is found.
func (o *auditOptions) audit(ctx context.Context, e *env, logs []string, ao *audit.Options, w io.Writer) (*audit.Result, error) {
	if o.format != "csv" {
		r, err := audit.Run(ctx, logs, e.stdin, ao)
		if err != nil {
			return nil, err
		}
		return r, r.Page.Write(w, o.format)
	}
	rows := report.NewCSV(w, audit.Columns)
	ao.Finding = func(f *audit.Finding) error { return rows.Write(f.Row(ao.Hide, ao.Zone)) }
	r, err := audit.Run(ctx, logs, e.stdin, ao)
	if err != nil {
		return nil, err
	}
	return r, rows.Flush()
}
