package stamp

import (
	"path/filepath"
	"time"
)

// Years finds the year of stamps that have none. It assumes that no line of a file is
// later than the file, and that lines go forward: when the date falls back by months,
// a new year has begun.
type Years struct {
	Limit time.Time // no line is later, unless a clock was wrong

	year  int // of the lines now read; 0: before the first
	start int // the year in which the file begins
	month time.Month
	day   int
}

// Bounds of a date's jumps, in days of a year whose months have 31.
const (
	// fallback is how far a late line, or a clock that was set, moves the date back.
	// A date that falls back further is in the next year.
	fallback = 31
	// overNewYear is the least jump forward of a late line at new year, from the first
	// of January to the last of December.
	overNewYear = 11*31 + 28
)

// Grace is how far behind Limit a date may lie.
const Grace = 24 * time.Hour

// Begin sets the year of the first line, if it is known.
func (y *Years) Begin(year int) { y.year, y.start = year, year }

// Needed reports whether there was a stamp without a year.
func (y *Years) Needed() bool { return y.day != 0 }

// date returns the beginning of an hour at loc.
func (y *Years) date(month time.Month, day, hour int, loc *time.Location) time.Time {
	if y.year == 0 {
		y.year = y.latest(month, day, loc)
		y.start = y.year
	} else if days(month, day) < days(y.month, y.day)-fallback {
		y.year++
	}
	year := y.year
	if y.year > y.start && days(month, day)-days(y.month, y.day) >= overNewYear {
		year-- // a line of the old year that comes late
	} else {
		y.month, y.day = month, day
	}
	t := time.Date(year, month, day, hour, 0, 0, 0, loc)
	if t.After(y.Limit.Add(Grace)) { // files were joined in another order
		year = y.latest(month, day, loc)
	}
	return time.Date(leap(year, month, day), month, day, hour, 0, 0, 0, loc)
}

// latest returns the last year in which a date is within Grace of Limit.
func (y *Years) latest(month time.Month, day int, loc *time.Location) int {
	year := y.Limit.In(loc).Year() + 1
	for year > 1970 && time.Date(year, month, day, 0, 0, 0, 0, loc).After(y.Limit.Add(Grace)) {
		year--
	}
	return leap(year, month, day)
}

// leap returns the year, or the last one before it that has a 29 February.
func leap(year int, month time.Month, day int) int {
	for month == time.February && day == 29 && !isLeap(year) {
		year--
	}
	return year
}

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// days returns the place of a date in a year whose months have 31 days.
func days(month time.Month, day int) int { return int(month)*31 + day }

// NameDate returns the end of the day in the name of a rotated file, such as
// maillog-20261125.gz, MSGTRK2026112521-1.LOG or dns.2026-11-25.log.
func NameDate(path string, loc *time.Location) (end time.Time, ok bool) {
	name := []byte(filepath.Base(path))
	for i := 0; i+8 <= len(name); i++ {
		if i > 0 && name[i-1]-'0' <= 9 {
			continue
		}
		year := four(name[i:])
		rest := name[i+4:]
		if len(rest) >= 6 && rest[0] == '-' && rest[3] == '-' {
			rest = append([]byte{}, rest[1], rest[2], rest[4], rest[5])
		}
		month, day := two(rest), two(rest[2:])
		if year < 1990 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31 {
			continue
		}
		return time.Date(year, time.Month(month), day+1, 0, 0, 0, 0, loc), true
	}
	return end, false
}
