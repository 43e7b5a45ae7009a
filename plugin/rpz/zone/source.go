// Package zone builds a response policy zone (RPZ, draft-vixie-dnsop-dns-rpz)
// from the lookalike directives of a server block, as far as their names can be
// listed.
package zone

import (
	"iter"
	"slices"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Source is the view that one directive has of names. Its functions are safe
// for concurrent use if those of the directive are.
type Source struct {
	Index   *detect.Index
	TLDs    []string
	Allowed iter.Seq[string]                                    // the names on its allow list
	Allows  func(name string, class detect.Class) bool          // whether that list permits a lookalike
	Action  func(detect.Class, detect.Confidence) action.Action // the action on a lookalike
}

// SourcesOf returns the sources of directives. Each uses the lists in force at
// this moment, not later ones.
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

// Options select the names to list.
type Options struct {
	Classes []detect.Class // nil for DefaultClasses
	TLDs    []string       // nil for the TLDs of each directive
	All     bool           // also block the names that the directives do not block
	Max     int            // the most names to list, also counting those that All would add; 0 for MaxNames
}

// MaxNames is the default limit of names. They make four million records, which
// take resolvers gigabytes of memory.
const MaxNames = 2_000_000

// DefaultClasses returns the default classes: all that can be listed except
// three, whose names are many and whose matches are the least sure.
func DefaultClasses() []detect.Class {
	return slices.DeleteFunc(detect.Listable(), func(c detect.Class) bool {
		return c == detect.Split || c == detect.Edit || c == detect.Combosquat
	})
}
