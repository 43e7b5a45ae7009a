package record

import (
	"strings"
	"unicode"
)

// strip makes text safe to look at: what could reorder or hide a part of it
// on a screen (control and format characters, line separators) is left out,
// and what is not UTF-8 is replaced.
func strip(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return c
	}, s)
}
