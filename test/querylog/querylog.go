// Package querylog writes logs for measurements: what a BIND that serves mail
// servers logs with "category queries".
package querylog

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Counts are how many queries a log tells of.
type Counts struct {
	Queries    int
	Lookalikes int // for names under ml
}

// lineSize is about how many bytes a line has.
const lineSize = 165

// lookalikeEvery is how many queries there are to one for a name under ml.
const lookalikeEvery = 1000

// types are what mail servers ask for, the usual ones more than once.
var types = []string{"MX", "A", "A", "A", "AAAA", "AAAA", "TXT", "TXT", "PTR", "TLSA"}

// BIND writes a log of about size bytes whose last line is of the time end: the
// queries of a year. The same seed gives the same log.
func BIND(w io.Writer, size int64, seed uint64, end time.Time) (Counts, error) {
	b, r := bufio.NewWriterSize(w, 1<<16), rand.New(rand.NewPCG(seed, seed))
	lines := int(size/lineSize) + 1
	step := 364 * 24 * time.Hour / time.Duration(lines)
	at := end.Add(-step * time.Duration(lines))
	var c Counts
	for written := int64(0); written < size; {
		at = at.Add(step)
		name := fmt.Sprintf("mail%d.example%d.%s", r.IntN(9), r.IntN(200_000), []string{"org", "net", "com"}[r.IntN(3)])
		if c.Queries++; c.Queries%lookalikeEvery == 0 {
			c.Lookalikes++
			name = fmt.Sprintf("mx%d.example.ml", r.IntN(100))
		}
		n, _ := fmt.Fprintf(b, "%s queries: info: client @0x7fbe%08x 192.0.2.%d#%d (%s): view internal: query: %s IN %s +E(0)K (192.0.2.53)\n",
			at.Format("02-Jan-2006 15:04:05.000"), r.Uint32(), r.IntN(256), 1024+r.IntN(60_000), name, name, types[r.IntN(len(types))])
		written += int64(n)
	}
	return c, b.Flush()
}
