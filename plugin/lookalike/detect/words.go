package detect

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// words_english.txt is taken from SCOWL, see LICENSE-SCOWL; words_french.txt
// was written for this package, with accents left out, and has a few names of
// places in and around Mali as well.
var (
	//go:embed words_english.txt
	wordsEnglish string
	//go:embed words_french.txt
	wordsFrench string
)

// longestCommonWord is the length up to which common words matter.
const longestCommonWord = 5

// commonWords are common words of three to five letters, packed and sorted:
// as strings in a map they would be a sixth of the live heap of a server with
// the embedded list, and full of pointers.
var commonWords = sync.OnceValue(func() []uint32 {
	var words []uint32
	for _, list := range []string{wordsEnglish, wordsFrench} {
		for w := range strings.FieldsSeq(list) {
			if packed, ok := packWord(w); ok {
				words = append(words, packed)
			}
		}
	}
	slices.Sort(words)
	return slices.Clip(slices.Compact(words))
})

// packWord packs up to five lower-case letters, of five bits each; false for
// any other word.
func packWord[T string | []byte](word T) (packed uint32, ok bool) {
	if len(word) > longestCommonWord {
		return 0, false
	}
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return 0, false
		}
		packed = packed<<5 | uint32(word[i]-'a'+1)
	}
	return packed, true
}

// isCommonWord reports whether word is one of commonWords.
func isCommonWord[T string | []byte](word T) bool {
	packed, ok := packWord(word)
	if !ok {
		return false
	}
	_, found := slices.BinarySearch(commonWords(), packed)
	return found
}

// inWords reports whether English or French words are written with c; if not,
// it is there to deceive, and what it is read as makes no common word.
func inWords(c rune) bool {
	return c < utf8.RuneSelf || strings.ContainsRune("àâæçèéêëîïôùûüÿœ", c) || unicode.Is(unicode.Mn, c)
}

// commonWord reports whether the last label of r is a common English or French
// word.
func commonWord(r *reading) bool {
	n := int(r.ends[0])
	if n > longestCommonWord || r.skipped > 0 || r.strange == 1 {
		return false
	}
	var word [longestCommonWord]byte
	for i, c := range r.run(0) {
		if c >= 128 || r.hyphens.has(i) {
			return false
		}
		word[n-1-i] = byte(c)
	}
	return isCommonWord(word[:n])
}

// hostWords are labels that hosts of all kinds carry. Inside a longer name they
// say nothing, protected or not: login.example.ml.
var hostWords = func() map[string]struct{} {
	words := make(map[string]struct{})
	for w := range strings.FieldsSeq(`
		access account accounts admin agency air analytics apps archive assets auth backup beta blog books build calendar
		camera careers catalog cdn center central chat claims cloud college community conference connect console contact
		contracts dashboard database defense demo deploy dev develop developer digital direct directory docs documents
		domain download downloads education email energy engineering event events exchange express family files finance
		first forms forum forums gallery gateway geo global group groups health helpdesk history home hosting housing
		images insurance internal intranet jobs join kids labs learn learning legal legacy library life link links
		live local login logon mail mailer mailing manage manager maps market master media medical meeting member
		members message messages metrics mobile monitor museum music names network news office online order orders
		outlook partner partners payment people phone photo photos places play policy portal preview print
		privacy private production profile project projects proxy public quality records register registration
		remote report reports request research resources safety sales sandbox school science search secure security
		server service services shared shop signin signup smtp social space staff stage staging start static stats
		status store stream student students studio submit support survey surveys system systems team tech
		technology test testing time tools track tracking traffic training transfer transport travel trust update
		updates upload uploads user users veterans video videos virtual vote water weather webinar webmail website
		welcome wifi wiki work workspace world
	`) {
		words[w] = struct{}{}
	}
	return words
}()

// nationalWords are the keywords that make even a host word a lure: mail-mil.
var nationalWords = []string{"us", "usa", "mil", "gov"}

// hostWord reports whether protected name id is a host word before its public
// suffix: mail.mil.
func (s *search) hostWord(id uint32) bool {
	_, ok := hostWords[s.index.core(id)]
	return ok
}

// genericCombination reports whether a protected name is a host word and all
// keywords are too: mail-online.
func (s *search) genericCombination(id uint32, cut *affix) bool {
	return s.hostWord(id) && !slices.ContainsFunc(cut.words(), func(w *keyword) bool { return slices.Contains(nationalWords, w.text) })
}

// idleLetters returns how many letters of the protected name that was read last
// are no evidence that the first n letters of q resemble it: those of a leading
// label that hosts of all kinds carry, unless the labels after it stand in q as
// they are. www.ai.mil has two letters that are its own, and www1 none of them.
func (s *scratch) idleLetters(q *reading, n int) int {
	p := &s.protected
	if p.labels < 2 || !genericHost(s.core.label(0)) {
		return 0
	}
	own := int(p.ends[p.labels-2])
	if n > own && q.dots.has(own) && sameLetters(p, q, own) {
		return 0
	}
	return p.size - own
}

// genericHost reports whether hosts of all kinds carry a label.
func genericHost(label []byte) bool {
	_, ok := hostWords[string(label)]
	return ok || string(label) == "www"
}

// sameLetters reports whether the first n letters of p and q are the same, with
// the same dots and hyphens between them.
func sameLetters(p, q *reading, n int) bool {
	if !slices.Equal(p.letters[:n], q.letters[:n]) {
		return false
	}
	for i := 1; i < n; i++ {
		if p.dots.has(i) != q.dots.has(i) || p.hyphens.has(i) != q.hyphens.has(i) {
			return false
		}
	}
	return true
}

// generic reports whether protected name id is, before its public suffix, a
// label of hosts of all kinds or a common word.
func (s *search) generic(id uint32) bool {
	return s.hostWord(id) || isCommonWord(s.index.core(id))
}
