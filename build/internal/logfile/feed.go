package logfile

import (
	"bytes"
	"slices"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// window is how many unknown lines are looked at together.
const window = 64

// patience is how many windows pass without a look after a fruitless one, at
// most.
const patience = 63

// feed hands the lines of a file to the parsers of the formats that were found
// in it. A syslog can have several.
type feed struct {
	*File
	r      *reader
	active []*run
	window []*event.Line // lines that none of them knows
	tries  int           // fruitless looks in a row
	wait   int           // windows to pass
	seen   int           // unknown lines of the window that passes

	stretch stretch // of the first format
}

func (f *feed) activate(r *run) {
	f.active = append(f.active, r)
	f.Formats = append(f.Formats, r.Name)
}

// line offers a line to the parsers.
func (f *feed) line(l *event.Line) {
	if len(l.Text) == 0 || l.Text[0] <= ' ' && len(bytes.TrimSpace(l.Text)) == 0 {
		f.Passed++
		return
	}
	for _, run := range f.active {
		if f.takes(run, l) {
			return
		}
	}
	if f.r.only != nil || f.passes() {
		f.unknown(l)
		return
	}
	f.window = append(f.window, clone(l))
	if len(f.window) == window {
		f.settle()
	}
}

// takes reports whether a parser knows the line, and counts it then.
func (f *feed) takes(run *run, l *event.Line) bool {
	switch run.line(l) {
	case event.Used:
		f.Used++
		if run == f.active[0] {
			f.stretch.note(l)
		}
	case event.Passed:
		f.Passed++
	default:
		return false
	}
	return true
}

// passes reports whether an unknown line comes at a time when nobody looks.
func (f *feed) passes() bool {
	if f.wait == 0 {
		return false
	}
	if f.seen++; f.seen == window {
		f.seen = 0
		f.wait--
	}
	return true
}

// settle looks which formats the unknown lines have, the best one first. What
// none of them knows is counted.
func (f *feed) settle() {
	found := false
	for len(f.window) > 0 {
		best := f.best()
		if best == nil {
			break
		}
		found = true
		f.activate(best)
		f.window = slices.DeleteFunc(f.window, func(l *event.Line) bool { return f.takes(best, l) })
	}
	for _, l := range f.window {
		f.unknown(l)
	}
	f.window = f.window[:0]
	if found {
		f.tries = 0
		return
	}
	f.tries++
	f.wait = min(f.tries-1, patience)
}

// best returns the format that knows most of the unknown lines, nil where none
// knows any.
func (f *feed) best() (best *run) {
	most := 0
	for _, run := range f.r.runs {
		if slices.Contains(f.active, run) {
			continue
		}
		if n := run.Looks(f.window); n > most {
			best, most = run, n
		}
	}
	return best
}

func (f *feed) unknown(l *event.Line) {
	f.Unknown++
	if len(f.First) < samples {
		f.First = append(f.First, Sample{l.Number, text.Visible(text.Shorten(string(bytes.ToValidUTF8(l.Text, []byte("?"))), sampleCut))})
	}
}

// clone returns a line that stays valid.
func clone(l *event.Line) *event.Line {
	c := *l
	c.Text = bytes.Clone(l.Text)
	return &c
}
