package detect

import (
	"strings"
	"testing"
)

func TestIsCommonWord(t *testing.T) {
	for _, list := range []string{wordsEnglish, wordsFrench} {
		for w := range strings.FieldsSeq(list) {
			if !isCommonWord(w) {
				t.Errorf("isCommonWord(%q) = false, and the word is in a list", w)
			}
		}
	}
	for w, want := range map[string]bool{
		"army": true, "house": true, "merci": true,
		"": false, "armyx": false, "abbeys": false, "Army": false, "ar-my": false, "army1": false, "armé": false,
	} {
		if got := isCommonWord(w); got != want {
			t.Errorf("isCommonWord(%q) = %v, want %v", w, got, want)
		}
	}
}
