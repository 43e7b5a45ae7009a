package names

import (
	"iter"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Each yields the names that the set was made of, in no order.
func (s *Set) Each() iter.Seq[string] {
	return func(yield func(string) bool) {
		if s == nil {
			return
		}
		for name := range s.names {
			if text.ASCII(name) && !yield(name) { // else it is the other form of one that is
				return
			}
		}
	}
}
