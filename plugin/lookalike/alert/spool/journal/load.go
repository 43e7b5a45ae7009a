package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strconv"
)

func (j *Journal) load() (fd Found, err error) {
	names, err := j.disk.names()
	if err != nil {
		return fd, err
	}
	if err := errors.Join(j.records.open(names), j.state.open(names)); err != nil {
		return fd, err
	}
	buf := bufio.NewReaderSize(nil, maxLine)
	state := &stateReader{keys: j.keys, staged: make(map[string]place)}
	for _, g := range j.state.segments {
		if state.torn > 0 { // and this run, or the last one, has gone on without it
			state.forget()
		}
		n, err := g.scan(buf, state.line)
		if err != nil {
			return fd, err
		}
		fd.Damaged += n
	}
	fd.Doubt = fd.Damaged > 0
	ahead, damaged := uint64(1), 0 // of the records that are there, and lines of their last segment
	for _, g := range j.records.segments {
		damaged, err = g.scan(buf, func(p place, key string, _ []byte) {
			if position := parsePosition(key); position > 0 {
				g.put(position, p.at)
				ahead = max(ahead, position+1)
			}
		})
		if err != nil {
			return fd, err
		}
		fd.Damaged += damaged
	}
	mark := j.readMark()
	state.finish(mark)
	if mark > state.end || mark == 0 && (ahead > max(state.end, 1) || len(state.staged) > 0) { // cut off
		fd.Doubt = true
		state.all = state.all && state.end == 0 // else what there is of it comes on top
		state.apply(max(state.end, state.torn, mark, ahead))
	}
	j.end = max(state.end, 1)
	j.forgetBeyond()
	j.records.sealed = j.records.sealed || damaged > 0 || ahead != j.end
	j.state.sealed = true // each run begins with the whole state
	return fd, nil
}

// stateReader puts the state together. Lines count when the end of their commit
// is there.
//
// Pages of a file reach the disk in any order, so that the power may go when the
// end is there and lines before it are not. Such a commit is torn, unless more of
// the same segment follows it: then lines of it are damaged, and the others count.
type stateReader struct {
	keys   map[string]place
	staged map[string]place // those of the commit; nowhere: the key is gone
	all    bool             // staged is the whole state
	lines  int              // of the commit, so far
	torn   uint64
	end    uint64
}

func (r *stateReader) apply(end uint64) {
	if r.all {
		clear(r.keys)
		r.end = 0
	}
	r.end = max(r.end, end)
	for key, p := range r.staged {
		if p.segment == nil {
			delete(r.keys, key)
		} else {
			r.keys[key] = p
		}
	}
	r.forget()
}

func (r *stateReader) forget() {
	clear(r.staged)
	r.all, r.lines, r.torn = false, 0, 0
}

func (r *stateReader) line(p place, key string, value []byte) {
	if r.torn > 0 {
		r.apply(r.torn)
	}
	var end [2]uint64
	switch {
	case key == allKey:
		r.forget()
		r.all = true
	case key != endKey:
		if string(value) == "null" {
			p = place{}
		}
		r.staged[key] = p
	case json.Unmarshal(value, &end) != nil || end[0] >= maxPosition:
		return
	case end[1] == uint64(r.lines): //nolint:gosec // not negative
		r.apply(end[0])
		return
	default:
		r.torn = end[0]
	}
	r.lines++
}

// finish decides about a commit that is torn and the last one, given what the mark
// says. One without records may count in part, but for one that was to take the
// place of all before it.
func (r *stateReader) finish(mark uint64) {
	if r.torn > r.end && (mark >= r.torn || r.end == 0) || r.torn == r.end && r.torn > 0 && !r.all {
		r.apply(r.torn)
	}
}

// parsePosition reads a position; 0 is none.
func parsePosition[T string | []byte](b T) uint64 {
	n, err := strconv.ParseUint(string(b), 10, 64)
	if err != nil || n >= maxPosition {
		return 0
	}
	return n
}

// readMark returns what the mark says, or 0.
func (j *Journal) readMark() uint64 {
	f, err := j.disk.open(markFile, os.O_RDONLY)
	if err != nil {
		return 0
	}
	defer f.Close()
	value, err := j.line(place{&segment{name: markFile, f: f}, 0}, markFile)
	if err != nil {
		return 0
	}
	return parsePosition(value)
}

// forgetBeyond forgets records that were not committed: those at or beyond the
// end, or whose positions the next segment has. A segment that has none begins
// where the next one does.
func (j *Journal) forgetBeyond() {
	next := j.end
	for _, g := range slices.Backward(j.records.segments) {
		n, _ := g.find(next)
		if g.lines = g.lines[:n]; n == 0 {
			g.first = next
		}
		next = g.first
	}
}
