package names

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed default.txt
var defaultText string

var defaultNames = sync.OnceValue(func() []string {
	var l list
	if err := l.read(strings.NewReader(defaultText), "default.txt"); err != nil {
		panic("names: " + err.Error()) // the list is part of the binary, and tested
	}
	return l.names
})

// Default returns the names that are protected where a Corefile lists none:
// second-level names of the United States' armed forces below .mil, and the
// deeper names of their mail addresses. The caller owns the slice.
func Default() []string { return slices.Clone(defaultNames()) }
