package audit

import (
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/lookalike-dns/lookalike/build/internal/report"
)

// limits bound the memory of an audit, whatever the logs hold: about 100 MB in
// all. What comes beyond them is counted in the totals only.
type limits struct {
	names    int // lookalikes that are told apart
	entries  int // senders and hosts of single names
	days     int // of single names
	messages int // that are shown
	others   int // hosts, domains and senders of all names
}

var usual = limits{names: 20_000, entries: 300_000, days: 500_000, messages: 40_000, others: 100_000}

// take takes one from what is left, if anything is.
func take(left *int) bool {
	if *left <= 0 {
		return false
	}
	*left--
	return true
}

// tally counts under different keys.
type tally struct {
	counts map[string]*report.Counts
	left   *int
}

func newTally(left *int) tally { return tally{make(map[string]*report.Counts), left} }

// of returns the counts under key, or nil where there is no room for them.
func (t tally) of(key string) *report.Counts {
	c := t.counts[key]
	if c == nil && key != "" && take(t.left) {
		c = new(report.Counts)
		t.counts[key] = c
	}
	return c
}

// add counts under key, if there is room.
func (t tally) add(key string, c report.Counts) {
	if at := t.of(key); at != nil {
		at.Add(c)
	}
}

// shares returns the first n, of what got away most first.
func (t tally) shares(b report.Basis, n int) []report.Share {
	all := make([]report.Share, 0, len(t.counts))
	for key, c := range t.counts {
		all = append(all, report.Share{Name: key, Counts: *c})
	}
	slices.SortFunc(all, func(x, y report.Share) int { return ranked(b, &x.Counts, &y.Counts, x.Name, y.Name) })
	if len(all) > n {
		all = slices.Clone(all[:n])
	}
	return all
}

// ranked orders by what got away, then by what did not, then by name.
func ranked(b report.Basis, x, y *report.Counts, xName, yName string) int {
	return cmp.Or(cmp.Compare(b.Leaked(y), b.Leaked(x)), cmp.Compare(b.Held(y), b.Held(x)), cmp.Compare(y.Allowed, x.Allowed), cmp.Compare(xName, yName))
}

var seed = maphash.MakeSeed()

// distinct counts different texts by their hashes: of a million, it is expected
// to miss less than one.
type distinct struct {
	seen map[uint64]struct{}
	left *int
	more bool // there was no room for all
}

func newDistinct(left *int) distinct { return distinct{seen: make(map[uint64]struct{}), left: left} }

func (d *distinct) add(s string) {
	if s == "" {
		return
	}
	h := maphash.String(seed, s)
	if _, known := d.seen[h]; known {
		return
	}
	if !take(d.left) {
		d.more = true
		return
	}
	d.seen[h] = struct{}{}
}

func (d *distinct) count() uint64 { return uint64(len(d.seen)) }

// days is a set of days.
type days struct {
	sorted []report.Date
	left   *int
}

func (d *days) add(day report.Date) {
	at, known := slices.BinarySearch(d.sorted, day)
	if !known && take(d.left) {
		d.sorted = slices.Insert(d.sorted, at, day)
	}
}
