package event

import (
	"io"
	"time"
)

// Line is a line of a log without its wrapper, such as the header of syslog or
// the JSON of a container's log.
type Line struct {
	Text      []byte // valid until the parser returns
	File      string
	Number    int       // counts from 1
	Time      time.Time // of the wrapper, zero where it has none
	YearKnown bool      // the wrapper names the year of Time
	ZoneKnown bool      // the wrapper names the zone of Time
	Host      string    // that logged, as far as the wrapper names it
	Program   string    // with its instance, without its process id: "postfix/smtp"
	Repeated  int       // how often the logger saw this line, at least 1
}

// Guessed reports whether a part of the line's time is a guess.
func (l *Line) Guessed() bool { return !l.YearKnown || !l.ZoneKnown }

// Taken tells how a parser handled a line.
type Taken uint8

// What a parser makes of a line.
const (
	Unknown Taken = iota // it does not know this kind of line
	Used                 // it has learned from the line
	Passed               // it knows this kind of line, which tells nothing
)

// Parser makes events from the lines of one format. It is not safe for concurrent
// use. It gets files in the order of their times, because a message can begin in one
// file and end in the next.
type Parser interface {
	// Line takes the next line and emits what is complete by it. An event is
	// valid until emit returns.
	Line(l *Line, emit func(*Event)) Taken
	// Flush emits what was still waiting. The parser is empty after it.
	Flush(emit func(*Event))
}

// Options control how logs are read.
type Options struct {
	Location *time.Location // of times without a zone; nil is the machine's
	Year     int            // in which a file ends whose times have no year; 0: that of its name or its last change
	CoreDNS  string         // the format of CoreDNS's log directive; empty: its default, "{common}"
	Now      time.Time      // no line is later; zero: the clock

	// Wanted reports whether the name of a query is of use. It gets the name in
	// presentation format, and must not keep it. Other queries become Bare events,
	// which cost less. Nil wants all. Mail is always wanted.
	Wanted func(name []byte) bool
}

// Format is a kind of log.
type Format struct {
	Name  string // as -log has it
	Title string // as texts have it
	Mail  bool   // tells of mail, otherwise of queries

	// New makes a parser. It is nil for a format that has no lines.
	New func(Options) Parser

	// Magic recognises the first bytes of a file that has no lines. Stream
	// reads it whole, and returns warnings as a Warner does; what it emitted
	// before an error stays true. Both are nil for a format that has lines.
	Magic  func(head []byte) bool
	Stream func(r io.Reader, o Options, emit func(*Event)) (warnings []string, err error)
}

// Looks returns how many of the first lines of a file a new parser knows. The
// format that knows most reads the file. Without lines, a format knows none.
func (f *Format) Looks(head []*Line) (n int) {
	if f.New == nil {
		return 0
	}
	p := f.New(Options{})
	for _, l := range head {
		if p.Line(l, func(*Event) {}) != Unknown {
			n++
		}
	}
	return n
}

// Warner is a parser that can warn about its input, for example about a truncated
// export.
type Warner interface {
	// Warnings returns the warnings about the file that has ended.
	Warnings() []string
}
