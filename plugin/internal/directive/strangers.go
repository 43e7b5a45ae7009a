package directive

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// Strangers returns the directives of a block that are neither CoreDNS's nor of
// this module, each with its place. A server may have plugins of its own.
func Strangers(path string, block caddyfile.ServerBlock) (errs []error) {
	var strangers [][]caddyfile.Token
	for name, tokens := range block.Tokens {
		if !Known(name) {
			strangers = append(strangers, tokens)
		}
	}
	slices.SortFunc(strangers, func(a, b []caddyfile.Token) int { return cmp.Compare(a[0].Line, b[0].Line) })
	for _, tokens := range strangers {
		d := caddyfile.NewDispenserTokens(path, tokens)
		d.Next()
		errs = append(errs, misplaced(Where(&d), d.Val()))
	}
	return errs
}

// misplaced says what may be wrong with a word that stands where a directive
// does, and is none.
func misplaced(where, word string) error {
	switch err := OneWord(word); {
	case err != nil:
		return fmt.Errorf("%s: %w", where, err)
	case word == "{" || word == "}" || strings.ContainsAny(word, ".:/"):
		return fmt.Errorf("%s: '%s' is not a directive of a server block: is the '}' of the block above it missing?", where, word)
	}
	return errors.New(where + ": unknown directive '" + word + "': correct the spelling, or use a server that was built with it")
}
