// Package exception holds what an allow file says of a name besides the name: who
// answers for the exception, why it is there, when it ends, and for whom it is.
package exception

import (
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Entry is a name of an allow list, with the words behind it. It is not changed
// once it is in a list, and safe for concurrent use then.
type Entry struct {
	Name string // in canonical form; allowed with all names below it
	File string // empty where the name stands in the Corefile
	Line int    // of File; 0 where that is not kept

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

// Narrow reports whether the entry is for some clients or classes only.
func (e *Entry) Narrow() bool { return len(e.Clients) > 0 || e.Classes != 0 }

// Ended reports whether the entry has ended at a time.
func (e *Entry) Ended(at time.Time) bool { return !e.Until.IsZero() && !at.Before(e.Until) }

// Admits reports whether the entry is for a query of client that is a lookalike
// of this class. The zero client stands for anybody, for whom an entry that names
// clients is not. It does not ask whether the entry has ended.
func (e *Entry) Admits(client netip.Addr, class detect.Class) bool {
	if e.Classes != 0 && !e.Classes.Has(class) {
		return false
	}
	return len(e.Clients) == 0 ||
		slices.ContainsFunc(e.Clients, func(prefix netip.Prefix) bool { return prefix.Contains(client) })
}

// Overlaps reports whether some query is for both entries, as far as their words
// tell.
func (e *Entry) Overlaps(o *Entry) bool {
	if e.Classes != 0 && o.Classes != 0 && e.Classes&o.Classes == 0 {
		return false
	}
	return len(e.Clients) == 0 || len(o.Clients) == 0 || slices.ContainsFunc(e.Clients, func(p netip.Prefix) bool {
		return slices.ContainsFunc(o.Clients, p.Overlaps)
	})
}

// Where returns the file and the line of the entry, and is empty where that is
// not known.
func (e *Entry) Where() string {
	if e.Line == 0 {
		return e.File
	}
	return e.File + ":" + strconv.Itoa(e.Line)
}

// End returns when the entry ends as an allow file has it: the last day, or a
// time. It is empty where it never does.
func (e *Entry) End() string { return formatEnd(e.Until, e.Day) }

// Mark counts a use of the entry at a time, where uses is not nil. It allocates
// once an entry at most.
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
