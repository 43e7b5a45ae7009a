package logfile

import (
	"bytes"
	"strconv"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/stamp"
)

// depth is how many wrappers one line can have: a container's runtime, syslog,
// and syslog again.
const depth = 4

// unwrapper returns the lines of a stream without their wrappers.
type unwrapper struct {
	*Lines
	clock stamp.Clock
	zoned bool // the zone of stamps without one is told by the user
	dated bool // their year is

	line    event.Line
	partial partial
	names   event.Words
	scratch []byte // what JSON has escaped
}

func newUnwrapper(lines *Lines, path string, o event.Options, modified time.Time) *unwrapper {
	u := &unwrapper{Lines: lines, zoned: o.Location != nil, dated: o.Year != 0}
	u.clock.Location = o.Location
	if u.clock.Location == nil {
		u.clock.Location = time.Local
	}
	u.clock.Years.Limit = limit(path, o, modified, u.clock.Location)
	u.line.File = path
	return u
}

// limit returns when the last line of a file was written at the latest.
func limit(path string, o event.Options, modified time.Time, loc *time.Location) time.Time {
	if o.Year != 0 {
		return time.Date(o.Year, time.December, 31, 23, 0, 0, 0, loc).Add(-stamp.Grace)
	}
	t := o.Now
	if t.IsZero() {
		t = time.Now()
	}
	if !modified.IsZero() && modified.Before(t) {
		t = modified
	}
	if named, ok := stamp.NameDate(path, loc); ok && named.Before(t) {
		t = named
	}
	return t
}

// next returns the next line. It is valid until next is called again. Lines of
// wrappers alone are empty.
func (u *unwrapper) next() (*event.Line, bool) {
	for u.Next() {
		u.begin()
		if journalField(u.line.Text) {
			return u.journalEntry(), true
		}
		u.peel(depth)
		if u.partial.add(&u.line) {
			return &u.line, true
		}
	}
	return nil, false
}

func (u *unwrapper) begin() {
	l := &u.line // its file stays
	l.Text, l.Number, l.Time, l.YearKnown, l.ZoneKnown, l.Host, l.Program, l.Repeated = u.Text, u.Number, time.Time{}, false, false, "", "", 1
}

// peel takes wrappers off the line, the outermost first.
func (u *unwrapper) peel(depth int) {
	for ; depth > 0 && len(u.line.Text) > 0; depth-- {
		var peeled bool
		switch c := u.line.Text[0]; {
		case c == '<':
			peeled = u.priority()
		case c == '{':
			peeled = u.object()
		case c-'0' <= 9:
			peeled = u.iso()
		case c >= 'A' && c <= 'Z':
			peeled = u.bsd()
		}
		if !peeled {
			break
		}
	}
	u.repetition()
}

// stamp notes the time of a wrapper, unless an outer one knew it better.
func (u *unwrapper) stamp(t time.Time, year, zone bool) {
	if u.line.Time.IsZero() || year && !u.line.YearKnown {
		u.line.Time, u.line.YearKnown, u.line.ZoneKnown = t, year, zone
	}
}

// bsd peels "Nov 25 21:54:52 mx postfix/smtp[139]: ", also without the host, as
// programs write that keep a file of their own.
func (u *unwrapper) bsd() bool {
	t, rest, ok := u.clock.BSD(u.line.Text)
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return false
	}
	rest = rest[1:]
	u.stamp(t, u.dated, u.zoned)
	u.line.Text = rest
	host, rest, ok := u.hostWord(rest)
	if !ok {
		u.line.Text, _ = u.tag(rest)
		return true
	}
	after, ok := u.tag(rest)
	if !ok && facility(rest) {
		_, rest, _ = bytes.Cut(rest, space)
		after, ok = u.tag(rest)
	}
	switch {
	case ok:
		u.line.Host, u.line.Text = host, after
	case bytes.HasPrefix(rest, lastTime):
		u.line.Text = nil
	}
	return true
}

// iso peels "2026-11-25T21:54:52.1+00:00 mx postfix/smtp[139]: ", and the
// stamps of container logs. Without host and program it peels the stamp alone.
func (u *unwrapper) iso() bool {
	t, rest, zoned, ok := u.clock.ISO(u.line.Text, 'T')
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return false
	}
	rest = rest[1:]
	u.stamp(t, true, zoned || u.zoned)
	u.line.Text = rest
	if u.partial.cri(&u.line) {
		return true
	}
	host, after, ok := u.hostWord(rest)
	if !ok {
		return true
	}
	if after, ok := u.tag(after); ok {
		u.line.Host, u.line.Text = host, after
	}
	return true
}

// priority peels "<22>", and after it the header of RFC 5424 if there is one.
func (u *unwrapper) priority() bool {
	text := u.line.Text
	end := bytes.IndexByte(text[:min(len(text), 6)], '>')
	if end < 2 {
		return false
	}
	for _, c := range text[1:end] {
		if c-'0' > 9 {
			return false
		}
	}
	u.line.Text = text[end+1:]
	u.rfc5424()
	return true
}

var (
	space     = []byte{' '}
	lastTime  = []byte("last message repeated ")
	repeated  = []byte("message repeated ")
	timesOpen = []byte(" times: [")
)

// inTag are the bytes that the name of a program can have.
var inTag = func() (in [256]bool) {
	for c := range in {
		in[c] = c > ' ' && c != ':' && c != '[' && c != '=' && c != '"' && c != '@'
	}
	return in
}()

// maxTag is how long the name of a program can be, with its process.
const maxTag = 80

// tag peels "postfix/smtp[139]: " or "dnsmasq: ", and notes the program.
func (u *unwrapper) tag(text []byte) (rest []byte, ok bool) {
	end := bytes.IndexByte(text[:min(len(text), maxTag)], ':')
	if end < 1 || end+1 < len(text) && text[end+1] != ' ' {
		return text, false
	}
	name := text[:end]
	if name[end-1] == ']' {
		if end+1 == len(text) {
			return text, false
		}
		name = name[:bytes.LastIndexByte(name, '[')+1]
		if len(name) < 2 {
			return text, false
		}
		name = name[:len(name)-1]
	}
	program, known := u.names.Recent(name)
	if !known {
		for _, c := range name {
			if !inTag[c] {
				return text, false
			}
		}
		program = u.names.Of(name)
	}
	u.line.Program = program
	return text[min(end+2, len(text)):], true
}

// facility reports whether text begins as busybox has it: "mail.info ".
func facility(text []byte) bool {
	end := bytes.IndexByte(text[:min(len(text), 20)], ' ')
	if end < 0 {
		return false
	}
	name, level, ok := bytes.Cut(text[:end], []byte("."))
	return ok && len(name) > 2 && len(level) > 2 && lower(name) && lower(level)
}

func lower(b []byte) bool {
	for _, c := range b {
		if (c < 'a' || c > 'z') && c-'0' > 9 {
			return false
		}
	}
	return true
}

// inHost are the bytes that the name or address of a host can have.
var inHost = func() (in [256]bool) {
	for c := range in {
		in[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':' || c == '_'
	}
	return in
}()

// hostWord reads the name or address of a host up to a blank.
func (u *unwrapper) hostWord(text []byte) (host string, rest []byte, ok bool) {
	b, rest, ok := bytes.Cut(text, space)
	if !ok || len(b) == 0 || b[len(b)-1] == ':' {
		return "", text, false
	}
	if host, known := u.names.Recent(b); known {
		return host, rest, true
	}
	for _, c := range b {
		if !inHost[c] {
			return "", text, false
		}
	}
	return u.names.Of(b), rest, true
}

// repetition counts what a logger saw several times: rsyslog writes the line
// again. Older ones say only that there was a line before, which has been read;
// theirs becomes empty.
func (u *unwrapper) repetition() {
	text := u.line.Text
	if !bytes.HasPrefix(text, repeated) {
		return
	}
	count, inner, ok := bytes.Cut(text[len(repeated):], timesOpen)
	n, err := strconv.Atoi(string(count))
	if !ok || err != nil || n < 1 || n > 1<<30 {
		return
	}
	u.line.Repeated = n
	u.line.Text = bytes.TrimPrefix(bytes.TrimSuffix(inner, []byte("]")), space)
}
