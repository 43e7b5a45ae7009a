package main

import (
	"fmt"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

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
