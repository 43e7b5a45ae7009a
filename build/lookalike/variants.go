package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/lookalike-dns/lookalike/build/internal/interrupt"
	"github.com/lookalike-dns/lookalike/build/internal/progress"
	"github.com/lookalike-dns/lookalike/build/internal/variants"
)

var variantsCommand = command{
	name:    "variants",
	summary: "list the lookalikes of names, and find out which exist",
	help:    helpText("variants"),
	flags: func(fs *flag.FlagSet) action {
		o := variantsOptions{Options: variants.Options{Format: "text", Rate: 50}}
		confFlag(fs, &o.conf)
		tldFlag(fs, &o.TLDs)
		classesFlag(fs, &o.Classes)
		fs.Func("format", "", o.SetFormat)
		fs.BoolVar(&o.Count, "count", false, "")
		fs.StringVar(&o.File, "o", "", "")
		fs.BoolVar(&o.Resolve, "resolve", false, "")
		fs.Func("server", "", o.SetServer)
		fs.Float64Var(&o.Rate, "rate", o.Rate, "")
		fs.BoolVar(&o.All, "all", false, "")
		fs.StringVar(&o.Since, "since", "", "")
		fs.BoolVar(&o.Resume, "resume", false, "")
		return o.run
	},
}

// variantsOptions is the command line of variants.
type variantsOptions struct {
	variants.Options
	conf string
}

func (o *variantsOptions) run(e *env, args []string) (int, error) {
	if err := o.Check(); err != nil {
		return 0, misuse{err}
	}
	policies, err := e.policies(&o.conf)
	if err != nil {
		return 0, err
	}
	lists, err := o.Lists(policies, args)
	if err != nil {
		return 0, err
	}
	if o.Count {
		return exitNothing, lists.WriteCounts(e.stdout)
	}
	if o.Resolve && (o.File != "" || !isTerminal(e.stdout)) && isTerminal(e.stderr) {
		line := progress.New(e.stderr, int64(lists.Count().Sum()))
		o.Progress = func(t variants.Tally) { line.Show(t.Names, t.Exist, int64(t.Names)) }
		defer line.Clear()
	}
	ctx, stop := interrupt.Context()
	defer stop()
	tally, err := o.Run(ctx, lists, e.stdout)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(e.stderr, "\nlookalike: interrupted after %d names; with -o FILE, -resume goes on there\n", tally.Names)
		return exitInterrupted, nil
	case err != nil || !o.Resolve:
		return exitNothing, err
	}
	fmt.Fprint(e.stderr, tally.Text(display(o.Since)))
	if err := tally.Incomplete(); err != nil {
		return 0, err
	}
	if tally.Found(o.Since != "") {
		return exitFound, nil
	}
	return exitNothing, nil
}
