// Package sinktest is what the tests of the sinks and of the spool share.
package sinktest

import (
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// Options reads KEY=VALUE words.
func Options(t *testing.T, words ...string) *sink.Options {
	t.Helper()
	o, err := sink.ParseOptions(words)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Open opens what a Parse function has returned. The sink is closed when the
// test ends.
func Open(t *testing.T, opener sink.Opener, err error) sink.Sink {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s, err := opener(sink.Env{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
