package detect

import (
	"math/bits"
	"unicode/utf8"
)

// maxLetters limits the letters of a reading. Plain names stay below it. A-labels
// full of ligatures may exceed it and are cut.
const maxLetters = 256

// reading is a name in the form that is compared: its letters, with Unicode folded
// to ASCII, and separately the places of dots and hyphens. Letters are stored in
// reverse, so that a run of rightmost labels is a prefix, and a cut at the end of a
// name copies nothing.
type reading struct {
	text    *storage
	letters []rune // of text, from offset on
	size    int
	labels  int
	skipped int   // labels of text to the right of the reading
	offset  int   // letters of text to the right of the reading
	foreign int   // the fewest rightmost labels with Unicode, 0 for none
	strange int   // the fewest with a letter that no English or French word has
	seen    trait // pairBegins, separator and held3, of all characters
	before  trait // of the last letter that was added
}

// storage holds the letters and marks that readings are slices of.
//
// It is too large for the stack of a goroutine that serves one query, so it is part
// of the pooled search.
type storage struct {
	letters [maxLetters + 1]rune // one more, so that five may be read where four remain
	ends    [maxLabels]uint16    // ends[k] letters are in the rightmost k+1 labels
	dots    places
	hyphens places
}

// begin makes r an empty reading stored in text.
func (r *reading) begin(text *storage) {
	text.dots, text.hyphens = places{}, places{}
	*r = reading{text: text, letters: text.letters[:]}
}

// end returns the number of letters in the rightmost k+1 labels.
func (r *reading) end(k int) int {
	if r.labels == 0 {
		return 0
	}
	return int(r.text.ends[r.skipped+k]) - r.offset
}

// hyphen and dot report whether r has one at place i. A cut also removes the dots
// and hyphens next to it.
func (r *reading) hyphen(i int) bool {
	return (i > 0 || r.offset == 0) && r.text.hyphens.has(r.offset+i)
}
func (r *reading) dot(i int) bool { return (i > 0 || r.offset == 0) && r.text.dots.has(r.offset+i) }

// places is a set of places between letters: place i has i letters to its right.
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

// before returns the last place before i, or -1.
func (p *places) before(i int) int {
	for i--; i >= 0; i = i&^63 - 1 {
		if word := p[i/64] << (63 - i%64); word != 0 {
			return i - bits.LeadingZeros64(word)
		}
	}
	return -1
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

// read sets r to the labels from lo up to hi of n, stored in text. Labels on the
// left that do not fit are left out.
func (r *reading) read(n *name, lo, hi int, text *storage) {
	r.begin(text)
	for i := hi - 1; i >= lo; i-- {
		if r.labels > 0 {
			text.dots.add(r.size)
			r.before = 0
		}
		if !r.addLabel(n, i) {
			r.size = r.end(r.labels - 1)
			return
		}
		text.ends[r.labels] = uint16(r.size)
		r.labels++
	}
}

// addLabel adds label i of n and reports whether it fits.
func (r *reading) addLabel(n *name, i int) bool {
	if n.isPlain(i) {
		return addASCII(r, n.label(i))
	}
	return r.addUnicode(n.decode(i))
}

func (r *reading) addUnicode(runes []rune, foreign bool) bool {
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

// addASCII adds text to the left of the reading, last character first, and reports
// whether it fits.
func addASCII[T string | []byte](r *reading, text T) bool {
	size, seen, before := r.size, r.seen, r.before
	var last rune
	twice := false // last occurs twice or more in a row
	if size > 0 {
		last = r.letters[size-1]
		twice = size > 1 && r.letters[size-2] == last
	}
	i := len(text) - 1
	for ; i >= 0; i-- {
		c := text[i]
		t := traits[c&127]
		if t&separator != 0 {
			r.text.hyphens.add(size)
			seen |= separator
			before = 0
			continue
		}
		if size == maxLetters {
			break
		}
		seen |= t & pairBegins & (before >> pairShift)
		before = t
		if rune(c) != last {
			last, twice = rune(c), false
		} else if twice {
			seen |= held3
		} else {
			twice = true
		}
		r.letters[size] = rune(c)
		size++
	}
	r.size, r.seen, r.before = size, seen, before
	return i < 0
}

// addOther adds a character that resembles no ASCII character to the left of the
// reading, and reports whether it fits.
func (r *reading) addOther(c rune) bool {
	if r.size == maxLetters {
		return false
	}
	r.before = 0
	if r.size > 1 && r.letters[r.size-1] == c && r.letters[r.size-2] == c {
		r.seen |= held3
	}
	r.letters[r.size] = c
	r.size++
	return true
}

// trait is a set of properties of a character.
type trait uint16

const (
	separator trait = 1 << iota // separates letters
	beginRN                     // may begin rn or nn
	beginVV
	beginUU
	beginCL
	endRN // may end rn or nn
	endVV
	endUU
	endCL
	held3 // seen: a letter occurs three times or more in a row

	pairBegins = beginRN | beginVV | beginUU | beginCL
	pairShift  = 4 // from the end of a pair to its beginning
)

var traits = [128]trait{
	'-': separator, '_': separator, '.': separator, ' ': separator,
	'r': beginRN, 'n': beginRN | endRN, 'v': beginVV | endVV, 'u': beginUU | endUU,
	'c': beginCL, 'l': endCL, 'i': endCL, '1': endCL,
}

// paired reports whether r has pairs of letters that read as one. After a cut it
// may report true without any.
func (r *reading) paired() bool { return r.seen&pairBegins != 0 }

// run returns the letters of the rightmost k+1 labels.
func (r *reading) run(k int) []rune { return r.letters[:r.end(k)] }

// parts reports whether r has a dot or hyphen at place i.
func (r *reading) parts(i int) bool { return r.dot(i) || r.hyphen(i) }

// endsLabel reports whether a label begins, read from the left, at place i.
func (r *reading) endsLabel(i int) bool { return i == r.size || r.dot(i) }

// cut sets r to q without its n last letters and the dots and hyphens next to
// them, and returns r.
func (r *reading) cut(q *reading, n int) *reading {
	*r = reading{text: q.text, letters: q.letters[n:], size: q.size - n, labels: q.labels,
		skipped: q.skipped, offset: q.offset + n, foreign: q.foreign, seen: q.seen}
	for k := 0; k < q.labels && q.end(k) <= n; k++ {
		r.labels--
		r.skipped++
	}
	if q.foreign > 0 {
		r.foreign = max(1, q.foreign-(q.labels-r.labels))
	}
	return r
}

// pairs returns the places of letters in the rightmost labels that read as one with
// the letter before. every has all of them, overlapping ones included. read has those
// that a person sees when reading from the left. A dot or hyphen separates a pair.
func (r *reading) pairs(labels int) (every, read places) {
	left := maxLetters // the place of the last one of read
	for i := r.end(labels-1) - 1; i > 0; i-- {
		if _, ok := together(r.letters[i], r.letters[i-1]); ok && !r.parts(i) {
			every.add(i)
			if i < left-1 {
				read.add(i)
				left = i
			}
		}
	}
	return every, read
}

// join sets r to the rightmost labels of q with the given pairs of letters merged,
// and returns r. It is stored in text. It has no hyphens.
func (r *reading) join(q *reading, labels int, pairs *places, text *storage) *reading {
	r.begin(text)
	r.foreign = q.foreign
	from := 0 // what is left of q
	for ; r.labels < labels; r.labels++ {
		end := q.end(r.labels)
		for from < end {
			i := pairs.next(from + 1) // its letters are i-1 and i
			if i < 0 || i >= end {
				r.size += copy(r.letters[r.size:], q.letters[from:end])
				break
			}
			r.size += copy(r.letters[r.size:], q.letters[from:i-1])
			r.letters[r.size], _ = together(q.letters[i], q.letters[i-1])
			r.size++
			from = i + 1
		}
		from = end
		text.ends[r.labels] = uint16(r.size)
	}
	return r
}

func isASCII(label []byte) bool {
	for _, c := range label {
		if c >= 128 {
			return false
		}
	}
	return true
}
