package detect

import "unicode/utf8"

//go:generate go run ./internal/genfold -o unicode_table.go

// foldEntry says which ASCII letters, digits or hyphens a code point resembles.
type foldEntry struct {
	r  rune
	to string
}

// runeRange is a range of code points, both ends included.
type runeRange struct{ lo, hi rune }

// foldRune returns the ASCII letters, digits or hyphens that r resembles by
// UTS #39 and the rules of internal/genfold, and true; nothing and true for
// marks and format characters; false for a code point that resembles none.
func foldRune(r rune) (string, bool) {
	if r < 0 || r > utf8.MaxRune {
		return "", false
	}
	lo, hi := int(foldPages[r>>8]), int(foldPages[r>>8+1])
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if foldsTo[mid].r < r {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(foldsTo) && foldsTo[lo].r == r {
		return foldsTo[lo].to, true
	}
	return "", foldsAwayRune(r)
}

// foldPages holds where in foldsTo the code points from each multiple of 256 begin.
var foldPages = func() (pages [utf8.MaxRune>>8 + 2]uint16) {
	for _, entry := range foldsTo {
		pages[entry.r>>8+1]++
	}
	for i := range pages[1:] {
		pages[i+1] += pages[i]
	}
	return pages
}()

func foldsAwayRune(r rune) bool {
	lo, hi := 0, len(foldsAway)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if foldsAway[mid].hi < r {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(foldsAway) && foldsAway[lo].lo <= r
}

// glyphs maps each letter and digit to one that represents all its lookalikes. It
// maps one character to one, so it never adds edits between two strings.
var glyphs = func() (table [128]rune) {
	for r := range table {
		table[r] = rune(r)
	}
	for from, to := range map[rune]rune{
		'i': 'l', '0': 'o', '1': 'l', '2': 'z', '3': 'e', '4': 'a', '5': 's', '6': 'b', '7': 't', '8': 'b', '9': 'g',
	} {
		table[from] = to
	}
	return table
}()

// glyph returns the representative of r: itself if it is not in glyphs.
func glyph(r rune) rune {
	if r < 128 {
		return glyphs[r&127]
	}
	return r
}

// pair is two letters, or only last.
type pair struct{ first, last byte }

// apart holds what each letter adds to a skeleton: its glyph, or the two letters
// that read as it. Both rn and nn read as m, and both vv and uu as w. So skeletons
// have n for r, and v for u; the comparison after the lookup tells them apart.
var apart = func() (table [128]pair) {
	for r := range table {
		table[r].last = byte(glyph(rune(r)))
	}
	table['r'], table['u'] = pair{last: 'n'}, pair{last: 'v'}
	table['d'], table['m'], table['w'] = pair{'c', 'l'}, pair{'n', 'n'}, pair{'v', 'v'}
	return table
}()

// together returns the letter that two letters, in this order, read as.
func together(first, second rune) (rune, bool) {
	switch {
	case (first == 'r' || first == 'n') && second == 'n':
		return 'm', true
	case (first == 'v' || first == 'u') && second == first:
		return 'w', true
	case first == 'c' && glyph(second) == 'l':
		return 'd', true
	}
	return 0, false
}

// similar reports whether a and b look alike, but less so than the letters of
// glyphs: c and e, u and v.
func similar(a, b rune) bool {
	if a > b {
		a, b = b, a
	}
	switch [2]rune{a, b} {
	case [2]rune{'3', '8'}, [2]rune{'6', '9'}, [2]rune{'b', 'd'}, [2]rune{'c', 'e'}, [2]rune{'g', 'q'},
		[2]rune{'m', 'n'}, [2]rune{'n', 'r'}, [2]rune{'u', 'v'}:
		return true
	}
	return false
}
