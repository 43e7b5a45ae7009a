package main

import (
	"flag"
	"fmt"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/exceptions"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

var allowListCommand = command{
	name:    "allow list",
	summary: "list exceptions, such as those that end soon or are unused",
	help:    exceptions.ListHelp,
	flags: func(fs *flag.FlagSet) action {
		var o allowListOptions
		confFlag(fs, &o.conf)
		formatFlag(fs, &o.json)
		o.Flags(fs)
		return o.run
	},
}

// allowListOptions is the command line of allow list.
type allowListOptions struct {
	exceptions.Filter
	conf string
	json bool
}

func (o *allowListOptions) run(e *env, args []string) (int, error) {
	if len(args) > 0 {
		return 0, misused("takes no argument, got %q: name the Corefile with -conf", args[0])
	}
	if o.conf == "" {
		o.conf = defaultConf
	}
	file, err := e.load(o.conf)
	if err != nil {
		return 0, err
	}
	o.Now = time.Now()
	listed, notes, err := o.List(e.stdout, file.Policies, o.json, display)
	for _, note := range notes {
		fmt.Fprintf(e.stderr, "lookalike: %s\n", display(note))
	}
	if listed > 0 {
		return exitFound, err
	}
	return exitNothing, err
}

var allowAddCommand = command{
	name:    "allow add",
	summary: "add an exception to an allow file",
	help:    exceptions.AddHelp,
	flags: func(fs *flag.FlagSet) action {
		var o allowAddOptions
		confFlag(fs, &o.conf)
		for _, key := range exception.Keys() {
			if key != "added" {
				fs.Func(key, "", func(value string) error { return o.Set(key, value) })
			}
		}
		return o.run
	},
}

// allowAddOptions is the command line of allow add.
type allowAddOptions struct {
	exception.Entry
	conf string
}

func (o *allowAddOptions) run(e *env, args []string) (_ int, err error) {
	if len(args) != 2 {
		return 0, misused("want NAME and FILE, got %d words", len(args))
	}
	if o.Name, err = names.Parse(args[0]); err != nil {
		return 0, misused("%q: %v", args[0], err)
	}
	f := exceptions.File{Path: args[1], Now: time.Now()}
	var file *lookalike.Corefile
	if o.conf != "" {
		if file, err = e.load(o.conf); err != nil {
			return 0, err
		}
	}
	return exitNothing, f.Add(&o.Entry, file, o.conf)
}

var allowRemoveCommand = command{
	name:    "allow remove",
	summary: "remove an exception from an allow file",
	help:    exceptions.RemoveHelp,
	flags:   func(*flag.FlagSet) action { return removeAllowed },
}

func removeAllowed(e *env, args []string) (int, error) {
	if len(args) != 2 {
		return 0, misused("want NAME and FILE, got %d words", len(args))
	}
	name, err := names.Parse(args[0])
	if err != nil {
		return 0, misused("%q: %v", args[0], err)
	}
	f := exceptions.File{Path: args[1], Now: time.Now()}
	removed, err := f.Remove(name)
	for _, line := range removed {
		fmt.Fprintln(e.stdout, display(line))
	}
	return exitNothing, err
}
