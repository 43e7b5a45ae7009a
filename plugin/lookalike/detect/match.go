package detect

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Match compares qname with the protected names. qname is in presentation form, in any
// case, with or without a trailing dot. It may contain the escapes \DDD and \X, and raw
// UTF-8. Match returns nil and false, without allocating, when qname resembles no
// protected name or lies under no lookalike TLD. It is safe for concurrent use. Its work
// is bounded for any qname.
func (x *Index) Match(qname string) (*Verdict, bool) {
	s := x.search(qname, false)
	if s == nil {
		return nil, false
	}
	defer s.release()
	return s.verdict(), true
}

// MatchExact is Match for the classes up to Homoglyph: names that read like a protected
// one, in the same or similar letters, or keep its TLD. It costs a fraction of Match,
// even for a qname made to be costly.
func (x *Index) MatchExact(qname string) (*Verdict, bool) {
	s := x.search(qname, true)
	if s == nil {
		return nil, false
	}
	defer s.release()
	return s.verdict(), true
}

// Brief is Match for callers that check very many names: it makes no reason and no
// slips. It is safe for concurrent use.
func (x *Index) Brief(qname string) (Brief, bool) {
	s := x.search(qname, false)
	if s == nil {
		return Brief{}, false
	}
	defer s.release()
	return s.brief(), true
}

// search returns a search that has found protected names, which the caller has to
// release, or nil if qname resembles none. If exact is set, it stops at Homoglyph.
func (x *Index) search(qname string, exact bool) *search {
	t := x.lookalikeTLD(qname)
	if t == nil {
		return nil
	}
	s := newSearch(x)
	if s.start(t, qname) {
		s.exact = exact
		s.run()
		if len(s.found) > 0 && !s.isExempt() {
			return s
		}
	}
	s.release()
	return nil
}

// maxCandidates limits the protected names that one search looks at.
const maxCandidates = 256

// start parses qname. It reports whether there is anything to compare.
func (s *search) start(t *tld, qname string) bool {
	if !s.name.parse(qname) {
		return false
	}
	s.tld, s.budget, s.doubles, s.twoSlips, s.work, s.isWritten, s.exact = t, maxCandidates, 0, 0, 0, false, false
	s.keptTLD, s.underTLD, s.head, s.headLabels = "", false, "", 0
	s.lo, s.hi = 0, s.name.labels-1
	if s.hi > 0 && t.within>>len(s.name.label(s.hi-1))&1 != 0 {
		s.hi = s.name.labels - s.index.suffixes.of(&s.name)
	}
	for i := s.hi - 1; i >= 0; i-- {
		if s.name.label(i)[0] == '_' {
			s.lo = i + 1
			break
		}
	}
	if s.lo >= s.hi {
		return false
	}
	s.query.read(&s.name, s.lo, s.hi, &s.queryText)
	return true
}

// run tries the classes, in their order or several at once, until one of them
// matches.
func (s *search) run() {
	s.underHeads()
	tld := s.keptLabel()
	if tld == "" {
		s.compare(&s.query)
		s.addBare()
		return
	}
	if s.best() == TLDSwap {
		return
	}
	s.found, s.underTLD = s.found[:0], true
	if !s.exact {
		if s.keptTail(&s.query); s.best() == TLDKept {
			return
		}
	}
	s.keptTLD = tld
	s.compare(s.beforeTLD.cut(&s.query, s.query.end(0)))
	if len(s.found) == 0 {
		s.found = append(s.found, finding{id: noName, first: s.hi, last: s.hi})
	}
	for i := range s.found {
		s.found[i].class, s.found[i].confidence = TLDKept, High
		s.found[i].how.underTLD = true
	}
}

// compare finds protected names that r resembles.
func (s *search) compare(r *reading) {
	if r.labels == 0 {
		return
	}
	s.same(r, affix{})
	if s.exact {
		return
	}
	if s.open(TLDKept) {
		s.keptTail(r)
	}
	if !s.open(Homoglyph) {
		return
	}
	h := r.compared(s.hashes[:0])
	s.work += len(h)
	s.near(r, h, affix{})
	if s.open(TLDKept) {
		s.combosquat(r)
	}
	if s.open(Embedding) {
		s.embedding(r)
		s.runTogether(r, h)
	}
	if s.open(DoubleTypo) {
		s.double(r, h)
	}
}

// belowSuffix reports whether the name lies below a public suffix other than
// the TLD. Such a suffix has hosts of its own: mail.gouv.ml serves gouv.ml.
func (s *search) belowSuffix() bool { return s.hi < s.name.labels-1 }

// meant reports whether the queried name kept the public suffix of the protected name,
// or kept none.
func (s *search) meant(f *finding) bool {
	suffix := s.index.suffix(f.id)
	if t := f.how.affix.tail; t != nil && suffix != t.suffix {
		return false
	}
	if s.head != "" && (len(suffix) <= len(s.head) || suffix[:len(s.head)] != s.head || suffix[len(s.head)] != '.') {
		return false
	}
	return s.keptTLD == "" || suffix[strings.LastIndexByte(suffix, '.')+1:] == s.keptTLD
}

// underHeads compares the labels before the first part of a protected name's public
// suffix: eb.mil.ml for eb.mil.br.
func (s *search) underHeads() {
	if s.hi-s.lo < 2 || !s.index.heads.has(s.name.label(s.hi-1)) {
		return
	}
	for _, head := range s.index.headList {
		labels := strings.Count(head, ".") + 1
		if s.hi-s.lo <= labels || s.name.text(s.hi-labels, s.hi) != head {
			continue
		}
		s.head, s.headLabels = head, labels
		s.compare(s.headless.cut(&s.query, s.query.end(labels-1)))
		s.head, s.headLabels = "", 0
	}
}

// next walks the protected names under a key as long as the budget
// lasts.
func (s *search) next(p *probe) (uint32, bool) {
	id, ok := p.next()
	if !ok || s.budget == 0 {
		return 0, false
	}
	s.budget--
	s.work++
	return id, true
}

// finding returns a finding about the rightmost k+1 labels of r.
func (s *search) finding(r *reading, k int) finding {
	last := s.hi - r.skipped
	return finding{first: last - k - 1, last: last}
}

// keptLabel returns the TLD of protected names that the name lies below, as every name
// under mil.ml does, or "". An A-label or raw UTF-8 counts as the letters that it reads
// as.
func (s *search) keptLabel() string {
	if s.hi-s.lo == 1 && s.lo == 0 {
		return ""
	}
	label := s.name.label(s.hi - 1)
	if s.query.foreign == 1 && s.query.end(0) <= maxLabel {
		var buf [maxLabel]byte
		n := 0
		for _, c := range slices.Backward(s.query.run(0)) {
			buf[n] = byte(min(c, utf8.RuneSelf)) // more is in no TLD
			n++
		}
		label = buf[:n]
	}
	if !s.index.kept.has(label) || !lieUnder[string(label)] {
		return ""
	}
	return string(label)
}

// addBare adds the TLDs that are protected as a whole: under another TLD,
// every name resembles one below them.
func (s *search) addBare() {
	if len(s.index.bare) == 0 || s.best() == TLDKept {
		return
	}
	// Listed names that it resembles as well come first, if not too vaguely.
	s.found = slices.DeleteFunc(s.found, func(f finding) bool { return f.confidence < Medium })
	for i := range s.found {
		s.found[i].class, s.found[i].confidence = TLDSwap, High
	}
	for _, id := range s.index.bare {
		f := finding{id: id, class: TLDSwap, confidence: High, first: s.hi, last: s.hi}
		if s.tld.any && !s.nearTLD(id) {
			f.atMost(Medium, "the TLDs are more than a slip apart, which is medium at most")
		}
		s.found = append(s.found, f)
	}
}
