package detect

// alignedSet holds the protected names that have been aligned with runs of labels of
// one reading. Names at one or two edits share most of their keys, so a search meets
// them again and again; one alignment costs as much as a hundred keys.
type alignedSet struct {
	slots [2 * maxCandidates]uint64 // the number of labels and the number of the name; 0 is free
	used  bool
}

// clear empties the set, for another reading.
func (a *alignedSet) clear() {
	if a.used {
		*a = alignedSet{}
	}
}

// add notes protected name id for the rightmost k+1 labels. It reports false if it was
// there before. A search has at most maxCandidates of them, so a slot is free.
func (a *alignedSet) add(k int, id uint32) bool {
	slot := uint64(k+1)<<32 | uint64(id)
	i := key(slot, editKey) % uint64(len(a.slots))
	for ; a.slots[i] != 0; i = (i + 1) % uint64(len(a.slots)) {
		if a.slots[i] == slot {
			return false
		}
	}
	a.slots[i], a.used = slot, true
	return true
}
