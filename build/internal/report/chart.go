package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// The charts are SVG without a viewBox: what goes across is a percentage, what
// goes up is in pixels, so letters keep their size on a narrow screen.

// Percent writes a share of the width.
func Percent(of, all float64) string {
	if all == 0 {
		return "0"
	}
	return strconv.FormatFloat(100*of/all, 'f', 3, 64)
}

// bars is a chart of horizontal bars.
type bars struct {
	ID, Title, Desc string
	Height          int
	Bars            []bar
}

type bar struct {
	Label        string
	Value, More  string // what leaked, and what did not
	TextY, Y     int
	Leaked, Held string // width in percent, empty: none
}

// What a bar takes, in pixels, and how many letters of a label fit a screen of
// 320 pixels.
const (
	barPitch  = 34
	barLabel  = 30
	mostShown = 12
)

// newBars draws the first of the rows.
func newBars(id, title string, b Basis, rows []shareRow) bars {
	rows = rows[:min(len(rows), mostShown)]
	c := bars{ID: id, Title: title, Height: barPitch*len(rows) + 4}
	var most uint64
	for _, r := range rows {
		most = max(most, r.Leaked+r.Held)
	}
	var told []string
	for i, r := range rows {
		drawn := bar{
			Label: middle(text.Visible(r.Label), barLabel), Value: Number(r.Leaked),
			TextY: i*barPitch + 15, Y: i*barPitch + 21,
		}
		if r.Leaked > 0 || r.Held > 0 {
			drawn.Leaked = Percent(float64(r.Leaked), float64(most))
		}
		if r.Held > 0 {
			drawn.More = Number(r.Held)
			drawn.Held = Percent(float64(r.Held), float64(most))
		}
		c.Bars = append(c.Bars, drawn)
		if i < 3 {
			told = append(told, fmt.Sprintf("%s %s and %s", text.Visible(r.Label), Number(r.Leaked), Number(r.Held)))
		}
	}
	c.Desc = fmt.Sprintf("Bars of %s, %s and %s: %s. The table has all numbers.",
		Some(uint64(len(rows)), "row"), lower(bases[b].leaked), lower(bases[b].held), strings.Join(told, ", "))
	return c
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// middle shortens a text to n characters in its middle, so that its beginning
// and its TLD stay.
func middle(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	tail := n / 3
	return string(r[:n-tail-1]) + "…" + string(r[len(r)-tail:])
}

// weeks is the chart of the trend.
type weeks struct {
	Heading, Desc       string
	Height, Base, TickY int
	Grid                []gridLine
	Bars                []column
	Ticks               []tick
	Gaps                bool
	Tables              []trendTable
}

type gridLine struct {
	Y, TextY int
	Text     string
}

type column struct {
	X, Width, Slot  string // percent
	Leaked, Held    int    // heights
	LeakedY, HeldY  int
	Gap             bool
	GapY, GapHeight int
}

type tick struct{ X, Text string }

// The height of the plot, and what stands above and below it, in pixels.
const (
	plotTop    = 20
	plotHeight = 170
	plotBelow  = 24
)

// newWeeks draws a trend.
func newWeeks(t *Trend, b Basis, heading string) weeks {
	w := weeks{Heading: heading, Base: plotTop + plotHeight, Height: plotTop + plotHeight + plotBelow, TickY: plotTop + plotHeight + 17}
	var most uint64
	for i := range t.Buckets {
		c := &t.Buckets[i].Counts
		most = max(most, b.Leaked(c)+b.Held(c))
	}
	top := ceiling(most)
	for _, share := range []uint64{4, 2} {
		if v := top * share / 4; v > 0 {
			y := plotTop + plotHeight - int(plotHeight*share/4) //nolint:gosec // at most plotHeight
			w.Grid = append(w.Grid, gridLine{y, y + 4, Number(v)})
		}
	}
	n := float64(len(t.Buckets))
	for i := range t.Buckets {
		bucket := &t.Buckets[i]
		col := column{
			X: Percent(float64(i)+.1, n), Width: Percent(.8, n), Slot: Percent(.8, n), Gap: bucket.Gap == AllDays,
			GapY: plotTop, GapHeight: plotHeight,
		}
		if bucket.Gap == SomeDays {
			col.Gap, col.GapY, col.GapHeight = true, w.Base-6, 6
		}
		w.Gaps = w.Gaps || col.Gap
		leaked, held := b.Leaked(&bucket.Counts), b.Held(&bucket.Counts)
		col.Leaked, col.Held = Height(leaked, top, plotHeight), Height(held, top, plotHeight)
		col.LeakedY = w.Base - col.Leaked
		col.HeldY = col.LeakedY - col.Held
		w.Bars = append(w.Bars, col)
	}
	w.Ticks = ticks(t)
	w.Desc = t.desc(b)
	w.Tables = t.tables(b)
	return w
}

// Height returns how many of all pixels a bar for n takes where top takes all; what
// is there is seen.
func Height(n, top uint64, all int) int {
	if n == 0 {
		return 0
	}
	return max(2, int(math.Round(float64(all)*float64(n)/float64(top))))
}

// ceiling returns a round number from n on, that can be halved.
func ceiling(n uint64) uint64 {
	for scale := uint64(1); ; scale *= 10 {
		for _, m := range []uint64{2, 4, 6, 8, 10} {
			if n <= m*scale {
				return m * scale
			}
		}
	}
}

// mostTicks is how many dates fit below a chart on a screen of 320 pixels.
const mostTicks = 4

// ticks returns the dates below the bars: the first bucket of months, or days.
func ticks(t *Trend) []tick {
	var all []tick
	for i := range t.Buckets {
		start := t.Buckets[i].Start
		label := start.Format("2 Jan")
		if t.Unit != Day {
			if i > 0 && start.Month() == t.Buckets[i-1].Start.Month() {
				continue
			}
			label = start.Format("Jan 2006")
		}
		all = append(all, tick{Percent(float64(i)+.1, float64(len(t.Buckets))), label})
	}
	step := (len(all) + mostTicks - 1) / mostTicks
	var some []tick
	for i := 0; i < len(all); i += max(step, 1) {
		if step > 1 && i > 0 && len(all)-i < step/2 {
			break // no room to the right
		}
		some = append(some, all[i])
	}
	return some
}

// desc tells the chart in a few words.
func (t *Trend) desc(b Basis) string {
	if len(t.Buckets) == 0 {
		return "There is no time to show."
	}
	best, gaps := 0, uint64(0)
	for i := range t.Buckets {
		if b.Leaked(&t.Buckets[i].Counts)+b.Held(&t.Buckets[i].Counts) > b.Leaked(&t.Buckets[best].Counts)+b.Held(&t.Buckets[best].Counts) {
			best = i
		}
		if t.Buckets[i].Gap == AllDays {
			gaps++
		}
	}
	c := &t.Buckets[best].Counts
	s := fmt.Sprintf("Bars for %s from %s to %s. The highest is %s: %s %s, %s %s.",
		Some(uint64(len(t.Buckets)), string(t.Unit)), day(t.Buckets[0].Start), day(t.Buckets[len(t.Buckets)-1].Start),
		t.Unit.text(t.Buckets[best].Start), lower(bases[b].leaked), Number(b.Leaked(c)), lower(bases[b].held), Number(b.Held(c)))
	if gaps > 0 {
		s += fmt.Sprintf(" Nothing was logged in %s.", Some(gaps, string(t.Unit)))
	}
	return s
}

// trendTable is a part of the numbers of a trend, so that a year takes three
// short tables side by side.
type trendTable struct {
	Caption, Unit string
	Rows          []trendRow
}

type trendRow struct {
	Label        string
	Gap          string
	Leaked, Held uint64
}

// tables lists the buckets in which something happened, and the gaps.
func (t *Trend) tables(b Basis) []trendTable {
	var rows []trendRow
	for i := 0; i < len(t.Buckets); i++ {
		bucket := &t.Buckets[i]
		leaked, held := b.Leaked(&bucket.Counts), b.Held(&bucket.Counts)
		switch {
		case bucket.Gap == AllDays:
			first := bucket.Start
			for i+1 < len(t.Buckets) && t.Buckets[i+1].Gap == AllDays {
				i++
			}
			label := t.Unit.short(first)
			if last := t.Buckets[i].Start; !last.Equal(first) {
				label += " to " + t.Unit.short(last)
			}
			rows = append(rows, trendRow{Label: label, Gap: "nothing logged"})
		case leaked+held > 0:
			label := t.Unit.short(bucket.Start)
			if bucket.Gap == SomeDays {
				label += " (not all days)"
			}
			rows = append(rows, trendRow{Label: label, Leaked: leaked, Held: held})
		}
	}
	return split(rows, string(t.Unit))
}

// split deals rows out to at most three tables.
func split(rows []trendRow, unit string) []trendTable {
	parts := min(3, max(1, (len(rows)+7)/8))
	size := max(1, (len(rows)+parts-1)/parts)
	var tables []trendTable
	for i := 0; i < len(rows); i += size {
		caption := "By " + unit + "; those without any are left out"
		if i > 0 {
			caption = "By " + unit + ", continued"
		}
		title := strings.ToUpper(unit[:1]) + unit[1:]
		if unit == string(Week) {
			title = "Week of"
		}
		tables = append(tables, trendTable{caption, title, rows[i:min(i+size, len(rows))]})
	}
	return tables
}
