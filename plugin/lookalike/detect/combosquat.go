package detect

import (
	"iter"
	"strings"
)

// combosquatGlued is the fewest letters of a protected name that a keyword may
// touch without a separator.
const combosquatGlued = 5

// keywords are the words that lures and mistaken addresses put before or behind
// a protected name.
var keywords = strings.Fields(`
	mail email webmail mails owa outlook exchange autodiscover smtp imap pop
	mx mx1 mx2 relay mailer www web ftp vpn sso login logon signin secure
	security portal account accounts auth remote support helpdesk help
	service services online official us usa mil gov hq info news net
`)

// keywordsByLast and keywordsByFirst hold the keywords by their last and first
// two letters.
var keywordsByLast, keywordsByFirst = func() (byLast, byFirst [1 << 10][]keyword) {
	for _, w := range keywords {
		k := keyword{text: w}
		for i := len(w) - 1; i >= 0; i-- {
			k.letters = append(k.letters, rune(w[i]))
		}
		last, first := twoLetters(k.letters[0], k.letters[1]), twoLetters(rune(w[0]), rune(w[1]))
		byLast[last] = append(byLast[last], k)
		byFirst[first] = append(byFirst[first], k)
	}
	return byLast, byFirst
}()

// lastTwo and firstTwo say which rows of those tables are not empty.
var lastTwo, firstTwo = anyOf(&keywordsByLast), anyOf(&keywordsByFirst)

// twoSet is a set of what twoLetters returns.
type twoSet [1 << 10 / 64]uint64

func anyOf(words *[1 << 10][]keyword) (set twoSet) {
	for i := range words {
		if len(words[i]) > 0 {
			set[i/64] |= 1 << (i % 64)
		}
	}
	return set
}

func (s *twoSet) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }

// twoLetters makes an index of two letters. Several pairs share an index.
func twoLetters(a, b rune) int { return int(a&31<<5 | b&31) }

// keyword is a keyword and its letters, last one first.
type keyword struct {
	text    string
	letters []rune
}

// maxKeywords is how many keywords are cut from each end of a label.
const maxKeywords = 2

// combosquat looks in the last label of r for protected names with keywords
// before or behind them.
func (s *search) combosquat(r *reading) {
	cut := affix{separated: true}
	s.combosquatStarts(r, cut)
	if r.size < 2 || !lastTwo.has(twoLetters(r.letters[0], r.letters[1])) {
		return
	}
	for w := range endKeywords(r) {
		s.combosquatEnd(r, w, cut)
	}
}

// combosquatKept looks for a protected name that keeps its public suffix before
// the keywords at the end: armymil-login.
func (s *search) combosquatKept(r *reading, cut affix) {
	tails := s.index.tailsAt(r, 0)
	for i := range tails {
		t := &tails[i]
		if n := len(t.letters); n < r.end(0) && hasLetters(r, 0, t.letters) {
			rest := s.tailless.cut(r, n)
			cut := cut
			cut.tail, cut.letters = t, n
			for k := range min(rest.labels, s.index.depth, compareLabels) {
				s.sameRun(rest, rest.end(k), k, cut)
			}
			s.combosquatStarts(rest, cut)
		}
	}
}

// endKeywords yields the keywords at the end of r that leave letters before them.
func endKeywords(r *reading) iter.Seq[*keyword] {
	return func(yield func(*keyword) bool) {
		if r.size < 2 {
			return
		}
		two := twoLetters(r.letters[0], r.letters[1])
		if !lastTwo.has(two) {
			return
		}
		all := keywordsByLast[two]
		for i := range all {
			if w := &all[i]; len(w.letters) < r.end(0) && hasLetters(r, 0, w.letters) && !yield(w) {
				return
			}
		}
	}
}

// combosquatEnd cuts a keyword from the end of r, and then a second one.
func (s *search) combosquatEnd(r *reading, w *keyword, cut affix) {
	rest, cut := s.cutKeyword(r, w, cut)
	for w := range endKeywords(rest) {
		s.cutKeyword(rest, w, cut)
	}
}

// cutKeyword cuts a keyword from the end of r and compares the rest. It returns
// the rest, and all that has been cut.
func (s *search) cutKeyword(r *reading, w *keyword, cut affix) (*reading, affix) {
	n := len(w.letters)
	rest := s.wordless[cut.count].cut(r, n)
	cut = cut.with(w, r.hyphen(n))
	for k := range min(rest.labels, s.index.depth, compareLabels) {
		s.sameRun(rest, rest.end(k), k, cut)
	}
	s.combosquatStarts(rest, cut)
	if cut.separated && rest.labels > 0 {
		s.combosquatKept(rest, cut)
	}
	return rest, cut
}

// combosquatStarts looks for keywords at the beginning of each run of rightmost
// labels.
func (s *search) combosquatStarts(r *reading, cut affix) {
	for k := range min(r.labels, s.index.depth, compareLabels) {
		s.combosquatStart(r, r.end(k), k, cut, maxKeywords)
	}
}

// combosquatStart cuts up to max keywords from the left of the rightmost k+1
// labels, which have the first n letters of r.
func (s *search) combosquatStart(r *reading, n, k int, cut affix, max int) {
	if n < 2 || max == 0 {
		return
	}
	two := twoLetters(r.letters[n-1], r.letters[n-2])
	if !firstTwo.has(two) {
		return
	}
	least := 0 // letters of labels that no keyword reaches into
	if k > 0 {
		least = r.end(k - 1)
	}
	words := keywordsByFirst[two]
	for i := range words {
		w := &words[i]
		rest := n - len(w.letters)
		if rest <= least || rest < classes[Combosquat].floor.medium && cut.tail == nil || !hasLetters(r, rest, w.letters) {
			continue
		}
		cut := cut.with(w, r.hyphen(rest))
		s.sameRun(r, rest, k, cut)
		s.combosquatStart(r, rest, k, cut, max-1)
	}
}

// with returns the affix with one more keyword cut off.
func (a affix) with(w *keyword, separated bool) affix {
	a.separated = a.separated && separated
	a.keywords[a.count] = w
	a.count++
	return a
}
