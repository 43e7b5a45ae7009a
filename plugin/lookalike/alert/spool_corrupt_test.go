//go:build !race

package alert

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// In a bucket that is corrupt, bbolt may look beyond the copy that it has of it
// in memory. What it finds there is checked like everything else, but the race
// detector and its check of pointers end the process. So make test runs this
// without them.

// TestSpoolCorrupt holds that no file, whatever is in it, stops the server.
func TestSpoolCorrupt(t *testing.T) {
	good := t.TempDir()
	s, err := openStore(&Spool{dir: good, limit: minSpoolSize})
	if err != nil {
		t.Fatal(err)
	}
	s.attach((&receiver{}).destination("x"))
	for range 20 {
		s.append("owner", []*Record{sample()})
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(good, spoolFile))
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string]func([]byte) []byte{
		"garbage":         func([]byte) []byte { return []byte(strings.Repeat("not a database ", 1000)) },
		"empty":           func([]byte) []byte { return nil },
		"one byte":        func([]byte) []byte { return []byte{0} },
		"half":            func(b []byte) []byte { return b[:len(b)/2] },
		"two pages":       func(b []byte) []byte { return b[:2*os.Getpagesize()] },
		"zeros":           func(b []byte) []byte { clear(b); return b },
		"zeros in it":     func(b []byte) []byte { clear(b[3*os.Getpagesize():]); return b },
		"a record broken": func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), `"Sequence":`, `"Sequence:"`)) },
	}
	for i := range 40 {
		damage[fmt.Sprintf("bytes changed, %d", i)] = func(b []byte) []byte {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for range 1 + r.IntN(200) {
				b[r.IntN(len(b))] = byte(r.Uint32())
			}
			return b
		}
	}
	for name, f := range damage {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, spoolFile), f(slices.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
			if err != nil {
				t.Fatal(err)
			}
			c := s.attach((&receiver{}).destination("x"))
			for range 3 { // works, with what can be read of the old
				s.tried = time.Time{} // no waiting
				s.append("owner", []*Record{sample()})
				got := c.take(100)
				c.settle(len(got))
			}
			s.tried = time.Time{}
			if !s.append("owner", []*Record{sample()}) {
				t.Errorf("Got error %v after four records", s.bad)
			}
			if err := s.close(); err != nil {
				t.Error(err)
			}
		})
	}
}
