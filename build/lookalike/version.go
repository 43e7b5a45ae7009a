package main

import (
	"cmp"
	"flag"
	"fmt"
	"runtime"

	"github.com/coredns/coredns/coremain"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

var versionCommand = command{
	name:    "version",
	summary: "print the version",
	help:    helpText("version"),
	flags:   func(*flag.FlagSet) action { return printVersion },
}

func printVersion(e *env, args []string) (int, error) {
	if len(args) > 0 {
		return 0, misused("takes no argument, got %q", args[0])
	}
	fmt.Fprintf(e.stdout, "lookalike %s\n%s/%s, %s, commit %s\n",
		lookalike.Version, runtime.GOOS, runtime.GOARCH, runtime.Version(), cmp.Or(coremain.GitCommit, "unknown"))
	return exitNothing, nil
}
