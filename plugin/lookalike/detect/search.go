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
	index     *Index
	tld       *tld // the lookalike TLD that the name lies under
	name      name
	lo, hi    int     // the labels compared; before lo is the service, from hi on the suffix
	query     reading // those labels
	queryText storage
	budget    int // how many more candidates are looked at
	work      int // letters hashed or copied and keys looked up so far, see candidateWork
	found     []finding

	// The TLD of protected names that the last label is, or nothing; only names
	// of that TLD are meant then.
	keptTLD string
	// The labels before the TLD in the suffix of protected names that the name
	// has before its own, or nothing; only names of such a suffix are meant then.
	head       string
	headLabels int

	written   spelling
	isWritten bool // written holds the query

	exact bool // only what reads as a protected name is looked for

	// What a search works on besides the query. Each of them belongs to one
	// function and what it calls, which never gets to that function again.
	beforeTLD          reading              // run: the query without the kept TLD
	tailless           reading              // keptTail: without a public suffix
	headless           reading              // underHead: without the beginning of a public suffix
	wordless           [maxKeywords]reading // combosquatEnd: without keywords at the end
	joined             reading              // near: with pairs put together
	joinedText         storage
	places             [maxPlaces + 2]int // embedding
	edges, joinedEdges edges              // near, and double after it
	hashes             hashes             // compare, and keptTail before it
	joinedHashes       hashes             // near
	runes              [2][maxRunes]rune  // equalsCore
	scratch
}

// hashes has room for the prefix hashes of a reading.
type hashes [maxLetters + 1]uint64

// scratch is where protected names are taken apart, one at a time.
type scratch struct {
	core    name // what stands before the public suffix
	own     spelling
	aligner aligner
}

// spellProtected spells what stands before the public suffix of protected name
// id. What it returns holds until the next call.
func (s *scratch) spellProtected(x *Index, id uint32) *spelling {
	s.core.labels = 0
	if core := x.core(id); core != "" { // else it is a TLD
		s.core.parse(core)
	}
	s.own.spell(&s.core, 0, s.core.labels)
	return &s.own
}

// writing returns the spelling of the compared labels of the query.
func (s *search) writing() *spelling {
	if !s.isWritten {
		s.written.spell(&s.name, s.lo, s.hi)
		s.isWritten = true
	}
	return &s.written
}

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
	s.index, s.tld, s.name.written, s.keptTLD, s.head = nil, nil, "", "", ""
	if len(s.found) > 0 {
		clear(s.found[:cap(s.found)])
		s.found = s.found[:0]
	}
	if cap(s.found) > maxFoundKept {
		s.found = nil
	}
	searches.Put(s)
}
