package report

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Drawing is a typed name, letter by letter over the name that it resembles. The
// template "slips" of Shared writes it.
type Drawing struct {
	Label string // what it shows, in words
	Cells []Cell
}

// Cell is one letter of a protected name over what was typed in its place.
type Cell struct {
	Over  string // of the protected name; empty: typed beside it
	Under string // that was typed; empty: left out
	Slip  string // its kind; empty: the letter is the same
}

// Draw draws a name over the protected one that the slips make it of. It returns
// nil without slips, or where they do not fit the protected name.
func Draw(protected, name string, slips []Slip) *Drawing {
	all := cells(protected, slips)
	if len(slips) == 0 || all == nil {
		return nil
	}
	return &Drawing{text.Visible(fmt.Sprintf("%s over %s, letter by letter", protected, name)), all}
}

// Glyph draws a letter of a Cell, or that there is none.
func Glyph(letter string) string {
	if letter == "" {
		return "·"
	}
	return text.Visible(letter)
}

// cells are nil where the slips do not fit the name.
func cells(protected string, slips []Slip) []Cell {
	if u, err := idna.ToUnicode(protected); err == nil {
		protected = u
	}
	var all []Cell
	at := 0
	for _, s := range slips {
		end := s.At + len(s.From)
		if s.At < at || end > len(protected) || protected[s.At:end] != s.From {
			return nil
		}
		all = append(all, same(protected[at:s.At])...)
		all = append(all, aligned(s.From, s.To, s.Kind)...)
		at = end
	}
	return append(all, same(protected[at:])...)
}

func same(letters string) []Cell {
	cells := make([]Cell, 0, len(letters))
	for _, r := range letters {
		cells = append(cells, Cell{Over: string(r), Under: string(r)})
	}
	return cells
}

// aligned sets the letters of a slip one over the other. Where letters were only
// left out or put in, the others stand together: in mil and ml the i is missing.
func aligned(from, to, kind string) []Cell {
	a, b := []rune(from), []rune(to)
	less, more := within(b, a), within(a, b) // left out; put in
	var cells []Cell
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case (less || more) && i < len(a) && j < len(b) && a[i] == b[j]:
			cells = append(cells, Cell{Over: string(a[i]), Under: string(b[j])})
			i, j = i+1, j+1
		case less && i < len(a) || j == len(b):
			cells = append(cells, Cell{Over: string(a[i]), Slip: kind})
			i++
		case more || i == len(a):
			cells = append(cells, Cell{Under: string(b[j]), Slip: kind})
			j++
		default:
			cells = append(cells, Cell{string(a[i]), string(b[j]), kind})
			i, j = i+1, j+1
		}
	}
	return cells
}

// within reports whether all of a stands in b, in its order.
func within(a, b []rune) bool {
	for _, r := range b {
		if len(a) > 0 && a[0] == r {
			a = a[1:]
		}
	}
	return len(a) == 0
}

// SlipsOf finds the slips again that make a name of a protected one, which
// alerts tell of in words only. They are nil where the name resembles the
// protected one no more, or by a class that needs other names.
func SlipsOf(name, protected string) []Slip {
	tld := name[strings.LastIndexByte(name, '.')+1:]
	index, err := detect.New(detect.Config{Protected: []string{protected}, TLDs: []string{tld}})
	if err != nil {
		return nil
	}
	v, ok := index.Match(name)
	if !ok {
		return nil
	}
	return Slips(v)
}
