package logfile

import (
	"fmt"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// stretch is the time from the first line of a host to the last, in one file
// and format.
type stretch struct {
	path, format, host string
	first, last        time.Time
}

// tolerated is by how much the files of one host can overlap: while logrotate
// works, lines go to both.
const tolerated = time.Hour

// note adds a line that a parser has used.
func (s *stretch) note(l *event.Line) {
	if l.Time.IsZero() || s.host != "" && l.Host != s.host {
		return
	}
	if s.first.IsZero() {
		s.first, s.last, s.host = l.Time, l.Time, l.Host
		return
	}
	if l.Time.After(s.last) {
		s.last = l.Time
	}
}

// overlap warns where another file has lines of the same host and time: syslog
// writes the same line to several files, such as mail.log, mail.info and
// syslog, where it would count twice.
func (r *reader) overlap(s stretch) (warnings []string) {
	for _, o := range r.stretches {
		if o.format != s.format || o.host != s.host || o.path == s.path {
			continue
		}
		from, to := later(o.first, s.first), o.last
		if s.last.Before(to) {
			to = s.last
		}
		if to.Sub(from) > tolerated {
			warnings = append(warnings, fmt.Sprintf("has lines of the same host and time as %s: if they are the same lines, they count twice, and one of the files is enough", o.path))
		}
	}
	if !s.first.IsZero() {
		r.stretches = append(r.stretches, s)
	}
	return warnings
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
