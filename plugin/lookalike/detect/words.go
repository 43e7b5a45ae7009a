package detect

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// words_english.txt and words_more.txt are taken from SCOWL, see LICENSE-SCOWL.
// words_french.txt was written for this package. It leaves out accents, and
// includes a few names of places in and around Mali.
var (
	//go:embed words_english.txt
	wordsEnglish string
	//go:embed words_french.txt
	wordsFrench string
	//go:embed words_more.txt
	wordsMore string
)

// longestWord is the length up to which words matter.
const longestWord = 12

// moreWords returns the sorted hashes of English words of four to twelve letters.
var moreWords = sync.OnceValue(func() []uint32 {
	words := make([]uint32, 0, strings.Count(wordsMore, "\n"))
	for w := range strings.FieldsSeq(wordsMore) {
		words = append(words, uint32(hashLabel(0, w)>>32))
	}
	slices.Sort(words)
	return words
})

// isWord reports whether word is one of moreWords. It is wrong for one in a hundred
// thousand other strings.
func isWord[T string | []byte](word T) bool {
	if len(word) > longestWord {
		return false
	}
	_, found := slices.BinarySearch(moreWords(), uint32(hashLabel(0, word)>>32))
	return found
}

// longestCommonWord is the length up to which common words matter.
const longestCommonWord = 5

// commonWords returns common words of three to five letters, packed and sorted. As
// strings in a map, they would be a sixth of the live heap of a server with the
// built-in list, and full of pointers.
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

// packWord packs up to five lower-case letters, of five bits each. It returns false
// for any other word.
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

// inWords reports whether English or French words contain c. Any other character is
// there to deceive, so the name that it is read as is not a common word.
func inWords(c rune) bool {
	return c < utf8.RuneSelf || strings.ContainsRune("àâæçèéêëîïôùûüÿœ", c) || unicode.Is(unicode.Mn, c)
}

// lastLabel writes the last label of r to word and returns it. It returns nothing
// for a label that is too long or not all letters.
func lastLabel(r *reading, word []byte) []byte {
	n := r.end(0)
	if n > len(word) {
		return nil
	}
	for i, c := range r.run(0) {
		if c >= 128 || r.hyphen(i) {
			return nil
		}
		word[n-1-i] = byte(c)
	}
	return word[:n]
}

// shortWord reports whether the last label of r is a common English or French
// word of up to five letters.
func shortWord(r *reading) bool {
	var word [longestCommonWord]byte
	return isCommonWord(lastLabel(r, word[:]))
}

// dictionaryWord reports whether the last label of r is an English word of four
// letters or more, common or not.
func dictionaryWord(r *reading) bool {
	var word [longestWord]byte
	return isWord(lastLabel(r, word[:]))
}

// hostWords are common labels of hosts. Inside a longer name they are no evidence,
// even where they are protected: login.example.ml.
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
		www web mx ns ftp imap pop owa vpn relay smtps autodiscover autoconfig webdisk cpanel whm code data
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

// genericCombination reports whether a protected name is a host word, and no keyword
// is national: mail-online.
func (s *search) genericCombination(id uint32, cut *affix) bool {
	return s.hostWord(id) && !slices.ContainsFunc(cut.words(), func(w *keyword) bool { return slices.Contains(nationalWords, w.text) })
}

// idleLetters returns how many letters of the protected name that was spelled last
// are no evidence: those of a leading host label. www.ai.mil has two letters of
// its own.
func (s *scratch) idleLetters() (n int) {
	if s.core.labels < 2 || !usualHost(s.core.label(0)) {
		return 0
	}
	cells := s.own.cells
	for i := len(cells) - 1; i >= 0 && cells[i].char != labelEnd; i-- {
		if !isMark(cells[i].char) {
			n++
		}
	}
	return n
}

// usualHost reports whether a label is common among hosts, with or without a number
// at its end: www, mx1, web-mail, mailserver.
func usualHost(label []byte) bool {
	if bytes.IndexByte(label, '-') >= 0 {
		label = bytes.ReplaceAll(label, []byte("-"), nil)
	}
	for len(label) > 1 && isDigit(label[len(label)-1]) {
		label = label[:len(label)-1]
	}
	if _, ok := hostWords[string(label)]; ok {
		return true
	}
	for _, end := range hostEnds {
		if n := len(label) - len(end); n > 1 && string(label[n:]) == end {
			if _, ok := hostWords[string(label[:n])]; ok {
				return true
			}
		}
	}
	return false
}

// hostEnds are the second parts of compound labels of hosts.
var hostEnds = []string{"server", "mail", "host", "gateway", "relay", "portal", "admin"}

// generic reports whether protected name id, before its public suffix, is a host
// word or a dictionary word. Many names contain those.
func (s *search) generic(id uint32) bool { return s.hostWord(id) || plainWord(s.index.core(id)) }

// plainWord reports whether core is a dictionary word, which honest names contain.
// army is exempt: whoever writes it means an army.
func plainWord(core string) bool { return core != "army" && (isCommonWord(core) || isWord(core)) }
