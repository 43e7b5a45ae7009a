//go:build !unix

package stdout

import (
	"os"
	"time"
)

// writable cannot tell here.
func writable(*os.File, time.Duration) (bool, error) { return true, nil }

// ignoreSIGPIPE has nothing to do: there is no signal for a broken pipe.
func ignoreSIGPIPE() {}
