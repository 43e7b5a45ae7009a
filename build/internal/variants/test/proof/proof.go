// Package proof has two sizes for the tests that prove a promise on very many
// cases: "make prove" tries all of them, "make test" a part.
package proof

import "testing"

// N is how many cases to try: full, or quick where go test has -short.
func N(quick, full int) int {
	if testing.Short() {
		return quick
	}
	return full
}
