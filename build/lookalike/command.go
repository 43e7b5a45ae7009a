package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// A command does one thing. Its name may have two words.
type command struct {
	name    string
	summary string
	help    string
	flags   func(*flag.FlagSet) action // defines the flags, and returns what uses them
}

// An action carries a command out and returns the exit status, or the error
// that it ended with.
type action func(e *env, args []string) (status int, err error)

// misuse is the error of a command line that a command does not understand.
type misuse struct{ error }

func misused(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }

// run finds the command that args begin with, and runs it.
func run(e *env, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(e.stderr, usage())
		return exitError
	}
	switch args[0] {
	case "-h", "-help", "--help":
		args[0] = "help"
	case "-version", "--version":
		args[0] = "version"
	}
	if c, words := find(args); c != nil {
		return c.execute(e, args[words:])
	}
	if group := groupHelp(args[0]); group != "" {
		switch {
		case len(args) == 1:
			fmt.Fprint(e.stderr, group)
			return exitError
		case isHelp(args[1]):
			fmt.Fprint(e.stdout, group)
			return exitNothing
		}
		args[0] += " " + args[1]
	}
	return e.fail("unknown command %q: want %s", args[0], text.Join(commandNames(), "or"))
}

// find returns the command that args begin with, and how many words its name
// takes, or nil.
func find(args []string) (c *command, words int) {
	for words := min(len(args), 2); words > 0; words-- {
		name := strings.Join(args[:words], " ")
		if i := slices.IndexFunc(commands, func(c *command) bool { return c.name == name }); i >= 0 {
			return commands[i], words
		}
	}
	return nil, 0
}

func commandNames() []string {
	all := make([]string, len(commands))
	for i, c := range commands {
		all[i] = c.name
	}
	return all
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

// execute reads the command line and carries it out.
func (c *command) execute(e *env, args []string) int {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	do := c.flags(fs)
	fs.VisitAll(demandValue)
	args, err := parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(e.stdout, c.help)
		return exitNothing
	}
	status := exitError
	if err == nil {
		status, err = do(e, args)
	}
	switch {
	case err == nil:
		return status
	case errors.As(err, new(misuse)):
		return e.fail("%s: %v\n'lookalike help %s' explains the command", c.name, err, c.name)
	}
	return e.fail("%s: %v", c.name, err)
}

// parse returns the arguments of a command line, behind which flags may stand,
// too; what follows "--" is no flag.
func parse(fs *flag.FlagSet, args []string) (names []string, err error) {
	var literal []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, literal = args[:i], args[i+1:]
	}
	for {
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, misuse{explain(fs, err)}
		}
		if fs.NArg() == 0 {
			return append(names, literal...), nil
		}
		names = append(names, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// errNoValue is the error of a flag with an empty value, as from an unset shell
// variable: that must not select the default.
var errNoValue = errors.New("no value: give one, or leave the flag out")

// filled is the value of a flag, which refuses to be empty.
type filled struct{ flag.Value }

func (v filled) Set(s string) error {
	if s == "" {
		return errNoValue
	}
	return v.Value.Set(s)
}

// demandValue has a flag refuse an empty value. A Boolean one does so already.
func demandValue(f *flag.Flag) {
	if b, ok := f.Value.(interface{ IsBoolFlag() bool }); !ok || !b.IsBoolFlag() {
		f.Value = filled{f.Value}
	}
}

// explain adds the known flags to the error of an unknown one, and leaves out
// the value that there is not.
func explain(fs *flag.FlagSet, err error) error {
	if rest, empty := strings.CutPrefix(err.Error(), `invalid value "" for `); empty && strings.HasSuffix(rest, errNoValue.Error()) {
		return errors.New(rest)
	}
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: ")
	if !unknown {
		return err
	}
	var known []string
	fs.VisitAll(func(f *flag.Flag) { known = append(known, "-"+f.Name) })
	return fmt.Errorf("unknown flag %s: want %s", name, text.Join(append(known, "-help"), "or"))
}

// fail says what is wrong and returns the exit status for it.
func (e *env) fail(format string, args ...any) int {
	fmt.Fprintf(e.stderr, "lookalike: "+format+"\n", args...)
	return exitError
}
