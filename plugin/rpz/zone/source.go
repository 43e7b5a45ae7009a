// Package zone makes a response policy zone (RPZ, draft-vixie-dnsop-dns-rpz) of
// what the lookalike directives of a server block block, as far as it can be
// listed.
package zone

import (
	"iter"
	"slices"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Source is what one directive says of names. Its functions are safe for
// concurrent use where those of the directive are.
type Source struct {
	Index   *detect.Index
	TLDs    []string
	Allowed iter.Seq[string]                                    // the names on its allow list
	Allows  func(name string, class detect.Class) bool          // whether that list lets a lookalike pass
	Action  func(detect.Class, detect.Confidence) action.Action // what it does about one
}

// SourcesOf returns what directives say now. Each takes the names that are in
// force, which are not those of a later moment.
func SourcesOf(policies []*lookalike.Policy) []Source {
	sources := make([]Source, len(policies))
	for i, p := range policies {
		sources[i] = Source{
			Index:   p.Index(),
			TLDs:    p.TLDs(),
			Allowed: p.Lists().AllowedNames(),
			Allows:  p.Lists().Passes,
			Action:  p.Action,
		}
	}
	return sources
}

// Options say what to list.
type Options struct {
	Classes []detect.Class // nil for DefaultClasses
	TLDs    []string       // nil for those of each directive
	All     bool           // block what the directives do not, too
	Max     int            // the most names that are listed, or could be with All, 0 for MaxNames
}

// MaxNames is how many names are listed at most where nobody says how many. They
// make four million records, which takes resolvers gigabytes.
const MaxNames = 2_000_000

// DefaultClasses returns the classes that are listed where nobody says which:
// those that can be, but for the three whose names are many and whose matches are
// the least sure.
func DefaultClasses() []detect.Class {
	return slices.DeleteFunc(detect.Listable(), func(c detect.Class) bool {
		return c == detect.Split || c == detect.Edit || c == detect.Combosquat
	})
}
