package report

import (
	"strconv"
	"strings"
	"time"
)

// Number writes n with commas between thousands.
func Number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// plurals are the words whose plural takes more than an s.
var plurals = map[string]string{"query": "queries", "is": "are", "was": "were", "it": "them", "needs": "need"}

// Plural returns the word for n things.
func Plural(n uint64, word string) string {
	if n == 1 {
		return word
	}
	if p := plurals[word]; p != "" {
		return p
	}
	return word + "s"
}

// Some returns a number and what it counts: "1 query", "1,204 messages".
func Some(n uint64, what string) string { return Number(n) + " " + Plural(n, what) }

// day writes a date for people, in a line of text.
func day(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Format("2 January 2006")
}

// Span says from when to when, as in "between 2 March and 25 November 2026".
func Span(from, to time.Time) string {
	switch {
	case from.IsZero() || to.IsZero():
		return "at unknown times"
	case day(from) == day(to):
		return "on " + day(from)
	case from.Year() == to.Year():
		return "between " + from.Format("2 January") + " and " + day(to)
	}
	return "between " + day(from) + " and " + day(to)
}

// text returns the title of a bucket: "Mon 23 Nov 2026", "week of 23 Nov 2026".
func (u Unit) text(start time.Time) string {
	switch u {
	case Week:
		return "week of " + start.Format("2 Jan 2006")
	case Month:
		return start.Format("January 2006")
	}
	return start.Format("Monday 2 January 2006")
}

// short returns the label of a bucket in a table.
func (u Unit) short(start time.Time) string {
	if u == Month {
		return start.Format("Jan 2006")
	}
	return start.Format("2 Jan 2006")
}

// stamp writes a time for people, to the minute.
func stamp(t time.Time, in *time.Location) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.In(in).Format("2006-01-02 15:04")
}

// date writes a day for a table.
func date(t time.Time, in *time.Location) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.In(in).Format("2006-01-02")
}

// ZoneName returns what a zone is called at a time: that of the machine has no
// name of its own.
func ZoneName(zone *time.Location, at time.Time) string {
	if name := zone.String(); name != "Local" {
		return name
	}
	return at.In(zone).Format("MST (-07:00)")
}
