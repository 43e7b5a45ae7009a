package main

import (
	"io"
	"os"

	"github.com/lookalike-dns/lookalike/build/internal/progress"
)

// progress returns the line that shows how much of the standard input is done. It
// stays silent where standard error is no terminal, and where names or results go
// through the terminal too.
func (e *env) progress() *progress.Line {
	if isTerminal(e.stdin) || isTerminal(e.stdout) {
		return progress.New(nil, 0)
	}
	var size int64
	if f, ok := e.stdin.(*os.File); ok {
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
			size = fi.Size()
		}
	}
	return progress.New(e.screen(), size)
}

// screen returns standard error where that is a terminal, else nil.
func (e *env) screen() io.Writer {
	if isTerminal(e.stderr) {
		return e.stderr
	}
	return nil
}
