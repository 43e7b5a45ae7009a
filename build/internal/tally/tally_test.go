package tally

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lookalike-dns/lookalike/build/internal/report"
)

func TestTally(t *testing.T) {
	room := Room(3)
	a, b := New(&room), New(&room)
	tests := []struct {
		name string
		to   Tally
		key  string
		n    uint64
		want bool // whether there was room
	}{
		{"the first", a, "one", 1, true},
		{"the same again", a, "one", 2, true},
		{"another", a, "two", 9, true},
		{"in the other tally", b, "one", 5, true},
		{"one too many", a, "three", 1, false},
		{"a known one without room", b, "one", 1, true},
		{"no key", a, "", 1, false},
	}
	for _, tc := range tests {
		if got := tc.to.Add(tc.key, report.Counts{Delivered: tc.n}); got != tc.want {
			t.Errorf("%s: got %v", tc.name, got)
		}
	}
	if a.Of("one").Delivered != 3 || b.Of("one").Delivered != 6 || a.Of("three") != (report.Counts{}) || a.Len() != 2 {
		t.Errorf("Got %+v, %+v", a.Of("one"), b.Of("one"))
	}
	var names []string
	for _, s := range a.Shares(report.Mail, 5) {
		names = append(names, s.Name)
	}
	if !slices.Equal(names, []string{"two", "one"}) || len(a.Shares(report.Mail, 1)) != 1 {
		t.Errorf("Got %q", names)
	}
}

func TestDistinctAndDays(t *testing.T) {
	room := Room(10)
	d := NewDistinct(&room)
	for i := range 20 {
		if got, want := d.Add(fmt.Sprint(i%7)), i < 7; got != want {
			t.Errorf("Got new %v for text %d", got, i)
		}
	}
	if d.Add("") || d.Count() != 7 {
		t.Errorf("Got %d different ones", d.Count())
	}
	days := NewDays(&room)
	for _, day := range []report.Date{5, 1, 5, 3, 9, 1} {
		days.Add(day)
	}
	if days.Len() != 3 || !slices.Equal(days.sorted, []report.Date{1, 3, 5}) {
		t.Errorf("Got days %v, with room for 3", days.sorted)
	}
}
