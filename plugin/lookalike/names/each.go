package names

import (
	"iter"
	"slices"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Each yields the names of the set that pass at a time, in no order: not those
// whose exceptions have all ended by then, or are for some clients or classes only.
func (s *Set) Each(at time.Time) iter.Seq[string] {
	return func(yield func(string) bool) {
		if s == nil {
			return
		}
		for name := range s.names {
			if !text.ASCII(name) { // it is the other form of one that is
				continue
			}
			entries := s.entries[name]
			passes := entries == nil || slices.ContainsFunc(entries, func(e *exception.Entry) bool { return !e.Narrow() && !e.Ended(at) })
			if passes && !yield(name) {
				return
			}
		}
	}
}
