// Package sequence knows which sequence number the record at a position of a spool
// has, even where the record is no longer readable.
package sequence

import (
	"cmp"
	"slices"
)

// Numbers maps positions to the sequence numbers of their records. It is not safe for
// concurrent use. A copy stays as it is when the original changes.
type Numbers struct {
	Epoch    string
	Sequence uint64 // the last one used of the epoch
	Runs     []Run  // in the order of positions
	Needed   uint64 // position of the oldest record that some destination had not had
}

// Run is a run of positions with numbers that follow one another. It ends where
// the next one begins.
type Run struct {
	From  uint64 // position
	Epoch string
	First uint64 // number at From
}

// Note notes the number of the record at a position, which is the last one.
func (n *Numbers) Note(position uint64, epoch string, sequence uint64) {
	if epoch == n.Epoch {
		n.Sequence = sequence
	}
	if len(n.Runs) > 0 {
		last := n.Runs[len(n.Runs)-1]
		if last.Epoch == epoch && last.First+(position-last.From) == sequence {
			return
		}
	}
	n.Runs = append(slices.Clip(n.Runs), Run{position, epoch, sequence})
}

// Forget forgets runs that end before a position.
func (n *Numbers) Forget(before uint64) {
	for len(n.Runs) > 1 && n.Runs[1].From <= before {
		n.Runs = n.Runs[1:]
	}
}

// Each calls f for the parts of a series of positions, up to and without end, with
// the epoch and the first and last number of each. Where they are not known, the
// epoch is empty.
func (n *Numbers) Each(position, end uint64, f func(epoch string, from, to uint64)) {
	for position < end {
		i, exact := slices.BinarySearchFunc(n.Runs, position, func(r Run, p uint64) int { return cmp.Compare(r.From, p) })
		if !exact {
			i--
		}
		next := end
		if i+1 < len(n.Runs) {
			next = min(next, n.Runs[i+1].From)
		}
		if i < 0 {
			f("", 0, next-position-1)
		} else {
			first := n.Runs[i].First + position - n.Runs[i].From
			f(n.Runs[i].Epoch, first, first+(next-position)-1)
		}
		position = next
	}
}

// EpochAt is the epoch of the number at a position.
func (n *Numbers) EpochAt(position uint64) (epoch string) {
	n.Each(position, position+1, func(e string, _, _ uint64) { epoch = e })
	return epoch
}
