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

// due reports whether the line is to be written now, and how long it has gone on.
func (p *progress) due() (time.Duration, bool) {
	if p.w == nil {
		return 0, false
	}
	now := p.now()
	if now.Sub(p.start) < progressAfter || now.Sub(p.last) < progressEvery {
		return 0, false
	}
	p.last, p.shown = now, true
	return now.Sub(p.start), true
}

// show rewrites the line when it is due.
func (p *progress) show(checked, found int, read int64) {
	past, due := p.due()
	if !due {
		return
	}
	rate := float64(checked) / past.Seconds()
	fmt.Fprintf(p.w, "\r\x1b[Klookalike:%s %d names, %d found, %.0f names/s", p.share(read), checked, found, rate)
}

// share returns how much of the input is done, or nothing where that is not
// known.
func (p *progress) share(read int64) string {
	if p.size <= 0 {
		return ""
	}
	return fmt.Sprintf(" %3d %%,", min(100, 100*read/p.size))
}

// bytes rewrites the line of what reads files, with the time left.
func (p *progress) bytes(read, size int64, events, found uint64) {
	past, due := p.due()
	if !due {
		return
	}
	p.size = size
	rate := float64(read) / past.Seconds()
	left := ""
	if size > read && rate > 0 {
		left = ", " + (time.Duration(float64(size-read)/rate) * time.Second).String() + " left"
	}
	fmt.Fprintf(p.w, "\r\x1b[Klookalike:%s %.0f of %.0f MB, %.0f MB/s, %d events, %d found%s",
		p.share(read), float64(read)/1e6, float64(size)/1e6, rate/1e6, events, found, left)
}

// clear removes the line, so that something else can be written.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
