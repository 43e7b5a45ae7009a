package stamp

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// limit is when the files of the tests were written.
var limit = time.Date(2026, time.November, 26, 6, 25, 0, 0, time.UTC)

// years returns the times of lines that have no years.
func years(file string, known bool) string {
	c := Clock{Location: time.UTC, Years: Years{Limit: limit}}
	if known {
		var d Dates
		d.Sample([]byte(file), true)
		c.Years.Begin(d.First(limit, time.UTC))
	}
	var all []string
	for line := range strings.Lines(file) {
		t, _, ok := c.BSD([]byte(line))
		if !ok {
			all = append(all, "none")
			continue
		}
		all = append(all, t.Format("2006-01-02"))
	}
	return strings.Join(all, " ")
}

func TestYears(t *testing.T) {
	for _, row := range []struct{ name, days, want, unknown string }{
		{"this year", "Nov 24|Nov 25", "2026-11-24 2026-11-25", ""},
		{"the day after the file, as a clock that is fast has it", "Nov 27", "2026-11-27", ""},
		{"last year", "Nov 28|Nov 29", "2025-11-28 2025-11-29", ""},
		{"over new year", "Dec 31|Jan  1|Feb  2", "2025-12-31 2026-01-01 2026-02-02", ""},
		{"over two new years", "Dec 31|Jan  1|Jun  1|Dec 31|Jan  1", "2024-12-31 2025-01-01 2025-06-01 2025-12-31 2026-01-01",
			"2025-12-31 2026-01-01 2026-06-01 2025-12-31 2026-01-01"}, // standard input cannot be read twice
		{"a line that comes late", "Dec 31|Jan  1|Dec 31|Jan  1|Jan  2", "2025-12-31 2026-01-01 2025-12-31 2026-01-01 2026-01-02", ""},
		{"a leap day", "Feb 28|Feb 29|Mar  1", "2024-02-28 2024-02-29 2024-03-01", "2026-02-28 2024-02-29 2026-03-01"},
		{"a leap day, then two years", "Feb 29|Jan  1|Jan  2|Dec  1|Jan  1", "2024-02-29 2025-01-01 2025-01-02 2025-12-01 2026-01-01", "2024-02-29 2025-01-01 2025-01-02 2025-12-01 2026-01-01"},
		{"a clock that is set back by a week", "Nov 20|Nov 13|Nov 14", "2026-11-20 2026-11-13 2026-11-14", ""},
		{"no stamp", "Nov 31x", "none", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var file strings.Builder
			for day := range strings.SplitSeq(row.days, "|") {
				fmt.Fprintf(&file, "%s 12:00:00 mx\n", day)
			}
			if got := years(file.String(), true); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
			if row.unknown != "" {
				row.want = row.unknown
			}
			if got := years(file.String(), false); got != row.want {
				t.Errorf("without a look at the file: got %s, want %s", got, row.want)
			}
		})
	}
}

func TestISO(t *testing.T) {
	east := time.FixedZone("", 3600)
	for _, row := range []struct{ name, text, want, rest string }{
		{"UTC", "2026-11-25T21:54:52Z x", "2026-11-25T21:54:52Z", " x"},
		{"a fraction and a zone", "2026-11-25T21:54:52.103412+01:00", "2026-11-25T20:54:52.103412Z", ""},
		{"a comma, and a zone without colon", "2026-11-25T21:54:52,5-0530", "2026-11-26T03:24:52.5Z", ""},
		{"no zone", "2026-11-25T21:54:52 x", "2026-11-25T20:54:52Z", " x"},
		{"no month", "2026-13-25T21:54:52Z", "", "2026-13-25T21:54:52Z"},
		{"no minute", "2026-11-25T21:64:52Z", "", "2026-11-25T21:64:52Z"},
		{"cut off", "2026-11-25T21", "", "2026-11-25T21"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := Clock{Location: east}
			for range 2 { // the second time the hour is known
				at, rest, _, ok := c.ISO([]byte(row.text), 'T')
				got := ""
				if ok {
					got = at.UTC().Format(time.RFC3339Nano)
				}
				if got != row.want || string(rest) != row.rest {
					t.Errorf("got %s and %q, want %s and %q", got, rest, row.want, row.rest)
				}
			}
		})
	}
}

func TestNameDate(t *testing.T) {
	for _, row := range []struct{ path, want string }{
		{"/var/log/maillog-20261125.gz", "2026-11-26"},
		{"/srv/20250101/mail.log", ""},
		{"MSGTRK2026112521-1.LOG", "2026-11-26"},
		{"dns.2026-11-25.log", "2026-11-26"},
		{"mail.log.20261131", "2026-12-02"},
		{"mail.log.1", ""},
		{"mail-12026112.log", ""},
	} {
		t.Run(row.path, func(t *testing.T) {
			end, ok := NameDate(row.path, time.UTC)
			got := ""
			if ok {
				got = end.Format(time.DateOnly)
			}
			if got != row.want {
				t.Errorf("NameDate(%q) = %s, want %s", row.path, got, row.want)
			}
		})
	}
}

// FuzzStamps compares the clock, which remembers hours, with a fresh one, and
// with the standard library.
func FuzzStamps(f *testing.F) {
	f.Add("2026-11-25T21:54:52.103Z", "Nov 25 21:54:52")
	f.Add("2026-02-29T21:54:52+01:00", "Feb 29 21:54:52.5")
	f.Fuzz(func(t *testing.T, iso, bsd string) {
		used := Clock{Location: time.UTC, Years: Years{Limit: limit}}
		used.ISO([]byte("2026-11-25T21:54:52Z"), 'T')
		used.BSD([]byte(bsd))
		fresh := Clock{Location: time.UTC, Years: Years{Limit: limit}}
		a, rest, _, ok := used.ISO([]byte(iso), 'T')
		b, _, _, fok := fresh.ISO([]byte(iso), 'T')
		if ok != fok || !a.Equal(b) {
			t.Errorf("%q is %v, and %v for a fresh clock", iso, a, b)
		}
		if want, err := time.Parse(time.RFC3339Nano, iso); err == nil && len(rest) == 0 && (!ok || a.Sub(want).Abs() > time.Microsecond) {
			t.Errorf("%q is %v, want %v", iso, a, want)
		}
		at, _, ok := fresh.BSD([]byte(bsd))
		if ok && at.After(limit.Add(Grace+24*time.Hour)) {
			t.Errorf("%q is %v, which is after %v", bsd, at, limit)
		}
	})
}

func TestCountry(t *testing.T) {
	const either = "either "
	for _, row := range []struct{ name, text, want string }{
		{"ISO", "2026-11-25T21:54:52.103Z", "2026-11-25 21:54"},
		{"ISO with a blank", "2026-11-25 21:54:52Z", "2026-11-25 21:54"},
		{"the USA", "11/25/2026 9:54:52 PM", "2026-11-25 21:54"},
		{"the USA, after midnight", "11/25/2026 12:54:52 AM", "2026-11-25 00:54"},
		{"Britain", "25/11/2026 21:54:52", "2026-11-25 21:54"},
		{"Germany", "05.11.2026 21:54:52", "2026-11-05 21:54"},
		{"the Netherlands, without seconds", "25-11-2026 21:54", "2026-11-25 21:54"},
		{"Japan", "2026/11/05 21:54:52", "2026-11-05 21:54"},
		{"Spain", "25/11/2026 9:54:52 p. m.", "2026-11-25 21:54"},
		{"who knows", "05/11/2026 21:54:52", either + "2026-11-05 21:54, 2026-05-11 21:54"},
		{"the same number twice", "11/11/2026 21:54:52", "2026-11-11 21:54"},
		{"no month", "25/13/2026 21:54:52", ""},
		{"no hour", "25/11/2026 31:54:52", ""},
		{"no time", "25/11/2026", ""},
		{"nothing", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			times, order, ok := Country([]byte(row.text))
			got, layout := "", "2006-01-02 15:04"
			switch {
			case ok && order == EitherFirst:
				got = either + times[DayFirst].Format(layout) + ", " + times[MonthFirst].Format(layout)
			case ok:
				got = times[order].Format(layout)
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
