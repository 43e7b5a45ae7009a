package detect

import (
	"math"
	"sync"
)

// search is the comparison of one name with an Index.
//
// Servers answer each query on a goroutine of its own, whose stack is small and
// is copied whenever it grows. So what is large stands here and not on the
// stack, and searches are pooled.
type search struct {
	index  *Index
	name   name
	lo, hi int     // the labels compared; before lo is the service, from hi on the suffix
	query  reading // those labels
	budget int     // how many more candidates are looked at
	found  []finding

	// The TLD of protected names that the last label is, or nothing; only names
	// of that TLD are meant then.
	keptTLD string

	exact bool // only what reads as a protected name is looked for

	// What a search works on besides the query. Each of them belongs to one
	// function and what it calls, which never gets to that function again.
	beforeTLD    reading              // run: the query without the kept TLD
	tailless     reading              // keptTail: without a public suffix
	wordless     [maxKeywords]reading // combosquatEnd: without keywords at the end
	joined       reading              // nearJoined: with pairs put together
	part         reading              // embedded: from one of places on
	places       [maxPlaces + 2]int   // embedding
	hashes       hashes               // compare, and keptTail before it
	joinedHashes hashes               // nearJoined
	runes        [2][maxRunes]rune    // equalsCore
	scratch
}

// hashes has room for the prefix hashes of a reading.
type hashes [maxLetters + 1]uint64

// scratch is where protected names are taken apart, one at a time.
type scratch struct {
	core            name    // what stands before the public suffix
	protected       reading // the core
	protectedJoined reading // with pairs put together
}

// readProtected takes protected name id apart. What it returns holds until the
// next call.
func (s *scratch) readProtected(x *Index, id uint32) *reading {
	s.core.parse(x.core(id)) // fails for a TLD, which has no labels before it
	s.protected.read(&s.core, 0, s.core.labels)
	return &s.protected
}

// finding is one protected name that the queried name resembles.
type finding struct {
	id         uint32
	class      Class
	confidence Confidence
	size       int // letters of the protected name, or of its joined form
	first      int // the label where the resembling part of the queried name begins
	last       int // the label where it ends
	how        how
}

// letters returns by how many letters the confidence goes.
func (f *finding) letters() int { return f.size - f.how.idle }

// noName is the id of a finding about no protected name in particular.
const noName = math.MaxUint32

// maxFoundKept is for how many findings a pooled search keeps room.
const maxFoundKept = 16

var searches = sync.Pool{New: func() any { return new(search) }}

// newSearch returns a search that is the caller's until release.
func newSearch(x *Index) *search {
	s := searches.Get().(*search)
	s.index = x
	return s
}

// release gives the search back, without what belongs to its Index or to a
// Verdict.
func (s *search) release() {
	s.index, s.name.written, s.keptTLD = nil, "", ""
	if len(s.found) > 0 {
		clear(s.found[:cap(s.found)])
		s.found = s.found[:0]
	}
	if cap(s.found) > maxFoundKept {
		s.found = nil
	}
	searches.Put(s)
}
