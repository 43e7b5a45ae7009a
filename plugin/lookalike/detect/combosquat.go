package detect

import "strings"

// combosquatGlued is the fewest letters of a protected name that a keyword may
// touch without a separator.
const combosquatGlued = 5

// keywords are what lures and mistaken addresses put before or behind a
// protected name.
var keywords = strings.Fields(`
	mail email webmail mails owa outlook exchange autodiscover smtp imap pop
	mx mx1 mx2 relay mailer www web ftp vpn sso login logon signin secure
	security portal account accounts auth remote support helpdesk help
	service services online official us usa mil gov hq info news net
`)

// keywordsByLast and keywordsByFirst hold the keywords by their last and first
// letters, those by the last with the letters turned round.
var keywordsByLast, keywordsByFirst = sortKeywords()

func sortKeywords() (byLast, byFirst [128][]keyword) {
	for _, w := range keywords {
		k := keyword{text: w}
		for i := len(w) - 1; i >= 0; i-- {
			k.letters = append(k.letters, rune(w[i]))
		}
		byLast[w[len(w)-1]] = append(byLast[w[len(w)-1]], k)
		byFirst[w[0]] = append(byFirst[w[0]], k)
	}
	return byLast, byFirst
}

// keyword is a keyword and its letters, last one first.
type keyword struct {
	text    string
	letters []rune
}

// maxKeywords is how many keywords are cut from each end of a label.
const maxKeywords = 2

// combosquat looks for protected names in the last label of r with keywords
// before or behind them.
func (s *search) combosquat(r *reading) { s.combosquatEnds(r, affix{separated: true}, maxKeywords) }

// combosquatEnds cuts up to max keywords from the end of the last label of r,
// and any from its beginning.
func (s *search) combosquatEnds(r *reading, cut affix, max int) {
	s.combosquatStarts(r, int(r.ends[0]), cut, maxKeywords)
	if max == 0 || r.letters[0] >= 128 {
		return
	}
	for _, w := range keywordsByLast[r.letters[0]] {
		n := len(w.letters)
		if n >= int(r.ends[0]) || !hasLetters(r, 0, w.letters) {
			continue
		}
		rest, cut := r.cut(n), cut.with(w.text, r.hyphens.has(n))
		for k := range min(rest.labels, s.index.depth, compareLabels) {
			s.sameRun(&rest, int(rest.ends[k]), k, cut)
		}
		s.combosquatEnds(&rest, cut, max-1)
	}
}

// combosquatStarts cuts up to max keywords from the beginning of the last label
// of r, of which n letters are left.
func (s *search) combosquatStarts(r *reading, n int, cut affix, max int) {
	if n == 0 || max == 0 || r.letters[n-1] >= 128 {
		return
	}
	for _, w := range keywordsByFirst[r.letters[n-1]] {
		rest := n - len(w.letters)
		if rest <= 0 || !hasLetters(r, rest, w.letters) {
			continue
		}
		cut := cut.with(w.text, r.hyphens.has(rest))
		s.sameRun(r, rest, 0, cut)
		s.combosquatStarts(r, rest, cut, max-1)
	}
}

// with returns the affix with one more keyword cut off.
func (a affix) with(keyword string, separated bool) affix {
	a.separated = a.separated && separated
	a.keyword = keyword
	return a
}
