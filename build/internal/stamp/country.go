package stamp

import (
	"bytes"
	"time"
)

// DayOrder says which number of a date is the day.
type DayOrder uint8

// The orders.
const (
	DayFirst DayOrder = iota
	MonthFirst
	EitherFirst // the date is valid either way
)

// Country reads a time in UTC: ISO 8601, or the writing of a country, such as
// "11/25/2026 9:54:52 PM", "25.11.2026 21:54:52" or "25-11-2026 21:54". It returns the
// times of both orders; for EitherFirst, both are valid.
func Country(b []byte) (times [2]time.Time, order DayOrder, ok bool) {
	clock := Clock{Location: time.UTC}
	for _, sep := range []byte{'T', ' '} {
		if t, _, _, ok := clock.ISO(b, sep); ok {
			return [2]time.Time{t, t}, DayFirst, true
		}
	}
	var n [6]int
	count, sep, rest := numbers(b, &n)
	if count < 5 {
		return times, order, false
	}
	if n[0] > 999 { // 2026/11/25 21:54
		n[0], n[2] = n[2], n[0]
		n[0], n[1] = n[1], n[0]
		sep = 'y'
	}
	if n[2] < 1900 || n[2] > 2199 || n[3] > 23 || n[4] > 59 || n[5] > 60 {
		return times, order, false
	}
	n[3] = hour(n[3], rest)
	days, months := valid(n[0], n[1]), valid(n[1], n[0])
	switch {
	case sep == 'y' && months, months && !days:
		order = MonthFirst
	case days && (!months || sep == '.' || n[0] == n[1]):
		order = DayFirst
	case days && months:
		order = EitherFirst
	default:
		return times, order, false
	}
	times[DayFirst] = time.Date(n[2], time.Month(n[1]), n[0], n[3], n[4], n[5], 0, time.UTC)
	times[MonthFirst] = time.Date(n[2], time.Month(n[0]), n[1], n[3], n[4], n[5], 0, time.UTC)
	return times, order, true
}

func valid(day, month int) bool { return day >= 1 && day <= 31 && month >= 1 && month <= 12 }

// numbers reads up to six numbers. It returns the character before the second one,
// and the rest.
func numbers(b []byte, n *[6]int) (count int, sep byte, rest []byte) {
	for i := 0; i < len(b) && count < len(n); {
		if b[i]-'0' > 9 {
			if count == 1 {
				sep = b[i]
			}
			i++
			continue
		}
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			n[count] = min(n[count]*10+int(b[i]-'0'), 1<<20)
		}
		count++
		rest = b[i:]
	}
	return count, sep, rest
}

// hour returns the hour of the day. A rest that begins with a or p, in any country's
// writing of a.m. and p.m., makes the clock one of 12 hours.
func hour(h int, rest []byte) int {
	rest = bytes.ToLower(bytes.TrimSpace(rest))
	switch {
	case bytes.HasPrefix(rest, []byte("p")) && h < 12:
		return h + 12
	case bytes.HasPrefix(rest, []byte("a")) && h == 12:
		return 0
	}
	return h
}
