package detect

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/lookalike-dns/lookalike/test/proof"
)

// TestIndexSize holds what an index takes to its promise. The fewer the names, the
// more room there is for two slips of each.
func TestIndexSize(t *testing.T) {
	tests := []struct{ names, most int }{
		{100_000, 320}, // bytes a name
		{5_000, 1_200},
		{1_000_000, 300},
	}
	for _, tt := range tests[:proof.N(2, len(tests))] {
		t.Run(fmt.Sprint(tt.names), func(t *testing.T) {
			x := mustNew(t, syntheticNames(tt.names)...)
			if got := x.size() / tt.names; got > tt.most {
				t.Errorf("%d bytes a name, want at most %d", got, tt.most)
			} else {
				t.Logf("%d bytes a name", got)
			}
		})
	}
}

// size returns how many bytes x takes that other indexes do not share.
func (x *Index) size() int {
	size := len(x.text) + room(x.starts) + room(x.cores) + room(x.exempt.slots)
	for _, t := range []*table{&x.keys, &x.doubles.keys} {
		size += room(t.slots)
	}
	for _, g := range []*gate{&x.skeletons, &x.edits, &x.together, &x.doubles.hashes[0], &x.doubles.hashes[1]} {
		size += room(g.words)
	}
	return size + room(x.ends.front.lengths) + room(x.ends.back.lengths)
}

// room returns how many bytes stand behind s.
func room[T any](s []T) int { return cap(s) * int(unsafe.Sizeof(*new(T))) }

// TestTableAmongMany wants each name under each of its keys, and few of other keys,
// also where so many names exist that a slot has no room for a key.
func TestTableAmongMany(t *testing.T) {
	const keys = 1_000
	for _, tt := range []struct{ names, strays int }{
		{keys, 0}, // names of other keys, at most
		{1_000_000, keys / 100},
		{1 << 30, 20 * keys},
		{1<<32 - 2, 20 * keys},
	} {
		t.Run(fmt.Sprint(tt.names), func(t *testing.T) {
			table := newTable(keys, tt.names)
			step := uint32(tt.names / keys)
			for i := range uint32(keys) {
				table.add(key(uint64(i), editKey), i*step)
			}
			strays := 0
			for i := range uint32(keys) {
				found := 0
				for probe := table.find(key(uint64(i), editKey)); ; {
					id, ok := probe.next()
					if !ok {
						break
					}
					if id == i*step {
						found++
					} else {
						strays++
					}
				}
				if found != 1 {
					t.Fatalf("Name %d is found %d times under its key", i*step, found)
				}
			}
			if strays > tt.strays {
				t.Errorf("%d names of other keys, want at most %d", strays, tt.strays)
			}
		})
	}
}
