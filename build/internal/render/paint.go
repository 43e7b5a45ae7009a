// Package render writes findings about names, for people and for programs.
package render

import (
	"unicode"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Paint adds colours if it is true.
type Paint bool

// The colours, as parameters of the escape sequence SGR.
const (
	Green   = "32"
	Magenta = "1;35"
	Faint   = "2"
)

// ConfidenceColor is the colour of a verdict.
var ConfidenceColor = map[detect.Confidence]string{detect.High: "1;31", detect.Medium: "33", detect.Low: "36"}

// In returns s in a colour. An empty colour leaves s unchanged.
func (p Paint) In(color, s string) string {
	if !p || color == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// Display makes text safe for a terminal: unprintable characters could move the cursor
// or reverse the direction of writing.
func Display(s string) string {
	return text.Escape(s, func(c rune) bool { return !unicode.IsPrint(c) })
}
