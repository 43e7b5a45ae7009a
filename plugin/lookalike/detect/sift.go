package detect

import "strings"

// This file rejects protected names that share a key with the queried name but are too
// many slips away. It reads their text, before they are spelled and aligned: a list with
// many similar names has hundreds of them under the keys of one query.

// maxTwoSlips limits how many names one search aligns for two slips, which costs ten
// times as much as for one. What lies beyond the limit is only missed as double-typo.
const maxTwoSlips = 24

// worth returns how many slips from a protected name still count, of which core is what
// stands before the public suffix, for n letters of the queried name. folded says that
// two of them count only if one is a fold, or a dot or hyphen. A search aligns
// maxTwoSlips names for two.
func (s *search) worth(core string, n int, cut *affix) (slips int, folded bool) {
	letters := len(core) // or fewer
	if cut.folds > 0 || s.twoSlips == maxTwoSlips || !s.wants(DoubleTypo) || min(letters, n) < foldedFloor.medium {
		return 1, false
	}
	return maxSlips, letters < doubleMin
}

// mayBeNear reports whether core, what stands before a public suffix, may be up to so
// many slips from q. It is true at one slip, and perhaps beyond.
func mayBeNear(core string, q []cell, slips int) bool {
	if strings.IndexByte(core, '\\') >= 0 || strings.Contains(core, "xn--") {
		return true // its spelling differs from its text
	}
	p, q := differing(core, q)
	if slips > 1 {
		return len(p) == 0 || max(len(p)-len(q), len(q)-len(p)) <= slips
	}
	switch {
	case len(p) == 0: // any number of letters may be added by a held key
		return true
	case len(p) == 2 && len(q) == 2:
		return likewise(p[1], &q[1]) && likewise(p[0], &q[0])
	case len(p) == 3 && len(q) == 3:
		return likewise(p[0], &q[0]) && likewise(p[1], &q[2]) && likewise(p[2], &q[1]) ||
			likewise(p[0], &q[1]) && likewise(p[1], &q[0]) && likewise(p[2], &q[2])
	}
	return len(p)+len(q) <= 3
}

// differing returns the text without the beginning and the end that it shares with q.
// Letters that look alike are the same here. One slip is left whole, since these two
// parts are as long as they can be.
func differing(text string, q []cell) (string, []cell) {
	for len(text) > 0 && len(q) > 0 && likewise(text[0], &q[len(q)-1]) {
		text, q = text[1:], q[:len(q)-1]
	}
	for len(text) > 0 && len(q) > 0 && likewise(text[len(text)-1], &q[0]) {
		text, q = text[:len(text)-1], q[1:]
	}
	return text, q
}

// likewise reports whether a character of a text looks like that of a cell.
func likewise(c byte, d *cell) bool { return glyph(rune(c)) == glyph(d.char) }
