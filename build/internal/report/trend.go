package report

import "time"

// Unit is how long the buckets of a trend are.
type Unit string

// The units.
const (
	Day   Unit = "day"
	Week  Unit = "week" // from Monday
	Month Unit = "month"
)

// mostBuckets is how many bars a chart can show side by side on a page.
const mostBuckets = 160

// start returns the beginning of the unit that t lies in, in the zone of t.
func (u Unit) start(t time.Time) time.Time {
	y, m, d := t.Date()
	switch u {
	case Week:
		d -= (int(t.Weekday()) + 6) % 7
	case Month:
		d = 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// unitFor returns the unit that a period is shown in: weeks, unless there are
// too few or too many of them.
func unitFor(from, to time.Time) Unit {
	days := int(to.Sub(from) / (24 * time.Hour))
	switch {
	case days <= 45:
		return Day
	case days <= 7*mostBuckets:
		return Week
	}
	return Month
}

// Date is a day, as the number of days since 1970-01-01 in some zone.
type Date int32

// DateOf returns the day of t in its zone.
func DateOf(t time.Time) Date {
	_, offset := t.Zone()
	seconds := t.Unix() + int64(offset)
	if seconds < 0 {
		return 0
	}
	return Date(seconds / (24 * 60 * 60)) //nolint:gosec // until the year 5,881,580
}

// in returns when the day begins in a zone.
func (d Date) in(zone *time.Location) time.Time {
	return time.Date(1970, 1, 1+int(d), 0, 0, 0, 0, zone)
}

// NewTrend returns the trend from one day to another. A day on which nothing was
// seen is a gap: where seen is nil, there are none.
func NewTrend(from, to Date, zone *time.Location, counts map[Date]Counts, seen func(Date) bool) Trend {
	t := Trend{Unit: unitFor(from.in(zone), to.in(zone))}
	missing := 0
	days := 0
	flush := func() {
		if days == 0 {
			return
		}
		b := &t.Buckets[len(t.Buckets)-1]
		switch {
		case missing == days:
			b.Gap = AllDays
		case missing > 0:
			b.Gap = SomeDays
		}
		missing, days = 0, 0
	}
	for d := from; d <= to; d++ {
		start := t.Unit.start(d.in(zone))
		if n := len(t.Buckets); n == 0 || !t.Buckets[n-1].Start.Equal(start) {
			flush()
			t.Buckets = append(t.Buckets, Bucket{Start: start})
		}
		days++
		if seen != nil && !seen(d) {
			missing++
		}
		t.Buckets[len(t.Buckets)-1].Add(counts[d])
	}
	flush()
	return t
}
