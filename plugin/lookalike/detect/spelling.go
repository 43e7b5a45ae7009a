package detect

// spelling is a run of labels as people see it, in reverse: letters with Unicode folded
// to ASCII, and dots and hyphens in their places. It maps the letters of a reading,
// which have the same order, to cells.
type spelling struct {
	cells []cell
	at    []uint16 // at[i] is the place of letter i
	raw   []rune   // the code points that are written, last one first

	// Where these begin, so that a new spelling of a usual name takes no memory.
	room struct {
		cells [maxOctets]cell
		at    [maxOctets]uint16
		raw   [maxOctets]rune
	}
}

// cell is one character of a spelling.
type cell struct {
	char  rune   // labelEnd, a letter, or another character
	raw   uint16 // where its code points end in raw; they begin where those of the cell before end
	alien bool   // written otherwise than char
}

// is reports whether two cells are the same character. A character beyond ASCII
// equals every letter that it looks like: the letter palochka equals i and l.
func (c *cell) is(d *cell) bool {
	return c.char == d.char || (c.alien || d.alien) && glyph(c.char) == glyph(d.char)
}

const (
	labelEnd   rune = '.'
	innerPoint      = notUnicode + '.' // a dot inside of a label
)

// maxCells bounds the cells of a spelling: letters, and dots and hyphens.
const maxCells = maxLetters + maxOctets

// spell sets s to the labels from lo up to hi of n.
func (s *spelling) spell(n *name, lo, hi int) {
	if s.cells == nil {
		s.cells, s.at, s.raw = s.room.cells[:], s.room.at[:], s.room.raw[:]
	}
	s.cells, s.at, s.raw = s.cells[:0], s.at[:0], s.raw[:0]
	for i := hi - 1; i >= lo; i-- {
		if i < hi-1 {
			s.raw = append(s.raw, labelEnd)
			s.cell(labelEnd, false)
		}
		label := n.label(i)
		if n.isPlain(i) {
			s.plain(label)
			continue
		}
		runes, _ := n.decode(i)
		for j := len(runes) - 1; j >= 0; j-- {
			s.rune(runes[j])
		}
	}
	if n := len(s.cells); n > 0 { // marks that stand before every letter
		s.cells[n-1].raw = uint16(len(s.raw))
	}
}

// plain spells a label of ASCII.
func (s *spelling) plain(label []byte) {
	if len(s.cells)+len(label) > maxLetters { // which cell minds
		for j := len(label) - 1; j >= 0; j-- {
			s.raw = append(s.raw, plainRune(rune(label[j])))
			s.cell(plainRune(rune(label[j])), false)
		}
		return
	}
	cells, at, raw := s.cells, s.at, s.raw
	for j := len(label) - 1; j >= 0; j-- {
		c := plainRune(rune(label[j]))
		raw = append(raw, c)
		if traits[label[j]&127]&separator == 0 {
			at = append(at, uint16(len(cells)))
		}
		cells = append(cells, cell{c, uint16(len(raw)), false})
	}
	s.cells, s.at, s.raw = cells, at, raw
}

// plainRune returns how a character of a label is spelled.
func plainRune(c rune) rune {
	if c == '.' {
		return innerPoint
	}
	return c
}

// rune spells one code point.
func (s *spelling) rune(c rune) {
	s.raw = append(s.raw, plainRune(c))
	if c < 128 {
		s.cell(plainRune(c), false)
		return
	}
	to, known := foldRune(c)
	if !known {
		s.cell(c, false)
		return
	}
	for i := len(to) - 1; i >= 0; i-- {
		s.cell(rune(to[i]), true)
	}
}

func (s *spelling) cell(c rune, alien bool) {
	if len(s.cells) == maxCells {
		return
	}
	if !isMark(c) {
		if len(s.at) == maxLetters {
			return
		}
		s.at = append(s.at, uint16(len(s.cells)))
	}
	s.cells = append(s.cells, cell{c, uint16(len(s.raw)), alien})
}

// isMark reports whether a character is a dot or hyphen.
func isMark(c rune) bool {
	switch c {
	case labelEnd, innerPoint, '-', '_', ' ':
		return true
	}
	return false
}

// span returns the cells of the letters from from up to to. At the end of the
// labels, hyphens there belong to it, and so do those at the beginning of a
// label where the letters reach that.
func (s *spelling) span(from, to int) (first, end int) {
	if from > 0 {
		first = int(s.at[from])
	}
	if to == from {
		return first, first
	}
	end = int(s.at[to-1]) + 1
	rest := end
	for rest < len(s.cells) && isMark(s.cells[rest].char) && s.cells[rest].char != labelEnd {
		rest++
	}
	if rest == len(s.cells) || s.cells[rest].char == labelEnd {
		end = rest
	}
	return first, end
}

// text returns the text of the cells from first up to end, first character first.
func (s *spelling) text(first, end int) string {
	return writeOut(s.written(first, end))
}

// written returns the code points of that text, last one first.
func (s *spelling) written(first, end int) []rune { return s.raw[s.rawAt(first):s.rawAt(end)] }

// octets returns the length of that text.
func (s *spelling) octets(first, end int) (n int) {
	for _, r := range s.written(first, end) {
		n += runeOctets(r)
	}
	return n
}

// writeOut returns code points, which stand last one first, in presentation form.
func writeOut(raw []rune) string {
	if len(raw) == 0 {
		return ""
	}
	b := make([]byte, 0, len(raw))
	for i := len(raw) - 1; i >= 0; i-- {
		b = appendRune(b, raw[i])
	}
	return string(b)
}

// rawAt returns where in raw the cells from place i on begin.
func (s *spelling) rawAt(i int) int {
	switch {
	case i == 0:
		return 0
	case i == len(s.cells):
		return len(s.raw)
	}
	return int(s.cells[i-1].raw)
}

// whole reports whether no code point stands for cells on both sides of place i.
func (s *spelling) whole(i int) bool {
	return i == 0 || i == len(s.cells) || s.cells[i].raw > s.cells[i-1].raw
}

// hasAlien reports whether one of the cells was not ASCII.
func hasAlien(cells []cell) bool {
	for i := range cells {
		if cells[i].alien {
			return true
		}
	}
	return false
}

// letterCount returns the number of cells that are letters.
func letterCount(cells []cell) (n int) {
	for i := range cells {
		if !isMark(cells[i].char) {
			n++
		}
	}
	return n
}
