package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress shows on standard error how much of a long input is done. It stays
// silent where standard error is no terminal, where names or results go through
// the terminal too, and within the first second.
type progress struct {
	w     io.Writer // nil: silent
	size  int64     // of the input in bytes; 0 where it is not known
	now   func() time.Time
	start time.Time
	last  time.Time
	shown bool
}

const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

func newProgress(e *env) *progress {
	p := &progress{now: time.Now}
	p.start = p.now()
	if !isTerminal(e.stderr) || isTerminal(e.stdin) || isTerminal(e.stdout) {
		return p
	}
	p.w = e.stderr
	if f, ok := e.stdin.(*os.File); ok {
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
			p.size = fi.Size()
		}
	}
	return p
}

// show rewrites the line when it is due.
func (p *progress) show(checked, found int, read int64) {
	if p.w == nil {
		return
	}
	now := p.now()
	if now.Sub(p.start) < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.shown = now, true
	share := ""
	if p.size > 0 {
		share = fmt.Sprintf(" %3d %%,", min(100, 100*read/p.size))
	}
	rate := float64(checked) / now.Sub(p.start).Seconds()
	fmt.Fprintf(p.w, "\r\x1b[Klookalike:%s %d names, %d found, %.0f names/s", share, checked, found, rate)
}

// clear removes the line, so that something else can be written.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
