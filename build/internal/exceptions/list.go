package exceptions

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/lists"
)

// Filter selects the exceptions to list. Each must meet all conditions.
type Filter struct {
	Expiring time.Duration // they end within that time, or have ended; 0: whether they do or not
	Unused   time.Duration // nobody has used them for that time; 0: whether or not
	Now      time.Time
}

// Flags defines the flags of the filter.
func (f *Filter) Flags(fs *flag.FlagSet) {
	daysFlag(fs, "expiring", &f.Expiring)
	daysFlag(fs, "unused", &f.Unused)
}

// daysFlag defines a flag for a number of days, as the Corefile has it: 30d.
func daysFlag(fs *flag.FlagSet, name string, d *time.Duration) {
	fs.Func(name, "", func(s string) error {
		const day = 24 * time.Hour
		digits, ok := strings.CutSuffix(s, "d")
		n, err := strconv.Atoi(digits)
		if most := int(exception.MaxUnused / day); !ok || err != nil || n < 1 || n > most {
			return fmt.Errorf("want days from 1d to %dd", most)
		}
		*d = time.Duration(n) * day
		return nil
	})
}

// Listed is an exception with its state and use.
type Listed struct {
	*exception.Entry
	Directive string // file and line
	Used      exception.Used
	Recorded  bool // whether Used is known
	now       time.Time
}

// Each passes on the exceptions of a directive that the filter selects, in the order
// of the lists. The note says why an exception could not be judged, and is empty if all
// could.
func (f *Filter) Each(l *lists.Lists, visit func(*Listed) error) (note string, err error) {
	uses, err := usesOf(l, f.Unused > 0)
	if err != nil {
		return "", err
	}
	if uses != nil && f.Unused > 0 && f.Now.Sub(uses.Since) < f.Unused {
		note = fmt.Sprintf("%s: uses are recorded since %s only: what was not used before that is not known", l.Where, uses.Since.Format(time.DateOnly))
	}
	var failed error
	err = l.EachException(func(e *exception.Entry) {
		listed := &Listed{Entry: e, Directive: l.Where, Recorded: uses != nil, now: f.Now}
		if uses != nil {
			listed.Used = uses.Of(e.Name)
		}
		if failed == nil && f.ends(e) && (f.Unused == 0 || f.unused(listed, uses.Since)) {
			failed = visit(listed)
		}
	})
	return note, cmp.Or(err, failed)
}

// List writes the exceptions that the filter lets through, as JSON or as text, and
// returns how many there are, with what is to be said besides. That the reader has
// seen enough is no error. Show is as in [Listed.WriteText].
func (f *Filter) List(w io.Writer, policies []*lookalike.Policy, asJSON bool, show func(string) string) (listed int, notes []string, err error) {
	out := bufio.NewWriterSize(w, 64<<10)
	write := (*Listed).WriteText
	if asJSON {
		write = (*Listed).WriteJSON
	}
	for _, p := range policies {
		note, err := f.Each(p.Lists(), func(l *Listed) error {
			listed++
			return write(l, out, show)
		})
		if err != nil && !errors.Is(err, syscall.EPIPE) {
			return listed, notes, err
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	if err = out.Flush(); errors.Is(err, syscall.EPIPE) {
		err = nil
	}
	return listed, notes, err
}

// usesOf returns what is recorded of the uses of exceptions, nil where nothing is.
func usesOf(l *lists.Lists, needed bool) (*exception.Record, error) {
	if l.Uses == "" {
		if needed {
			return nil, fmt.Errorf("%s: the directive has no spool, whose directory keeps the days of use: add such a line", l.Where)
		}
		return nil, nil
	}
	uses, err := exception.ReadUses(l.Uses)
	switch {
	case err == nil:
		return uses, nil
	case !needed:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no uses are recorded yet: run the server with its spool in %s", l.Where, l.Uses)
	}
	return nil, err
}

func (f *Filter) ends(e *exception.Entry) bool {
	return f.Expiring == 0 || e.Ended(f.Now.Add(f.Expiring))
}

// unused reports whether an exception has not been used for as long as is asked.
// One that was never used counts from when it was added, or recording began.
func (f *Filter) unused(l *Listed, since time.Time) bool {
	last := l.Used.LastUse()
	if last.IsZero() {
		if last = since; l.Added.After(last) {
			last = l.Added
		}
	}
	return f.Now.Sub(last) >= f.Unused
}

// State tells when the exception ends or ended.
func (l *Listed) State() string {
	const day = 24 * time.Hour
	left := l.Until.Sub(l.now)
	switch {
	case l.Until.IsZero():
		return "never ends"
	case left <= 0:
		return "has ended"
	case left < 2*day:
		return fmt.Sprintf("ends in %d hours", left/time.Hour)
	}
	return fmt.Sprintf("ends in %d days", left/day)
}

// use says on which days the exception was used; empty: that is not known.
func (l *Listed) use() string {
	switch {
	case !l.Recorded:
		return ""
	case l.Used.Days == 0:
		return "; not used since uses are recorded"
	case l.Used.Days == 1:
		return "; used on " + l.Used.Last
	}
	return fmt.Sprintf("; used on %d days, last on %s", l.Used.Days, l.Used.Last)
}

// WriteText writes the exception as a line of an allow file, with the rest in a
// comment. Show makes text safe for the reader's terminal or file.
func (l *Listed) WriteText(w io.Writer, show func(string) string) error {
	_, err := fmt.Fprintf(w, "%-28s # %s: %s%s\n", show(l.String()), show(cmp.Or(l.Where(), "-")), l.State(), l.use())
	return err
}

// Object is the JSON form of an exception in a Corefile's lists.
type Object struct {
	Name    string   `json:"name"`
	Source  string   `json:"source"` // file and line; empty where that is not known
	Until   string   `json:"until"`
	Owner   string   `json:"owner"`
	Reason  string   `json:"reason"`
	Ticket  string   `json:"ticket"`
	Added   string   `json:"added"`
	Clients []string `json:"clients"`
	Classes []string `json:"classes"`
}

// NewObject returns the JSON form of an entry, or nil for none. Show makes a file's name
// safe for the reader's terminal or file.
func NewObject(e *exception.Entry, show func(string) string) *Object {
	if e == nil {
		return nil
	}
	return &Object{
		Name: e.Name, Source: show(e.Where()), Until: e.End(), Owner: e.Owner, Reason: e.Reason, Ticket: e.Ticket,
		Added: e.Get("added"), Clients: split(e.Get("clients")), Classes: split(e.Get("class")),
	}
}

// Describe returns the attributes of an exception and its place, in words.
func Describe(e *exception.Entry, now time.Time) string {
	l := &Listed{Entry: e, now: now}
	parts := []string{l.State()}
	for _, key := range exception.Keys() {
		if value := e.Get(key); value != "" {
			parts = append(parts, key+" "+value)
		}
	}
	if where := e.Where(); where != "" {
		parts = append(parts, "listed at "+where)
	}
	return e.Name + ": " + strings.Join(parts, "; ")
}

// object is a listed exception in JSON.
type object struct {
	*Object
	Directive string `json:"directive"`
	State     string `json:"state"`
	FirstUse  string `json:"first_use"`
	LastUse   string `json:"last_use"`
	DaysUsed  *int32 `json:"days_used"`
}

// WriteJSON writes the exception as an object on one line.
func (l *Listed) WriteJSON(w io.Writer, show func(string) string) error {
	o := object{
		Object: NewObject(l.Entry, show), Directive: show(l.Directive),
		State: l.State(), FirstUse: l.Used.First, LastUse: l.Used.Last,
	}
	if l.Recorded {
		o.DaysUsed = &l.Used.Days
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(o)
}

func split(list string) []string {
	if list == "" {
		return []string{}
	}
	return strings.Split(list, ",")
}
