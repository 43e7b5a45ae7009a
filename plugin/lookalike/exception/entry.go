// Package exception holds the words that follow a name in an allow file: the
// owner of the exception, its reason, its end, and the clients and classes that
// it covers.
package exception

import (
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Entry is a name of an allow list, with the words after it. It does not change
// after it enters a list, and is then safe for concurrent use.
type Entry struct {
	Name string // in canonical form; allowed with all names below it
	File string // empty if the name is in the Corefile
	Line int    // of File; 0 if unknown

	Until  time.Time // when it ends; zero: never
	Day    bool      // Until was given as a day, which it includes, in UTC
	Added  time.Time // zero: not given
	Owner  string
	Reason string
	Ticket string

	Clients []netip.Prefix // empty: everybody
	Classes Classes        // zero: every class

	use atomic.Pointer[Use]
}

// Classes is a set of classes.
type Classes uint32

// Has reports whether the set has class.
func (c Classes) Has(class detect.Class) bool { return c>>class&1 == 1 }

func (c Classes) list() (all []string) {
	for _, class := range detect.Classes() {
		if c.Has(class) {
			all = append(all, class.String())
		}
	}
	return all
}

// Bare reports whether no words follow the name.
func (e *Entry) Bare() bool {
	return e.Until.IsZero() && e.Added.IsZero() && e.Owner == "" && e.Reason == "" && e.Ticket == "" && !e.Narrow()
}

// Narrow reports whether the entry covers only some clients or classes.
func (e *Entry) Narrow() bool { return len(e.Clients) > 0 || e.Classes != 0 }

// Ended reports whether the entry has ended at a given time.
func (e *Entry) Ended(at time.Time) bool { return !e.Until.IsZero() && !at.Before(e.Until) }

// Admits reports whether the entry covers a query of client for a lookalike of
// this class. The zero client stands for anybody: an entry that names clients
// does not cover it. Admits ignores the end of the entry.
func (e *Entry) Admits(client netip.Addr, class detect.Class) bool {
	if e.Classes != 0 && !e.Classes.Has(class) {
		return false
	}
	return len(e.Clients) == 0 ||
		slices.ContainsFunc(e.Clients, func(prefix netip.Prefix) bool { return prefix.Contains(client) })
}

// Overlaps reports whether both entries cover some query, by their words.
func (e *Entry) Overlaps(o *Entry) bool {
	if e.Classes != 0 && o.Classes != 0 && e.Classes&o.Classes == 0 {
		return false
	}
	return len(e.Clients) == 0 || len(o.Clients) == 0 || slices.ContainsFunc(e.Clients, func(p netip.Prefix) bool {
		return slices.ContainsFunc(o.Clients, p.Overlaps)
	})
}

// Where returns the file and line of the entry, or the empty string if they are
// unknown.
func (e *Entry) Where() string {
	if e.Line == 0 {
		return e.File
	}
	return e.File + ":" + strconv.Itoa(e.Line)
}

// End returns the end of the entry as written in an allow file: the last day,
// or a time. It is empty if the entry never ends.
func (e *Entry) End() string { return formatEnd(e.Until, e.Day) }

// Mark counts a use of the entry at a given time, unless uses is nil. It
// allocates at most once per entry.
func (e *Entry) Mark(uses *Uses, at time.Time) {
	if uses == nil {
		return
	}
	u := e.use.Load()
	if u == nil {
		if u = uses.of(e.Name); u == nil {
			return
		}
		e.use.Store(u)
	}
	u.mark(at)
}
