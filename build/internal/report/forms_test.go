package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestCSV(t *testing.T) {
	tests := []struct{ name, cell, want string }{
		{"a name", "army.ml", "army.ml"},
		{"nothing", "", ""},
		{"a formula", "=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
		{"a sum", "+1+1", "'+1+1"},
		{"a difference", "-1", "'-1"},
		{"a function", "@SUM(A1)", "'@SUM(A1)"},
		{"within a cell", "a=b", "a=b"},
		{"a tab that hides a formula", "\t=1", `\009=1`},
		{"quotes and commas", `say "a,b"`, `say "a,b"`},
		{"text that turns", "\u202eyvan", `\226\128\174yvan`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			c := NewCSV(&b, []string{"first", "second"})
			if err := c.Write([]string{tc.cell, "x"}); err != nil {
				t.Fatal(err)
			}
			if err := c.Flush(); err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(&b).ReadAll()
			if err != nil || len(rows) != 2 || rows[1][0] != tc.want {
				t.Errorf("Got %q, error %v, want %q", rows, err, tc.want)
			}
		})
	}
}

// TestJSON reads what is written, and finds nothing that a terminal would obey.
func TestJSON(t *testing.T) {
	for name, p := range pages() {
		t.Run(name, func(t *testing.T) {
			body := written(t, p, "json")
			var back Page
			if err := json.Unmarshal(body, &back); err != nil {
				t.Fatal(err)
			}
			if back.Schema != Schema || back.Headline != p.Headline || len(back.Names) != len(p.Names) || back.Total != p.Total {
				t.Errorf("Got %+v", back)
			}
			for i := range back.Names {
				if back.Names[i].Name != p.Names[i].Name || back.Names[i].Class != p.Names[i].Class {
					t.Errorf("Got name %+v, want %+v", back.Names[i], p.Names[i])
				}
			}
			if i := bytes.IndexFunc(body, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("Got %q", body[i:min(i+20, len(body))])
			}
		})
	}
}

// TestTextIsForTerminals: nothing in the text form moves a cursor.
func TestTextIsForTerminals(t *testing.T) {
	for name, p := range pages() {
		if i := strings.IndexFunc(string(written(t, p, "text")), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: got a character at %d", name, i)
		}
	}
}

func TestHider(t *testing.T) {
	const address = "Alice.Smith@Example.net"
	hide := make(map[string]*Hider)
	for _, mode := range []string{Full, Pseudonym, None} {
		h, err := NewHider(mode)
		if err != nil {
			t.Fatal(err)
		}
		hide[mode] = h
	}
	if _, err := NewHider("some"); err == nil {
		t.Error("Got no error for an unknown mode")
	}
	if got := hide[Full].Address(address); got != address {
		t.Errorf("Got %q in full", got)
	}
	if got := hide[None].Address(address); got != "…@Example.net" {
		t.Errorf("Got %q of none", got)
	}
	p := hide[Pseudonym]
	got := p.Address(address)
	local, domain, _ := strings.Cut(got, "@")
	if len(local) != 8 || strings.Trim(local, "abcdefghijklmnopqrstuvwxyz234567") != "" || domain != "Example.net" {
		t.Errorf("Got %q", got)
	}
	if lower, _, _ := strings.Cut(p.Address("alice.smith@example.net"), "@"); lower != local {
		t.Errorf("Got %q and %q for addresses that differ in case", lower, local)
	}
	other, _ := NewHider(Pseudonym)
	if other.Address(address) == got {
		t.Error("Two reports have the same key")
	}
	if got := p.Address(""); got != "" {
		t.Errorf("Got %q of nothing", got)
	}
}

// TestHiderLine: lines of a log are shown where they were not understood.
func TestHiderLine(t *testing.T) {
	h, err := NewHider(None)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ line, want string }{
		{"no address here", "no address here"},
		{"to=<bob@example.ml>, from=<alice@example.net>", "to=<…@example.ml>, from=<…@example.net>"},
		{"bob@example.ml", "…@example.ml"},
		{`"John Doe" <j.doe@example.org> said`, `"John Doe" <…@example.org> said`},
		{"a@b@c", "…@b…@c"},
		{"ends in @", "ends in …@"},
		{"client @0x7fbe 192.0.2.1", "client …@0x7fbe 192.0.2.1"},
	}
	for _, tc := range tests {
		if got := h.Line(tc.line); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.line, got, tc.want)
		}
	}
}

func TestWords(t *testing.T) {
	at := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 9, 0, 0, 0, time.UTC) }
	tests := []struct{ got, want string }{
		{Number(0), "0"}, {Number(999), "999"}, {Number(1000), "1,000"}, {Number(1234567), "1,234,567"},
		{Some(1, "query"), "1 query"}, {Some(2, "query"), "2 queries"}, {Some(0, "message"), "0 messages"},
		{Span(at(2026, 3, 2), at(2026, 11, 25)), "between 2 March and 25 November 2026"},
		{Span(at(2025, 12, 30), at(2026, 1, 2)), "between 30 December 2025 and 2 January 2026"},
		{Span(at(2026, 3, 2), at(2026, 3, 2)), "on 2 March 2026"},
		{Span(time.Time{}, time.Time{}), "at unknown times"},
		{share(0, 10), "0 %"}, {share(10, 10), "100 %"}, {share(1, 100000), "< 0.1 %"}, {share(99999, 100000), "> 99.9 %"}, {share(1, 3), "33.3 %"}, {share(0, 0), "0 %"},
		{middle("short.ml", 10), "short.ml"}, {middle("a-very-long-name.example.ml", 12), "a-very-…e.ml"},
		{wrap("one two three", 7), "one two\nthree"},
		{ZoneName(time.UTC, at(2026, 1, 1)), "UTC"},
		{(&Estimate{3, 3}).String(), "3"}, {(&Estimate{3, 27}).String(), "3 to 27"},
	}
	for _, tc := range tests {
		if tc.got != tc.want {
			t.Errorf("Got %q, want %q", tc.got, tc.want)
		}
	}
}

// next returns the beginning of the unit after the one that begins at t.
func next(u Unit, t time.Time) time.Time {
	switch u {
	case Week:
		return t.AddDate(0, 0, 7)
	case Month:
		return t.AddDate(0, 1, 0)
	}
	return t.AddDate(0, 0, 1)
}

func TestTrend(t *testing.T) {
	from := DateOf(time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)) // a Wednesday
	tests := []struct {
		name    string
		days    Date
		seen    func(Date) bool
		unit    Unit
		buckets int
		gaps    string // of the buckets
	}{
		{"one day", 1, nil, Day, 1, "-"},
		{"a month", 30, nil, Day, 30, strings.Repeat("-", 30)},
		{"ten weeks", 70, nil, Week, 11, strings.Repeat("-", 11)},
		{"a gap", 70, func(d Date) bool { return d < from+7 || d >= from+21 }, Week, 11, "-sas-------"},
		{"nothing seen", 3, func(Date) bool { return false }, Day, 3, "aaa"},
		{"ten years", 3650, nil, Month, 120, strings.Repeat("-", 120)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			counts := make(map[Date]Counts)
			for d := from; d < from+tc.days; d++ {
				counts[d] = Counts{Delivered: 1}
			}
			got := NewTrend(from, from+tc.days-1, time.UTC, counts, tc.seen)
			var sum Counts
			gaps := ""
			for i, b := range got.Buckets {
				sum.Add(b.Counts)
				gaps += map[Gap]string{NoGap: "-", SomeDays: "s", AllDays: "a"}[b.Gap]
				if i > 0 && !next(got.Unit, got.Buckets[i-1].Start).Equal(b.Start) {
					t.Errorf("Got bucket %v after %v", b.Start, got.Buckets[i-1].Start)
				}
			}
			if got.Unit != tc.unit || len(got.Buckets) != tc.buckets || gaps != tc.gaps || sum.Delivered != uint64(tc.days) {
				t.Errorf("Got %d of %s, gaps %s, %d delivered; want %d of %s, gaps %s", len(got.Buckets), got.Unit, gaps, sum.Delivered, tc.buckets, tc.unit, tc.gaps)
			}
		})
	}
}

// TestTrendOverClockChange: a day of 23 hours is a day.
func TestTrendOverClockChange(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from, to := time.Date(2026, 3, 20, 0, 0, 0, 0, zone), time.Date(2026, 4, 5, 23, 59, 0, 0, zone)
	got := NewTrend(DateOf(from), DateOf(to), zone, nil, nil)
	if n := len(got.Buckets); n != 17 || !got.Buckets[0].Start.Equal(from) || DateOf(got.Buckets[16].Start) != DateOf(to) {
		t.Errorf("Got %d days, from %v to %v", n, got.Buckets[0].Start, got.Buckets[n-1].Start)
	}
}
