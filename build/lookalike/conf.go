package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/coredns/caddy/caddyfile"

	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/rpz"
	"github.com/lookalike-dns/lookalike/plugin/smtpreject"
)

var confCommand = command{
	name:    "conf",
	summary: "report everything wrong in a Corefile, without a start",
	help:    helpText("conf"),
	flags: func(fs *flag.FlagSet) action {
		var o confOptions
		confFlag(fs, &o.file)
		fs.BoolVar(&o.quiet, "quiet", false, "")
		return o.run
	},
}

// confOptions is the command line of conf.
type confOptions struct {
	file  string
	quiet bool
}

func (o *confOptions) run(e *env, args []string) (int, error) {
	switch {
	case len(args) > 1:
		return 0, misused("want one FILE, got %d", len(args))
	case len(args) == 1 && o.file != "":
		return 0, misused("want FILE or -conf, got both")
	case len(args) == 1:
		o.file = args[0]
	case o.file == "":
		o.file = defaultConf
	}
	problems, summaries, err := lookalike.Examine(o.file)
	if err != nil {
		return 0, err
	}
	problems = append(problems, otherProblems(o.file)...)

	var b strings.Builder
	if !o.quiet {
		for _, s := range summaries {
			fmt.Fprintf(&b, "%s\n", display(s))
		}
	}
	status := exitNothing
	for _, p := range problems {
		kind := "warning"
		if p.Refused {
			kind = "refused"
			status = exitError
		}
		status = max(status, exitFound)
		fmt.Fprintf(&b, "%s  %s\n", kind, display(p.Text))
	}
	if _, err := e.stdout.Write([]byte(b.String())); err != nil {
		return 0, err
	}
	return status, nil
}

// otherProblems returns what is wrong with the directives of our other plugins in
// a Corefile. Examine has reported a file that cannot be parsed.
func otherProblems(file string) (problems []lookalike.Problem) {
	contents, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	blocks, err := caddyfile.Parse(file, bytes.NewReader(contents), nil)
	if err != nil {
		return nil
	}
	for _, err := range append(rpz.Check(file, blocks), smtpreject.Check(file, blocks)...) {
		problems = append(problems, lookalike.Refusal(err))
	}
	return problems
}

// load reads a Corefile, and warns of what may keep a server from starting with
// it.
func (e *env) load(corefile string) (*lookalike.Corefile, error) {
	file, err := lookalike.Load(corefile)
	if err != nil {
		return nil, err
	}
	for _, unknown := range file.Unknown {
		fmt.Fprintf(e.stderr, "lookalike: %s\n", display(unknown.Error()))
	}
	return file, nil
}

// judge returns what judges names by a Corefile or, without one, by the
// defaults. It warns of alert destinations with which a server would not start.
func (e *env) judge(corefile string) (*judge.Judge, error) {
	if corefile == "" {
		file, err := lookalike.Default()
		return judge.New(file, ""), err
	}
	file, err := e.load(corefile)
	if err != nil {
		return nil, err
	}
	for _, p := range file.Policies {
		refused, _ := alert.Check(p.Alerts())
		for _, err := range refused {
			fmt.Fprintf(e.stderr, "lookalike: the server would not start: %s\n", display(err.Error()))
		}
	}
	return judge.New(file, corefile), nil
}
