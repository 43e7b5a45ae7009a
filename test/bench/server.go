package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/perf"
)

// chain is a Corefile with room for the directive. Answers come from the cache,
// which is the fastest thing that CoreDNS does; what fills it makes no queries.
type chain struct{ name, corefile string }

const answers = `
	cache
	template IN MX {
		answer "{{ .Name }} 3600 IN MX 10 mx1.{{ .Name }}"
	}
	template IN A {
		answer "{{ .Name }} 3600 IN A 192.0.2.1"
	}
}
`

var (
	small = chain{"small", `.:{$DNS} {
	bind 127.0.0.1
	%s` + answers}
	full = chain{"full", `.:{$DNS} {
	bind 127.0.0.1
	health 127.0.0.1:{$HTTP}
	prometheus 127.0.0.1:{$METRICS}
	errors
	loop
	%s` + answers}
)

// subject is a server to measure.
type subject struct {
	name      string
	binary    string
	directive string
	env       []string
}

// Names of subjects.
const (
	upstream     = "upstream's chain"
	again        = "the same again"
	guarded      = "lookalike"
	guardedAgain = "lookalike, again"
	ownTLD       = "lookalike com"
	anyTLD       = "lookalike *"
)

// subjects are the servers that are compared with the first.
func (b *bench) subjects() []subject {
	list := strings.Join(own(), " ")
	return []subject{
		{name: upstream, binary: b.upstream},
		{name: again, binary: b.upstream},
		{name: guarded, binary: b.binary, directive: ofML},
		{name: ownTLD, binary: b.binary, directive: fmt.Sprintf(ofOwn, list)},
		{name: anyTLD, binary: b.binary, directive: fmt.Sprintf(ofAny, list)},
	}
}

// start starts a server of this chain.
func (b *bench) start(c chain, s subject, files map[string]string, env ...string) (*harness.Server, error) {
	dir, err := os.MkdirTemp(b.dir, "server")
	if err != nil {
		return nil, err
	}
	return harness.Launch(s.binary, dir, harness.Config{
		Corefile: fmt.Sprintf(c.corefile, s.directive),
		Files:    files,
		Env:      append(env, s.env...),
	})
}

// warm has the server fill its caches with the kinds of traffic.
func (b *bench) warm(ctx context.Context, s *harness.Server, kinds ...string) error {
	for _, kind := range kinds {
		run := b.ask(s, kind)
		run.Passes, run.Processors = 1, perf.AllProcessors()
		if _, err := run.Do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ask is a run of dnsperf that asks a server for the names of a kind, from
// processors that the server does not use.
func (b *bench) ask(s *harness.Server, kind string) perf.Run {
	return perf.Run{Server: s.Addr("DNS"), Queries: b.traffic[kind], Processors: perf.OtherProcessors()}
}
