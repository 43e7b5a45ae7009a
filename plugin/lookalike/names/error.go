package names

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// An Error says which text holds no usable name, where it stands, and what to
// write instead.
type Error struct {
	Where string // "Corefile:12", "/etc/lookalike/protect.txt:7"
	Text  string // the text, shortened; any bytes
	Err   error  // what is wrong, and the cure
}

func (e *Error) Error() string { return e.Where + ": " + strconv.Quote(e.Text) + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

func newError(where, s string, err error) *Error {
	return &Error{Where: where, Text: strings.Clone(text.Shorten(s, maxShown)), Err: err}
}

// maxShown is how many bytes of an offending text a message repeats.
const maxShown = 64

// maxErrors is how many broken lines of one file are reported in full.
const maxErrors = 5

// A ListError holds the broken lines of one file.
type ListError struct {
	First []*Error // the first ones, in the order of the file
	Total int      // how many lines are broken
}

func (e *ListError) Error() string {
	lines := make([]string, 0, len(e.First)+1)
	for _, line := range e.First {
		lines = append(lines, line.Error())
	}
	if more := e.Total - len(e.First); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more broken lines", more))
	}
	return strings.Join(lines, "; ")
}

// Unwrap returns the broken lines that are reported in full.
func (e *ListError) Unwrap() []error {
	errs := make([]error, len(e.First))
	for i, line := range e.First {
		errs[i] = line
	}
	return errs
}

func (e *ListError) add(err *Error) {
	if e.Total++; len(e.First) < maxErrors {
		e.First = append(e.First, err)
	}
}
