// Package progress shows the progress of a long run on a terminal.
package progress

import (
	"fmt"
	"io"
	"time"
)

// Line is a line on a terminal that is rewritten as the run proceeds. It shows nothing
// during the first second.
type Line struct {
	w     io.Writer // nil: silent
	size  int64     // of all there is to do; 0 where that is not known
	now   func() time.Time
	start time.Time
	last  time.Time
	shown bool
}

const (
	after = time.Second
	every = 200 * time.Millisecond
)

// New returns a line on w; a nil w shows nothing. The size is in any unit, 0 if
// unknown.
func New(w io.Writer, size int64) *Line {
	return &Line{w: w, size: size, now: time.Now, start: time.Now()}
}

// due reports whether the line is to be written now, and how long it has gone on.
func (l *Line) due() (time.Duration, bool) {
	if l.w == nil {
		return 0, false
	}
	now := l.now()
	if now.Sub(l.start) < after || now.Sub(l.last) < every {
		return 0, false
	}
	l.last, l.shown = now, true
	return now.Sub(l.start), true
}

// Show rewrites the line when it is due, with the numbers of names done and found and
// the share of the size done.
func (l *Line) Show(names, found int, done int64) {
	past, due := l.due()
	if !due {
		return
	}
	rate := float64(names) / past.Seconds()
	fmt.Fprintf(l.w, "\r\x1b[Klookalike:%s %d names, %d found, %.0f names/s", l.share(done), names, found, rate)
}

// share returns how much is done, or nothing where the size is not known.
func (l *Line) share(done int64) string {
	if l.size <= 0 {
		return ""
	}
	return fmt.Sprintf(" %3d %%,", min(100, 100*done/l.size))
}

// Bytes rewrites the line of a run that reads files, with the time left.
func (l *Line) Bytes(read, size int64, events, found uint64) {
	past, due := l.due()
	if !due {
		return
	}
	l.size = size
	rate := float64(read) / past.Seconds()
	left := ""
	if size > read && rate > 0 {
		left = ", " + (time.Duration(float64(size-read)/rate) * time.Second).String() + " left"
	}
	fmt.Fprintf(l.w, "\r\x1b[Klookalike:%s %.0f of %.0f MB, %.0f MB/s, %d events, %d found%s",
		l.share(read), float64(read)/1e6, float64(size)/1e6, rate/1e6, events, found, left)
}

// Clear removes the line, so that other output can follow.
func (l *Line) Clear() {
	if l.shown {
		fmt.Fprint(l.w, "\r\x1b[K")
		l.shown = false
	}
}
