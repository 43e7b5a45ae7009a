// Package stamp reads the times of logs, even without a year or a zone. Reading a
// stamp allocates no memory.
package stamp

import "time"

// months maps the letters of a month's name in syslog (RFC 3164 section 4.1.2), as
// one number, to the month.
var months = func() map[uint32]time.Month {
	m := make(map[uint32]time.Month, 12)
	for i := time.January; i <= time.December; i++ {
		m[letters([]byte(i.String()))] = i
	}
	return m
}()

// Month returns the month that the first three letters name, such as Nov, or 0.
func Month(b []byte) time.Month {
	if len(b) < 3 {
		return 0
	}
	return months[letters(b)]
}

func letters(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

// stampLen is the length of "Nov 25 21:54:52".
const stampLen = 15

// Date reads the date and the hour of a stamp in the style of RFC 3164, such as
// "Nov 25 21:54:52".
func Date(b []byte) (month time.Month, day, hour int, ok bool) {
	if len(b) < stampLen || b[3] != ' ' || b[6] != ' ' || b[9] != ':' || b[12] != ':' {
		return 0, 0, 0, false
	}
	month = Month(b)
	day = int(b[5] - '0')
	if b[4] != ' ' {
		day += 10 * int(b[4]-'0')
	}
	hour = two(b[7:])
	return month, day, hour, month > 0 && day >= 1 && day <= 31 && hour >= 0 && hour < 24
}

// two reads two digits, and returns -1 for anything else.
func two(b []byte) int {
	tens, ones := b[0]-'0', b[1]-'0'
	if tens > 9 || ones > 9 {
		return -1
	}
	return int(tens)*10 + int(ones)
}

func four(b []byte) int {
	high, low := two(b), two(b[2:])
	if high < 0 || low < 0 {
		return -1
	}
	return high*100 + low
}

// fraction reads a fraction of a second, if there is one, and returns the rest.
func fraction(b []byte) (time.Duration, []byte) {
	if len(b) < 2 || b[0] != '.' && b[0] != ',' || b[1]-'0' > 9 {
		return 0, b
	}
	var nano time.Duration
	unit := 100 * time.Millisecond
	b = b[1:]
	for len(b) > 0 && b[0]-'0' <= 9 {
		nano += time.Duration(b[0]-'0') * unit
		unit /= 10
		b = b[1:]
	}
	return nano, b
}

// Zone reads Z, +01:00, +0100 or +01. It returns the offset in seconds east of
// Greenwich, and the rest.
func Zone(b []byte) (offset int, rest []byte, ok bool) {
	if len(b) > 0 && b[0] == 'Z' {
		return 0, b[1:], true
	}
	if len(b) < 3 || b[0] != '+' && b[0] != '-' {
		return 0, b, false
	}
	sign := 1
	if b[0] == '-' {
		sign = -1
	}
	hours, minutes := two(b[1:]), 0
	rest = b[3:]
	more := rest
	if len(more) > 0 && more[0] == ':' {
		more = more[1:]
	}
	if len(more) >= 2 {
		if m := two(more); m >= 0 {
			minutes, rest = m, more[2:]
		}
	}
	if hours < 0 || hours > 15 || minutes > 59 {
		return 0, b, false
	}
	return sign * (hours*3600 + minutes*60), rest, true
}

// Clock reads the stamps of one file, in their order. To be fast, it computes the date
// once an hour and adds minutes and seconds. It is not safe for concurrent use.
type Clock struct {
	Location *time.Location // of stamps without a zone
	Years    Years          // of stamps without a year

	hour [13]byte // of the last stamp: "Nov 25 21" or "2026-11-25T21"
	base time.Time

	bsd  [stampLen]byte // the last stamp of RFC 3164: a busy log repeats it
	last time.Time
}

// BSD reads a stamp in the style of RFC 3164, without year and zone, and returns the
// rest.
func (c *Clock) BSD(b []byte) (t time.Time, rest []byte, ok bool) {
	if len(b) < stampLen || b[9] != ':' {
		return t, b, false
	}
	if string(b[:stampLen]) == string(c.bsd[:]) {
		more, rest := fraction(b[stampLen:])
		return c.last.Add(more), rest, true
	}
	if string(b[:9]) != string(c.hour[:9]) || c.hour[9] != 0 {
		month, day, hour, ok := Date(b)
		if !ok {
			return t, b, false
		}
		c.base = c.Years.date(month, day, hour, c.Location)
		c.hour = [13]byte{}
		copy(c.hour[:], b[:9])
	}
	minute, second := two(b[10:]), two(b[13:])
	if minute < 0 || minute > 59 || second < 0 || second > 60 || b[12] != ':' {
		return t, b, false
	}
	c.bsd = [stampLen]byte(b)
	c.last = c.base.Add(time.Duration(minute*60+second) * time.Second)
	more, rest := fraction(b[stampLen:])
	return c.last.Add(more), rest, true
}

// isoLen is the length of "2026-11-25T21:54:52".
const isoLen = 19

// ISO reads a stamp of RFC 3339 or ISO 8601, with sep between date and time. It returns
// the rest, and whether the stamp has a zone.
func (c *Clock) ISO(b []byte, sep byte) (t time.Time, rest []byte, zoned, ok bool) {
	if len(b) < isoLen || b[4] != '-' || b[7] != '-' || b[10] != sep || b[13] != ':' || b[16] != ':' {
		return t, b, false, false
	}
	if string(b[:13]) != string(c.hour[:]) {
		year, month, day, hour := four(b), two(b[5:]), two(b[8:]), two(b[11:])
		if year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 {
			return t, b, false, false
		}
		// As UTC for now: the zone, if there is one, comes last.
		c.base = time.Date(year, time.Month(month), day, hour, 0, 0, 0, time.UTC)
		copy(c.hour[:], b[:13])
	}
	minute, second := two(b[14:]), two(b[17:])
	if minute < 0 || minute > 59 || second < 0 || second > 60 {
		return t, b, false, false
	}
	more, rest := fraction(b[isoLen:])
	offset, rest, zoned := Zone(rest)
	t = c.base.Add(time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + more)
	if zoned {
		return t.Add(time.Duration(-offset) * time.Second), rest, true, true
	}
	return local(t, c.Location), rest, false, true
}

// local returns the time at which a clock at loc shows the date and time of t.
func local(t time.Time, loc *time.Location) time.Time {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return time.Date(year, month, day, hour, minute, second, t.Nanosecond(), loc)
}
