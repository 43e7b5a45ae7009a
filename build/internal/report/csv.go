package report

import (
	"encoding/csv"
	"io"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// CSV writes rows for spreadsheets (RFC 4180). A cell that a spreadsheet would
// take for a formula gets an apostrophe in front, and what is not safe to show
// is escaped.
type CSV struct {
	w    *csv.Writer
	cell []string
}

// NewCSV returns a writer, and writes the names of the columns.
func NewCSV(w io.Writer, columns []string) *CSV {
	c := &CSV{w: csv.NewWriter(w)}
	_ = c.w.Write(columns) // Flush returns the error
	return c
}

// Write writes a row. It returns the error of an earlier one, too.
func (c *CSV) Write(row []string) error {
	c.cell = c.cell[:0]
	for _, s := range row {
		c.cell = append(c.cell, cell(s))
	}
	return c.w.Write(c.cell)
}

// Flush writes what waits.
func (c *CSV) Flush() error {
	c.w.Flush()
	return c.w.Error()
}

// cell makes a text safe in a spreadsheet.
func cell(s string) string {
	s = text.Visible(s)
	if s == "" {
		return s
	}
	switch s[0] {
	case '=', '+', '-', '@':
		return "'" + s
	}
	return s
}
