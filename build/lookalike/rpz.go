package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/interrupt"
	"github.com/lookalike-dns/lookalike/build/internal/zonefile"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/rpz"
	"github.com/lookalike-dns/lookalike/plugin/rpz/zone"
)

var rpzCommand = command{
	name:    "rpz",
	summary: "write the blocked names as a response policy zone",
	help:    helpText("rpz"),
	flags: func(fs *flag.FlagSet) action {
		o := rpzOptions{origin: "rpz.lookalike.internal."}
		confFlag(fs, &o.conf)
		classesFlag(fs, &o.Classes)
		tldFlag(fs, &o.TLDs)
		fs.BoolVar(&o.All, "all", false, "")
		fs.Func("origin", "", func(s string) (err error) {
			o.origin, err = rpz.ParseZone(s)
			return err
		})
		fs.StringVar(&o.file, "o", "", "")
		return o.run
	},
}

// rpzOptions is the command line of rpz.
type rpzOptions struct {
	zone.Options
	conf   string
	origin string
	file   string
}

func (o *rpzOptions) run(e *env, args []string) (int, error) {
	if len(args) > 0 {
		return 0, misused("takes no argument, got %q", args[0])
	}
	policies, err := e.policies(&o.conf)
	if err != nil {
		return 0, err
	}
	ctx, stop := interrupt.Context()
	defer stop()
	z, err := zone.Compile(ctx, zone.SourcesOf(policies), o.Options)
	if errors.Is(err, context.Canceled) {
		return exitInterrupted, nil
	} else if err != nil {
		return 0, err
	}
	about := zone.About{Writer: "lookalike " + lookalike.Version, Time: time.Now(), Options: o.Options}
	if o.file == "" {
		return exitNothing, z.Write(e.stdout, o.origin, zone.NextSerial(0, about.Time), about)
	}
	serial, err := zonefile.Write(o.file, z, o.origin, about)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(e.stderr, "lookalike: %s: %v, serial %d\n", display(o.file), z, serial)
	return exitNothing, nil
}
