package detect

import (
	"math"
	"sync"
)

// search is the comparison of one name with an Index.
//
// Servers answer each query on a new goroutine, whose stack is small and is copied
// whenever it grows. So large values are fields here, not on the stack, and searches
// are pooled.
type search struct {
	index     *Index
	tld       *tld // the lookalike TLD that the name lies under
	name      name
	lo, hi    int     // the labels compared; before lo is the service, from hi on the suffix
	query     reading // those labels
	queryText storage
	budget    int       // how many more candidates are looked at
	doubles   int       // how often names have been met under keys of double-typo
	twoSlips  int       // how many names have been aligned for more than one slip
	work      int       // letters hashed, copied, spelled or aligned, and keys and names looked up so far
	found     []finding // all of one class
	worst     int       // of MaxMatches findings

	// The TLD of protected names that the last label is, or nothing; only names
	// of that TLD are meant then.
	keptTLD  string
	underTLD bool // there is one, or it is yet to be looked at
	// The labels before the TLD in the suffix of protected names that the name
	// has before its own, or nothing; only names of such a suffix are meant then.
	head       string
	headLabels int

	written   spelling
	isWritten bool // written holds the query

	// The TLD that nearTLD was last asked about, and its answer.
	tldAsked  string
	tldIsNear bool

	exact bool // only what reads as a protected name is looked for

	// Working memory. Each field belongs to one function and its callees, which
	// never call that function again.
	beforeTLD          reading              // run: the query without the kept TLD
	tailless           reading              // keptTail: without a public suffix
	headless           reading              // underHead: without the beginning of a public suffix
	wordless           [maxKeywords]reading // combosquatEnd: without keywords at the end
	joined             reading              // near: with pairs put together
	joinedText         storage
	places             [maxPlaces + 2]int            // embedding
	skeletons          [maxPlaces + 2]skeletonHasher // skeletonsAt
	text               []byte                        // reason
	edges, joinedEdges edges                         // near, and double after it
	first, second      [doubleMax + 2]uint64         // doublePairs
	hashes             hashes                        // compare, and keptTail before it
	joinedHashes       hashes                        // near
	aligned            alignedSet                    // near, and double after it
	tldCells           [2][maxLabel]cell             // slipped
	scratch
}

// hashes has room for the prefix hashes of a reading.
type hashes [maxLetters + 1]uint64

// scratch holds the parts of one protected name at a time.
type scratch struct {
	core    name // what stands before the public suffix
	own     spelling
	tail    spelling // of the public suffix
	walked  []step
	aligner aligner
}

// spellProtected spells the labels before the public suffix of protected name id. The
// result is valid until the next call.
func (s *search) spellProtected(id uint32) *spelling {
	s.core.labels = 0
	if core := s.index.core(id); core != "" { // else it is a TLD
		s.core.parse(core)
	}
	s.own.spell(&s.core, 0, s.core.labels)
	s.work += len(s.own.cells)
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

var searches = sync.Pool{New: func() any { return new(search) }}

// newSearch returns a search that belongs to the caller until release.
func newSearch(x *Index) *search {
	s := searches.Get().(*search)
	s.index = x
	return s
}

// release returns the search to the pool, without references to its Index or to a
// Verdict.
func (s *search) release() {
	s.index, s.tld, s.name.written, s.keptTLD, s.head, s.tldAsked = nil, nil, "", "", "", ""
	if len(s.found) > 0 {
		clear(s.found[:cap(s.found)])
		s.found = s.found[:0]
	}
	if cap(s.found) > 2*MaxMatches { // very many TLDs are protected as a whole
		s.found = nil
	}
	searches.Put(s)
}
