// Package tally counts in bounded memory, for any input.
package tally

import (
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/lookalike-dns/lookalike/build/internal/report"
)

// Room is the number of entries that some counters may still add together.
type Room int

// Take takes one, if there is any.
func (r *Room) Take() bool {
	if *r <= 0 {
		return false
	}
	*r--
	return true
}

// Tally counts under different keys.
type Tally struct {
	counts map[string]*report.Counts
	room   *Room
}

// New returns a tally that takes its entries from room.
func New(room *Room) Tally { return Tally{make(map[string]*report.Counts), room} }

// Add counts under key, and reports whether there was room for it. An empty key
// counts nowhere.
func (t Tally) Add(key string, c report.Counts) bool {
	at := t.counts[key]
	if at == nil {
		if key == "" || !t.room.Take() {
			return false
		}
		at = new(report.Counts)
		t.counts[key] = at
	}
	at.Add(c)
	return true
}

// Of returns the counts under key.
func (t Tally) Of(key string) report.Counts {
	if c := t.counts[key]; c != nil {
		return *c
	}
	return report.Counts{}
}

// Len returns the number of keys.
func (t Tally) Len() uint64 { return uint64(len(t.counts)) }

// Shares returns the first n, of what got away most first.
func (t Tally) Shares(b report.Basis, n int) []report.Share {
	all := make([]report.Share, 0, len(t.counts))
	for key, c := range t.counts {
		all = append(all, report.Share{Name: key, Counts: *c})
	}
	slices.SortFunc(all, func(x, y report.Share) int { return Rank(b, &x.Counts, &y.Counts, x.Name, y.Name) })
	if len(all) > n {
		all = slices.Clone(all[:n])
	}
	return all
}

// Rank orders by what got away, then by what did not, then by name.
func Rank(b report.Basis, x, y *report.Counts, xName, yName string) int {
	return cmp.Or(cmp.Compare(b.Leaked(y), b.Leaked(x)), cmp.Compare(b.Held(y), b.Held(x)), cmp.Compare(y.Allowed, x.Allowed), cmp.Compare(xName, yName))
}

var seed = maphash.MakeSeed()

// Distinct counts different texts by their hashes: of a million, it is expected
// to miss less than one.
type Distinct struct {
	seen map[uint64]struct{}
	room *Room
}

// NewDistinct returns a counter that takes its entries from room. Beyond that it
// counts too few.
func NewDistinct(room *Room) Distinct { return Distinct{make(map[uint64]struct{}), room} }

// Add counts a text, and reports whether it is a new one. An empty one is none.
func (d *Distinct) Add(s string) bool {
	if s == "" {
		return false
	}
	h := maphash.String(seed, s)
	if _, known := d.seen[h]; known || !d.room.Take() {
		return false
	}
	d.seen[h] = struct{}{}
	return true
}

// Count returns the number of different texts.
func (d *Distinct) Count() uint64 { return uint64(len(d.seen)) }

// Days is a set of days.
type Days struct {
	sorted []report.Date
	room   *Room
}

// NewDays returns a set that takes its entries from room.
func NewDays(room *Room) Days { return Days{room: room} }

// Add adds a day.
func (d *Days) Add(day report.Date) {
	at, known := slices.BinarySearch(d.sorted, day)
	if !known && d.room.Take() {
		d.sorted = slices.Insert(d.sorted, at, day)
	}
}

// Len returns the number of days.
func (d *Days) Len() int { return len(d.sorted) }
