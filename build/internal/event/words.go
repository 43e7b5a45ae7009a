package event

import "encoding/binary"

// Words stores words that occur in many lines, so that each takes memory only
// once.
type Words struct {
	recent [1 << slotBits]string // by their letters
	all    map[string]string
}

// slotBits is how many bits of a hash tell the place of a recent word, and spread
// the multiplier that brings all letters into them: 2^64 over the golden ratio.
const (
	slotBits = 9
	spread   = 0x9e3779b97f4a7c15
)

// maxWords and maxWord bound what a log with made-up names can take.
const (
	maxWords = 4096
	maxWord  = 320
)

// Of returns the word as a string.
func (w *Words) Of(b []byte) string {
	if len(b) == 0 || len(b) > maxWord {
		return string(b)
	}
	slot := w.slot(b)
	if string(b) == *slot {
		return *slot
	}
	s, ok := w.all[string(b)]
	if !ok {
		if w.all == nil || len(w.all) >= maxWords {
			w.all = make(map[string]string)
		}
		s = string(b)
		w.all[s] = s
	}
	*slot = s
	return s
}

// Recent returns the word as a string, if it was one of the last ones.
func (w *Words) Recent(b []byte) (string, bool) {
	if len(b) == 0 {
		return "", false
	}
	slot := w.slot(b)
	return *slot, string(b) == *slot
}

// slot returns the place of a word among the recent ones.
func (w *Words) slot(b []byte) *string {
	h := uint64(len(b))
	if len(b) >= 8 {
		h += binary.LittleEndian.Uint64(b) ^ binary.LittleEndian.Uint64(b[len(b)-8:])*spread
	} else {
		for _, c := range b {
			h = h<<8 | uint64(c)
		}
	}
	return &w.recent[h*spread>>(64-slotBits)]
}
