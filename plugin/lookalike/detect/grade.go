package detect

// This file grades a difference: it determines the class and the confidence.

// finding is one protected name that the queried name resembles.
type finding struct {
	id            uint32
	class         Class
	confidence    Confidence
	size          int // letters of the protected name or of the queried one, if those are fewer
	protectedSize int // letters of the protected name
	first         int // the label where the resembling part of the queried name begins
	last          int // the label where it ends
	from, to      int // the letters of the query that resemble the protected name
	how           how
}

// how records the origin of a finding, for the explanation.
type how struct {
	class    Class // what it was found as, before a stronger class took it over
	steps    [maxSlips]step
	count    int // steps; without any the two read the same
	weak     bool
	affix    affix // what was cut off
	idle     int   // letters of the protected name that are no evidence
	cap      string
	underTLD bool // the name lies below the TLD of protected names
}

// atMost lowers the confidence to c, for a reason.
func (f *finding) atMost(c Confidence, why string) {
	if f.confidence > c {
		f.confidence, f.how.cap = c, why
	}
}

// suffixWanted stands in a reason of atMost for the public suffix of the queried name.
const suffixWanted = "%s"

// letters returns the number of letters that determines the confidence.
func (f *finding) letters() int { return f.size - f.how.idle }

// Floors that hold for some slips of a class.
var (
	weakFloor   = floor{high: 5, medium: 4, low: 3} // of homoglyph, for letters that are less easily taken for each other
	foldedFloor = floor{high: 8, medium: 5}         // of double-typo, where a fold or a dot or hyphen is one of the slips
	typoFloor   = floor{high: 5, medium: 4}         // of typo, for all but transposition, repetition and omission
	changeFloor = floor{high: 6, medium: 5, low: 4} // of edit
)

// gradeSame grades a name that reads like the protected one. It reports false if no
// class applies.
func (s *search) gradeSame(f *finding, t *tally) bool {
	cut := &f.how.affix
	plain := cut.tail == nil && cut.count == 0
	marks, folds := t.marks(), t.folds()+cut.folds
	written := t.strong+t.folds() == 0 // no letter stands for another one
	slips := marks + folds
	if marks > 0 {
		slips += t.strong
		if t.alien {
			slips++
		}
	}
	f.confidence = Unsure
	switch {
	case plain && slips == 0 && written && s.equalsCore(f):
		f.class, f.how.idle = TLDSwap, 0
	case cut.count > 0 && (t.added > 0 || !cut.separated && f.letters() < combosquatGlued):
		return false
	case cut.tail != nil && !cut.disguised && written && t.added == 0 && (cut.count == 0 || cut.separated):
		f.class, f.how.idle = TLDKept, 0
	case cut.count > 0:
		f.class = Combosquat
	case t.alien && marks == 0:
		f.class = IDNHomoglyph
	case slips > 1 && marks > 0 && slips > maxSlips:
		return false
	case slips > 1:
		f.class = DoubleTypo
		f.confidence = foldedFloor.confidence(f.letters())
		if t.added > 0 {
			f.confidence = min(f.confidence, confidenceOf(Split, f.letters()))
		}
		return true
	case t.added > 0:
		f.class = Split
	case marks > 0:
		f.class = Separator
	case t.weak > 0 || cut.weak:
		f.class, f.how.weak = Homoglyph, true
		f.confidence = weakFloor.confidence(f.letters())
		return true
	default:
		f.class = Homoglyph
	}
	f.confidence = confidenceOf(f.class, f.letters())
	return true
}

// gradeSteps grades a name that is one or two slips from the protected one. own is the
// number of letters of the protected name, without those that are no evidence.
func (f *finding) gradeSteps(p, q []cell, own int) {
	slips := f.how.count + f.how.affix.folds
	if hasAlien(q) && !f.strangeLetter(q) {
		slips++ // letters of other scripts that look alike, all of them one slip
	}
	n := f.letters()
	if slips == 1 {
		f.class, f.confidence = gradeStep(f.how.steps[0], p, q, n, own)
		f.how.weak = f.class == Homoglyph && f.how.steps[0].kind != strongPair
		if f.how.steps[0].first(p) {
			f.atMost(Medium, "only the first letter differs, which is medium at most")
		}
		if onlyDigits(p, q) {
			f.atMost(Medium, "only digits at the end differ, which is medium at most")
		}
		return
	}
	f.class, f.confidence = DoubleTypo, Unsure
	if slips > maxSlips {
		return
	}
	f.confidence = confidenceOf(DoubleTypo, own) // outluk has six letters, outlook seven
	folded := slips > f.how.count
	for _, st := range f.how.steps[:f.how.count] {
		folded = folded || kinds[st.kind].fold
	}
	if !folded {
		return
	}
	f.confidence = max(f.confidence, foldedFloor.confidence(n))
	for _, st := range f.how.steps[:f.how.count] { // together they are no surer than one of them alone
		_, alone := gradeStep(st, p, q, n, own)
		f.confidence = min(f.confidence, alone)
	}
}

// strangeLetter reports whether the only slip is a letter that resembles no ASCII
// letter, in a name of other scripts: a letter unknown to the folds.
func (f *finding) strangeLetter(q []cell) bool {
	st := f.how.steps[0]
	return f.how.count == 1 && st.kind == replaced && q[st.q].char >= 128
}

// gradeStep grades a single slip.
func gradeStep(st step, p, q []cell, n, own int) (Class, Confidence) {
	switch st.kind {
	case strongGlyph, strongPair:
		return Homoglyph, confidenceOf(Homoglyph, n)
	case weakGlyph, weakPair, similarGlyph:
		return Homoglyph, weakFloor.confidence(n)
	case dropped, changed:
		return Separator, confidenceOf(Separator, n)
	case added, moved:
		return Split, confidenceOf(Split, n)
	case transposed, repeated:
		return Typo, confidenceOf(Typo, n)
	case omitted:
		if own >= typoFloor.medium {
			return Typo, confidenceOf(Typo, n)
		}
	case displaced, held, fatFinger:
		return Typo, typoFloor.confidence(n)
	case neighbour:
		if n < typoFloor.medium && similar(p[st.p].char, q[st.q].char) {
			return Homoglyph, weakFloor.confidence(n)
		}
		return Typo, typoFloor.confidence(n)
	case inserted:
		return Edit, confidenceOf(Edit, n)
	}
	return Edit, changeFloor.confidence(n)
}

// first reports whether a slip changes the first letter of p, or puts one
// before it.
func (st step) first(p []cell) bool {
	switch st.kind {
	case omitted:
		if st.p > 0 && p[st.p].char == p[st.p-1].char {
			return false // one of two
		}
	case neighbour, similarGlyph, replaced, inserted, fatFinger:
	default:
		return false
	}
	return int(st.p+st.pn) == len(p)
}

// onlyDigits reports whether p and q differ only in the digits at their ends.
func onlyDigits(p, q []cell) bool {
	digits := func(cells []cell) (n int) {
		for n < len(cells) && '0' <= cells[n].char && cells[n].char <= '9' {
			n++
		}
		return n
	}
	i, j := digits(p), digits(q)
	if i+j == 0 || i == len(p) || len(p)-i != len(q)-j {
		return false
	}
	for n := range len(p) - i {
		if p[i+n].char != q[j+n].char {
			return false
		}
	}
	return true
}

// limit lowers the confidence by the surroundings of a finding, and reports whether the
// finding still counts. plain is true if the rightmost k+1 labels resemble the protected
// name as a whole.
func (s *search) limit(f *finding, plain bool) bool {
	if f.class == TLDSwap {
		if s.belowSuffix() && s.hostWord(f.id) {
			f.atMost(Low, "a public suffix has hosts of that name, which is low at most")
		}
		if s.tld.any && !s.ownTLD(f.id) && !s.nearTLD(f.id) {
			f.atMost(Medium, "the TLDs are more than a slip apart, which is medium at most")
		}
		return true
	}
	if f.class == TLDKept {
		return true
	}
	if f.class == Edit && f.how.steps[0].kind != inserted && f.letters() < changeFloor.medium && (s.tld.any || s.ownTLD(f.id)) {
		return false // nearly every name of four letters is somebody's there
	}
	if plain && f.last-f.first == 1 {
		switch label := s.name.label(f.first); {
		case s.core.labels > 1 && usualHost(label):
			return false
		case f.class == IDNHomoglyph || f.class == Split:
		case f.class == Edit && f.letters() < classes[Edit].floor.medium && (s.hostWord(f.id) || shortWord(&s.query) || dictionaryWord(&s.query)):
			return false // mails and mailg, or honest names of four letters
		case s.query.strange == 1 || len(label) > longestWord:
		case f.class == DoubleTypo && (shortWord(&s.query) || dictionaryWord(&s.query)):
			return false
		case shortWord(&s.query):
			f.atMost(Low, "what was typed is a common word, which is low at most")
		case dictionaryWord(&s.query):
			f.atMost(Medium, "what was typed is a word, which is medium at most")
		}
	}
	if f.class == Combosquat && s.genericCombination(f.id, &f.how.affix) {
		f.atMost(Low, "words that hosts of all kinds carry are low at most")
	}
	if s.isRestricted() {
		f.atMost(Low, "strangers register no names under "+suffixWanted+", which is low at most")
	}
	if s.tld.any && !s.ownTLD(f.id) && !s.nearTLD(f.id) {
		f.atMost(Medium, "the TLDs are more than a slip apart, which is medium at most")
	}
	return f.confidence > Unsure
}
