// Package test runs the server as a process and asks it as its clients do.
package test

import (
	"fmt"
	"testing"

	"github.com/lookalike-dns/lookalike/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// corefile is a server with this lookalike directive, and with whatever else is
// given beside it.
func corefile(directive string, more ...any) string {
	return fmt.Sprintf(`.:{$DNS} {
	bind 127.0.0.1
	errors
	prometheus 127.0.0.1:{$METRICS}
	%s
	%s
	forward . {$UPSTREAM}
}
`, directive, fmt.Sprintln(more...))
}
