// Command lookalike is the companion of the lookalike plugin of CoreDNS: it
// says what the plugin makes of a name, from the same Corefile.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"strings"

	"github.com/coredns/coredns/coremain"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// Exit statuses of every command.
const (
	exitNothing     = 0   // nothing found, or all well
	exitFound       = 1   // something found
	exitError       = 2   // wrong usage, unreadable input, failed output
	exitInterrupted = 130 // ended by a signal, as shells report SIGINT
)

// A command does one thing with its arguments, and returns an exit status.
type command struct {
	name    string
	summary string
	run     func(e *env, args []string) int
}

func commands() []command {
	return []command{
		{"check", "say whether names resemble protected ones, and why", runCheck},
		{"alert", "send a test alert, or show an alert file as it grows", runAlert},
		{"version", "print the version", runVersion},
		{"help", "print this help, or that of a command", runHelp},
	}
}

// env is what a command has of the outside world.
type env struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

func main() {
	log.SetFlags(0) // of what the plugin says while it reads a Corefile
	os.Exit(run(&env{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:]))
}

// run finds the command that the first argument names, and runs it.
func run(e *env, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(e.stderr, usage())
		return exitError
	}
	switch args[0] {
	case "-h", "-help", "--help":
		return runHelp(e, nil)
	case "-version", "--version":
		return runVersion(e, nil)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(e, args[1:])
		}
	}
	return e.fail("unknown command %q: 'lookalike help' lists the commands", args[0])
}

// fail says what is wrong and returns the exit status for it.
func (e *env) fail(format string, args ...any) int {
	fmt.Fprintf(e.stderr, "lookalike: "+format+"\n", args...)
	return exitError
}

// confFlag defines the flag -conf. An empty value, as of a variable of the shell
// that is not set, must not stand for what is used without the flag.
func confFlag(fs *flag.FlagSet, conf *string) {
	fs.Func("conf", "", func(value string) error {
		if value == "" {
			return errors.New("no file name: name a Corefile, or leave the flag out")
		}
		*conf = value
		return nil
	})
}

// load reads a Corefile, and warns of what may keep a server from starting with
// it.
func (e *env) load(corefile string) (*lookalike.Corefile, error) {
	file, err := lookalike.Load(corefile)
	if err != nil {
		return nil, err
	}
	for _, unknown := range file.Unknown {
		fmt.Fprintf(e.stderr, "lookalike: %s: CoreDNS has no such directive: unless yours was built with it, it does not start; correct the spelling\n",
			display(unknown))
	}
	return file, nil
}

func usage() string {
	var b strings.Builder
	b.WriteString("lookalike finds domain names that resemble protected ones under a confusable TLD.\n\n" +
		"Usage: lookalike COMMAND [ARGUMENT...]\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-9s %s\n", c.name, c.summary)
	}
	b.WriteString("\nTry:\n  lookalike check army.ml\n  lookalike help check\n")
	return b.String()
}

func runHelp(e *env, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "version" {
		fmt.Fprint(e.stdout, usage())
		return exitNothing
	}
	return run(e, []string{args[0], "-help"})
}

func runVersion(e *env, args []string) int {
	if len(args) > 0 {
		return e.fail("version takes no argument, got %q", args[0])
	}
	commit := coremain.GitCommit
	if commit == "" {
		commit = "unknown"
	}
	fmt.Fprintf(e.stdout, "lookalike %s\n%s/%s, %s, commit %s\n",
		lookalike.Version, runtime.GOOS, runtime.GOARCH, runtime.Version(), commit)
	return exitNothing
}
