package spool

import "slices"

// numbers maps positions to the sequence numbers of their records, even of
// records that are no longer readable.
type numbers struct {
	Epoch    string
	Sequence uint64 // the last one used of the epoch
	Runs     []run  // in the order of positions
	Needed   uint64 // position of the oldest record that some destination had not had

	dirty bool // not on disk
}

// run is a run of positions with numbers that follow one another. It ends where
// the next one begins.
type run struct {
	From  uint64 // position
	Epoch string
	First uint64 // number at From
}

// note notes the number of the record at a position, which is the last one.
func (n *numbers) note(position uint64, epoch string, sequence uint64) {
	if epoch == n.Epoch {
		n.Sequence = sequence
	}
	if len(n.Runs) > 0 {
		last := n.Runs[len(n.Runs)-1]
		if last.Epoch == epoch && last.First+(position-last.From) == sequence {
			return
		}
	}
	n.Runs = append(slices.Clip(n.Runs), run{position, epoch, sequence})
}

// forget forgets runs that end before a position.
func (n *numbers) forget(before uint64) {
	for len(n.Runs) > 1 && n.Runs[1].From <= before {
		n.Runs = n.Runs[1:]
	}
}

// each calls f for the parts of a series of positions, with the epoch and the
// first and last number of each. Where they are not known, the epoch is empty.
func (n *numbers) each(positions series, f func(epoch string, from, to uint64)) {
	for positions.from < positions.to {
		i, exact := slices.BinarySearchFunc(n.Runs, positions.from, func(r run, p uint64) int { return int(int64(r.From) - int64(p)) }) //nolint:gosec // less than maxPosition
		if !exact {
			i--
		}
		end := positions.to
		if i+1 < len(n.Runs) {
			end = min(end, n.Runs[i+1].From)
		}
		if i < 0 {
			f("", 0, end-positions.from-1)
		} else {
			first := n.Runs[i].First + positions.from - n.Runs[i].From
			f(n.Runs[i].Epoch, first, first+(end-positions.from)-1)
		}
		positions.from = end
	}
}

// epochAt is the epoch of the number at a position.
func (n *numbers) epochAt(position uint64) (epoch string) {
	n.each(series{position, position + 1}, func(e string, _, _ uint64) { epoch = e })
	return epoch
}
