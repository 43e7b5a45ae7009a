package detect

import (
	"math/bits"
	"unicode/utf8"
)

// maxLetters bounds the letters of a reading. Plain names stay below it;
// A-labels full of ligatures may not, and are cut.
const maxLetters = 256

// reading is a name as the comparison reads it: its letters, with Unicode
// folded to ASCII, and apart from them the places of dots and hyphens. Letters
// are stored last letter first, so that a run of rightmost labels is a prefix.
//
// It is too large for the stack of a goroutine that serves one query: it is
// passed by pointer, and set from another one rather than returned.
type reading struct {
	letters [maxLetters]rune
	size    int
	ends    [maxLabels]uint16 // ends[k] letters are in the rightmost k+1 labels
	labels  int
	dots    places
	hyphens places
	foreign int   // the fewest rightmost labels that hold Unicode, 0 for none
	strange int   // and those that hold a letter of no English or French word
	skipped int   // labels that stand to the right, outside of the reading
	offset  int   // letters that do
	seen    trait // pairBegins, of all letters
	before  trait // of the last letter that was added
}

// reset makes the reading empty. Letters and ends beyond the new size may hold
// anything, but for ends[0].
func (r *reading) reset() {
	r.size, r.labels = 0, 0
	r.ends[0] = 0
	r.dots, r.hyphens = places{}, places{}
	r.foreign, r.strange, r.skipped, r.offset = 0, 0, 0, 0
	r.seen, r.before = 0, 0
}

// places is a set of places between letters: i has i letters to its right.
type places [maxLetters/64 + 1]uint64

func (p *places) add(i int) { p[i/64] |= 1 << (i % 64) }

// addAround adds i and the places next to it.
func (p *places) addAround(i int) {
	for j := max(0, i-1); j <= i+1; j++ {
		p.add(j)
	}
}

func (p *places) has(i int) bool { return p[i/64]&(1<<(i%64)) != 0 }

// or returns the union of two sets.
func (p places) or(q *places) places {
	for w := range p {
		p[w] |= q[w]
	}
	return p
}

// next returns the first place from i on, or -1.
func (p *places) next(i int) int {
	for w := i / 64; w < len(p); w++ {
		word := p[w]
		if w == i/64 {
			word &= ^uint64(0) << (i % 64)
		}
		if word != 0 {
			return w*64 + bits.TrailingZeros64(word)
		}
	}
	return -1
}

// read sets r to the labels from lo up to hi of n. Labels that do not fit are
// left out, from the left.
func (r *reading) read(n *name, lo, hi int) {
	r.reset()
	for i := hi - 1; i >= lo; i-- {
		if r.labels > 0 {
			r.dots.add(r.size)
			r.before = 0
		}
		if !r.addLabel(n.label(i)) {
			r.size = int(r.ends[max(r.labels-1, 0)])
			return
		}
		r.ends[r.labels] = uint16(r.size)
		r.labels++
	}
}

// addLabel reads one label and reports whether it fits.
func (r *reading) addLabel(label []byte) bool {
	if hasACEPrefix(label) || !isASCII(label) {
		return r.addUnicode(label)
	}
	return addASCII(r, label)
}

func (r *reading) addUnicode(label []byte) bool {
	var buf [maxRunes]rune
	runes, foreign := decodeLabel(buf[:0], label)
	if foreign && r.foreign == 0 {
		r.foreign = r.labels + 1
	}
	for i := len(runes) - 1; i >= 0; i-- {
		if r.strange == 0 && !inWords(runes[i]) {
			r.strange = r.labels + 1
		}
		if !r.addRune(runes[i]) {
			return false
		}
	}
	return true
}

func (r *reading) addRune(c rune) bool {
	if c < utf8.RuneSelf {
		return addASCII(r, []byte{byte(c)})
	}
	if to, known := foldRune(c); known {
		return addASCII(r, to)
	}
	return r.addOther(c)
}

// addASCII puts characters to the left of what has been read, the last one
// first, and reports whether they fit.
func addASCII[T string | []byte](r *reading, text T) bool {
	size, seen, before := r.size, r.seen, r.before
	i := len(text) - 1
	for ; i >= 0; i-- {
		c := text[i]
		t := traits[c&127]
		if t&separator != 0 {
			r.hyphens.add(size)
			before = 0
			continue
		}
		if size == maxLetters {
			break
		}
		seen |= t & pairBegins & (before >> pairShift)
		before = t
		r.letters[size] = rune(c)
		size++
	}
	r.size, r.seen, r.before = size, seen, before
	return i < 0
}

// addOther puts a character that resembles none of ASCII to the left of what has
// been read, and reports whether it fits.
func (r *reading) addOther(c rune) bool {
	if r.size == maxLetters {
		return false
	}
	r.before = 0
	r.letters[r.size] = c
	r.size++
	return true
}

// trait is a set of what a character means to a reading.
type trait uint16

const (
	separator trait = 1 << iota // stands between letters
	beginRN                     // may begin rn or nn
	beginVV
	beginUU
	beginCL
	endRN // may end it
	endVV
	endUU
	endCL

	pairBegins = beginRN | beginVV | beginUU | beginCL
	pairShift  = 4 // from the end of a pair to its beginning
)

var traits = [128]trait{
	'-': separator, '_': separator, '.': separator, ' ': separator,
	'r': beginRN, 'n': beginRN | endRN, 'v': beginVV | endVV, 'u': beginUU | endUU,
	'c': beginCL, 'l': endCL, 'i': endCL, '1': endCL,
}

// paired reports whether r has pairs of letters that read as one. After a cut
// it may be wrong in saying so.
func (r *reading) paired() bool { return r.seen&pairBegins != 0 }

// run returns the letters of the rightmost k+1 labels.
func (r *reading) run(k int) []rune { return r.letters[:r.ends[k]] }

// parts reports whether a dot or hyphen stands at place i.
func (r *reading) parts(i int) bool { return r.dots.has(i) || r.hyphens.has(i) }

// endsLabel reports whether a label begins, read from the left, at place i.
func (r *reading) endsLabel(i int) bool { return i == r.size || r.dots.has(i) }

// cut sets r to q without its n last letters and the dots and hyphens next to
// them, and returns r.
func (r *reading) cut(q *reading, n int) *reading {
	r.reset()
	r.size, r.skipped, r.offset, r.seen = q.size-n, q.skipped, q.offset+n, q.seen
	copy(r.letters[:r.size], q.letters[n:q.size])
	for k := range q.labels {
		if end := int(q.ends[k]); end > n {
			r.ends[r.labels] = uint16(end - n)
			r.labels++
		} else {
			r.skipped++
		}
	}
	if q.foreign > 0 {
		r.foreign = max(1, q.foreign-(q.labels-r.labels))
	}
	for i := q.dots.next(n + 1); i >= 0; i = q.dots.next(i + 1) {
		r.dots.add(i - n)
	}
	for i := q.hyphens.next(n + 1); i >= 0; i = q.hyphens.next(i + 1) {
		r.hyphens.add(i - n)
	}
	return r
}

// all is the argument of join for all pairs.
const all = -1

// join sets r to q with the pairs of letters that read as one put together: all
// of them, or only the one of that number from the left. Pairs across a dot or
// hyphen stay. It returns r.
func (r *reading) join(q *reading, only int) *reading {
	r.reset()
	r.skipped, r.offset, r.foreign = q.skipped, q.offset, q.foreign
	// Which letters go together is found from the left of the name, where
	// people begin to read; the letters are then copied from the right.
	var left places // those of letters that go together with the one before
	for i, pair := q.size-1, 0; i > 0; i-- {
		if !q.pairAt(i) {
			continue
		}
		if only == all || only == pair {
			left.add(i)
			i--
		}
		pair++
	}
	label := 0
	for i := 0; i <= q.size; i++ {
		if q.dots.has(i) {
			r.dots.add(r.size)
		}
		if q.hyphens.has(i) {
			r.hyphens.add(r.size)
		}
		for label < q.labels && int(q.ends[label]) == i {
			r.ends[label] = uint16(r.size)
			label++
		}
		if i == q.size {
			break
		}
		if i+1 < q.size && left.has(i+1) {
			r.letters[r.size], _ = together(q.letters[i+1], q.letters[i])
			i++
		} else {
			r.letters[r.size] = q.letters[i]
		}
		r.size++
	}
	r.labels = q.labels
	return r
}

// pairAt reports whether letters i and i-1 read as one.
func (r *reading) pairAt(i int) bool {
	_, ok := together(r.letters[i], r.letters[i-1])
	return ok && !r.parts(i)
}

func isASCII(label []byte) bool {
	for _, c := range label {
		if c >= 128 {
			return false
		}
	}
	return true
}
