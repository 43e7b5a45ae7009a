package stamp

import (
	"bytes"
	"time"
)

// Dates are the dates of a file's lines, each run of the same date once.
type Dates struct {
	months []time.Month
	days   []int
}

// Sample adds the lines of a piece of a file. Unless whole is set, the piece begins
// within a line, which is left out.
func (d *Dates) Sample(text []byte, whole bool) {
	for !whole || len(text) > 0 {
		if whole {
			d.Add(text)
		}
		whole = true
		at := bytes.IndexByte(text, '\n')
		if at < 0 {
			return
		}
		text = text[at+1:]
	}
}

// Add adds the date of a line. It ignores a line without a stamp that Date reads.
func (d *Dates) Add(line []byte) {
	if len(line) > 0 && line[0] == '<' {
		line = line[min(bytes.IndexByte(line, '>')+1, len(line)):]
	}
	month, day, _, ok := Date(line)
	last := len(d.days) - 1
	if !ok || last >= 0 && d.months[last] == month && d.days[last] == day {
		return
	}
	if last >= 0 && days(d.months[last], d.days[last])-days(month, day) > 0 && days(d.months[last], d.days[last])-days(month, day) <= fallback {
		return // a line that comes late
	}
	if last >= 1 && days(month, day)-days(d.months[last], d.days[last]) >= overNewYear && d.months[last] < d.months[last-1] {
		return // one of the old year that comes late
	}
	d.months, d.days = append(d.months, month), append(d.days, day)
}

// First returns the latest possible year of the first date: the last date is not after
// limit, and each 29 February is in a leap year. It returns 0 without dates.
func (d *Dates) First(limit time.Time, loc *time.Location) int {
	if len(d.days) == 0 {
		return 0
	}
	last := len(d.days) - 1
	y := Years{Limit: limit}
	for year := y.latest(d.months[last], d.days[last], loc); ; year-- {
		if first, ok := d.back(year); ok {
			return first
		}
	}
}

// back returns the year of the first date if the last is in year. It fails if a 29
// February is not in a leap year, but never for a year up to 1900: so First ends.
func (d *Dates) back(year int) (first int, ok bool) {
	start := year
	for i := len(d.days) - 1; i >= 0; i-- {
		if i+1 < len(d.days) && days(d.months[i], d.days[i])-days(d.months[i+1], d.days[i+1]) > fallback {
			year--
		}
		if d.months[i] == time.February && d.days[i] == 29 && !isLeap(year) && start > 1900 {
			return 0, false
		}
	}
	return year, true
}
