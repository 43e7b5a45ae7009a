package detect

// This file finds the slips between a protected name and a queried one. If the two
// read the same, walk lists them. Otherwise an aligner searches for the fewest slips,
// at most two. Both go from the last character to the first.

// step pairs characters of the protected name with the characters in their place in
// the queried name. It is one slip, or none if they are the same.
type step struct {
	kind   kind
	p, q   uint16 // places of the last characters
	pn, qn uint16 // numbers of characters
}

// tally counts the differences between two names that read the same.
type tally struct {
	strong  int // letters that look almost the same: 0 and o, 1, l and i
	weak    int // pairs and other letters that look less alike
	pairs   int // two letters that look like one, or one like two: rn and m
	dropped int // missing dots and hyphens
	changed int // dots for hyphens, and hyphens for dots
	added   int // additional dots and hyphens
	alien   bool
}

// marks returns the number of slips in dots and hyphens.
func (t *tally) marks() int { return t.dropped + t.changed + t.added }

// folds returns the number of slips between letters that look alike.
func (t *tally) folds() int { return t.weak + t.pairs }

// walk compares q with p and passes each step to do unless that is nil. It reports
// whether the two read the same. Each step is determined, so it never backtracks.
func walk(p, q []cell, t *tally, do func(step)) bool {
	i, j := 0, 0
	for i < len(p) || j < len(q) {
		k, pn, qn := walkStep(p[i:], q[j:])
		switch k {
		case different:
			return false
		case strongGlyph:
			t.strong++
		case weakGlyph, weakPair:
			t.weak++
		case strongPair:
			t.pairs++
		case dropped:
			t.dropped++
		case changed:
			t.changed++
		case added:
			t.added++
		}
		for _, c := range q[j : j+qn] {
			t.alien = t.alien || c.alien
		}
		if do != nil {
			do(step{k, uint16(i), uint16(j), uint16(pn), uint16(qn)})
		}
		i, j = i+pn, j+qn
	}
	return true
}

// walkStep returns the next step of walk.
func walkStep(p, q []cell) (k kind, pn, qn int) {
	switch {
	case len(p) > 0 && len(q) > 0 && p[0].is(&q[0]):
		return same, 1, 1
	case len(p) > 0 && isMark(p[0].char) && len(q) > 0 && isMark(q[0].char):
		return changed, 1, 1
	case len(p) > 0 && isMark(p[0].char):
		return dropped, 1, 0
	case len(q) > 0 && isMark(q[0].char):
		return added, 0, 1
	case len(p) == 0 || len(q) == 0:
		return different, 0, 0
	case glyph(p[0].char) == glyph(q[0].char):
		return glyphKind(p[0].char), 1, 1
	case pairReads(q, p[0].char):
		return pairKind(q), 1, 2
	case pairReads(p, q[0].char):
		return pairKind(p), 2, 1
	}
	return different, 0, 0
}

// pairReads reports whether the first two cells, in reverse order, read as c.
func pairReads(cells []cell, c rune) bool {
	if len(cells) < 2 {
		return false
	}
	as, ok := together(cells[1].char, cells[0].char)
	return ok && as == c
}

// pairKind returns the kind of a pair that reads as one letter.
func pairKind(cells []cell) kind {
	switch first, second := cells[1].char, cells[0].char; {
	case first == second && first == 'v', first == 'r', first == 'c' && second != 'i':
		return strongPair
	}
	return weakPair // nn, uu and ci
}

// glyphKind returns the kind of slip from a to another letter with the same glyph.
func glyphKind(a rune) kind {
	if g := glyph(a); g == 'o' || g == 'l' {
		return strongGlyph
	}
	return weakGlyph
}

// maxSlips is the largest number of slips that an aligner searches for, and mostReplaced
// how many characters of p one of them has at most.
const (
	maxSlips     = 2
	mostReplaced = 3
)

// aligner searches for the fewest slips that turn p into q.
type aligner struct {
	p, q  []cell
	start int // number of equal last characters, which are the first cells
	equal int // number of equal first characters, which are the last cells
	found [maxSlips]step
	count int
	work  int // characters compared and places where slips were tried

	folded bool // one of two slips must be a fold, or a dot or hyphen
}

// align reports whether q is up to so many slips from p, one or two, and stores them in
// found. Of two slips, it prefers pairs with a fold, or a dot or hyphen, and accepts no
// others if folded is set.
func (a *aligner) align(p, q []cell, slips int, folded bool) bool {
	a.p, a.q, a.start, a.equal, a.work = p, q, 0, 0, 0
	for a.start < len(p) && a.start < len(q) && p[a.start].is(&q[a.start]) {
		a.start++
	}
	for a.equal < len(p) && a.equal < len(q) && p[len(p)-1-a.equal].is(&q[len(q)-1-a.equal]) {
		a.equal++
	}
	a.work += a.start + a.equal + 1
	if a.count, a.folded = 0, false; a.from(a.start, a.start, 1) {
		return true
	}
	if slips == 1 {
		return false
	}
	if a.count, a.folded = 0, true; a.from(a.start, a.start, maxSlips) {
		return true
	}
	a.count, a.folded = 0, false
	return !folded && a.from(a.start, a.start, maxSlips)
}

// from searches for up to left slips from places i of p and j of q on.
func (a *aligner) from(i, j, left int) bool {
	p, q := a.p, a.q
	if left == 0 {
		return len(p)-i == len(q)-j && len(p)-i <= a.equal
	}
	start := i
	for i < len(p) && j < len(q) && p[i].is(&q[j]) {
		i, j = i+1, j+1
	}
	a.work += i - start + 1
	if i == len(p) && j == len(q) {
		return true
	}
	if left == 1 && len(p)-i > a.equal+mostReplaced {
		return false // a second slip would be left over
	}
	ps, qs := p[i:], q[j:]
	pMark, qMark := len(ps) > 0 && isMark(ps[0].char), len(qs) > 0 && isMark(qs[0].char)
	if k, pn, qn := walkStep(ps, qs); k != different && a.try(k, i, j, pn, qn, left) {
		return true
	}
	if len(ps) > 1 && len(qs) > 1 && ps[0].is(&qs[1]) && ps[1].is(&qs[0]) {
		k := transposed
		if pMark || qMark {
			k = moved
		}
		if a.try(k, i, j, 2, 2, left) {
			return true
		}
	}
	if left == 1 && a.count == 0 && a.alone(i, j) {
		return true
	}
	switch {
	case pMark && a.try(dropped, i, j, 1, 0, left):
		return true
	case !pMark && len(ps) > 0 && a.try(omitted, i, j, 1, 0, left):
		return true
	}
	switch {
	case qMark && a.try(added, i, j, 0, 1, left):
		return true
	case !qMark && len(qs) > 0 && a.try(a.insertion(j), i, j, 0, 1, left):
		return true
	}
	return len(ps) > 0 && len(qs) > 0 && !pMark && !qMark && a.try(replacement(ps[0].char, qs[0].char), i, j, 1, 1, left)
}

// try takes a slip of pn and qn characters at places i of p and j of q, and searches
// for up to left-1 others.
func (a *aligner) try(k kind, i, j, pn, qn, left int) bool {
	if left == 1 && len(a.p)-i-pn != len(a.q)-j-qn {
		return false
	}
	if a.folded && a.count == 1 && !kinds[k].fold && !kinds[a.found[0].kind].fold {
		return false
	}
	a.found[a.count] = step{k, uint16(i), uint16(j), uint16(pn), uint16(qn)}
	a.count++
	if a.from(i+pn, j+qn, left-1) {
		return true
	}
	a.count--
	return false
}

// alone tries the kinds of slips that the index finds only without another slip.
func (a *aligner) alone(i, j int) bool {
	ps, qs := a.p[i:], a.q[j:]
	if len(ps) > 2 && len(qs) > 2 && rotated(ps, qs) && a.try(displaced, i, j, 3, 3, 1) {
		return true
	}
	n := a.held(i, j)
	return n > 1 && a.try(held, i, j, 0, n, 1)
}

// rotated reports whether one of three letters is two places from its own.
func rotated(p, q []cell) bool {
	for i := range 3 {
		if isMark(p[i].char) || isMark(q[i].char) {
			return false
		}
	}
	return p[0].is(&q[2]) && p[1].is(&q[0]) && p[2].is(&q[1]) || p[0].is(&q[1]) && p[1].is(&q[2]) && p[2].is(&q[0])
}

// held returns the number of letters from place j of q on that repeat the one before.
func (a *aligner) held(i, j int) (n int) {
	if j == 0 || i == 0 || a.q[j-1].char != a.p[i-1].char {
		return 0
	}
	for j+n < len(a.q) && a.q[j+n].char == a.q[j-1].char && !isMark(a.q[j-1].char) {
		n++
	}
	return n
}

// insertion returns the kind of slip that adds the letter at place j of q.
func (a *aligner) insertion(j int) kind {
	k := inserted
	for _, at := range [...]int{j - 1, j + 1} {
		if at < 0 || at >= len(a.q) {
			continue
		}
		switch {
		case a.q[at].char == a.q[j].char:
			return repeated
		case adjacent(a.q[at].char, a.q[j].char):
			k = fatFinger
		}
	}
	return k
}

// replacement returns the kind of slip that types q instead of p.
func replacement(p, q rune) kind {
	switch {
	case adjacent(p, q):
		return neighbour
	case similar(p, q):
		return similarGlyph
	}
	return replaced
}
