package spool

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/test/proof"
)

// numbered is the number of a record.
type numbered struct {
	epoch    string
	sequence uint64
}

// TestSpoolDamagedBetweenRuns damages a file of a spool that was closed: each record
// that waited is delivered or told to be lost, by its number, and no number comes
// twice.
func TestSpoolDamagedBetweenRuns(t *testing.T) {
	whole := t.TempDir()
	s := open(t, whole, minSize, newTally())
	c := s.Attach("x", "x")
	given := make(map[numbered]string) // to the id
	wait := make(map[numbered]bool)
	for i := range 30 {
		records := samples(4)
		if i%10 == 5 { // numbers of a disk that was bad for a while
			s.fail(syscall.ENOSPC)
		}
		s.retry = s.retry.Add(-minRetry / 3)
		s.Append("owner", records, states(5, i))
		for _, r := range records {
			given[numbered{r.Epoch, r.Sequence}] = r.ID
			wait[numbered{r.Epoch, r.Sequence}] = true
		}
	}
	s.retry = s.retry.Add(-minRetry)
	s.Checkpoint("owner", nil)
	for _, r := range c.Take(20) {
		delete(wait, numbered{r.Epoch, r.Sequence})
	}
	c.Settle(20)
	c.Release()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names := append(files(t, whole), filepath.Join(whole, "last"))
	for n := range proof.N(20, 1000) {
		r := rand.New(rand.NewPCG(uint64(n), 7))
		dir := filepath.Join(t.TempDir(), "spool")
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		what := damage(t, r, filepath.Join(dir, filepath.Base(names[n%len(names)])), n)
		s := open(t, dir, minSize, newTally())
		had := make(map[numbered]bool)
		c := s.Attach("x", "x")
		for got := c.Take(50); len(got) > 0; got = c.Take(50) {
			for _, r := range got {
				if r.Phase == record.Lost {
					if r.Lost.Epoch != "" && r.Lost.To-r.Lost.From+1 != r.Lost.Records {
						t.Errorf("Got gap %+v", r.Lost)
					}
					for at := r.Lost.From; at <= r.Lost.To; at++ {
						had[numbered{r.Lost.Epoch, at}] = true
					}
					continue
				}
				if id := given[numbered{r.Epoch, r.Sequence}]; id != r.ID {
					t.Errorf("Got record %s with number %d, want %s", r.ID, r.Sequence, id)
				}
				had[numbered{r.Epoch, r.Sequence}] = true
			}
			c.Settle(len(got))
		}
		for number := range wait {
			if !had[number] {
				t.Errorf("Got nothing of %v", number)
			}
		}
		fresh := samples(1)
		if !s.Append("owner", fresh, nil) || given[numbered{fresh[0].Epoch, fresh[0].Sequence}] != "" {
			t.Errorf("Got number %d again, error %v", fresh[0].Sequence, s.bad)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Fatalf("with %s in %s, case %d", what, names[n%len(names)], n)
		}
	}
}

// TestSpoolFirstDamaged damages the first record that waits. Whether the sink or the
// next commit comes upon it, the reason is the same.
func TestSpoolFirstDamaged(t *testing.T) {
	for _, commitsFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("commit first: %v", commitsFirst), func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, minSize, newTally())
			c := s.Attach("x", "x")
			s.Append("owner", samples(3), nil)
			c.Release()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			segments, err := filepath.Glob(filepath.Join(dir, "records-*.jsonl"))
			if err != nil || len(segments) != 1 {
				t.Fatalf("Got segments %q, error %v", segments, err)
			}
			b := read(t, segments[0])
			b[len(b)/6] ^= 1
			if err := os.WriteFile(segments[0], b, 0o600); err != nil {
				t.Fatal(err)
			}
			told := newTally()
			s = open(t, dir, minSize, told)
			defer s.Close()
			c = s.Attach("x", "x")
			if commitsFirst {
				s.Append("owner", samples(1), nil)
			}
			got := c.Take(10)
			if len(got) == 0 || got[0].Phase != record.Lost || got[0].Lost.Reason != "spool_corrupt" || got[0].Lost.Records != 1 {
				t.Fatalf("Got %d records, first that of a gap %+v", len(got), got[0].Lost)
			}
			if told.lost["x spool_corrupt"] != 1 || told.lost["x spool_full"] != 0 {
				t.Errorf("Counted as lost: %v", told.lost)
			}
		})
	}
}

// damage damages a file, and says how.
func damage(t *testing.T, r *rand.Rand, path string, n int) string {
	t.Helper()
	b := read(t, path)
	what := "nothing"
	switch n / 7 % 5 {
	case 0:
		flips := 1 + r.IntN(8)
		for range flips {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		what = fmt.Sprintf("%d bits flipped", flips)
	case 1:
		page := b[r.IntN(len(b)/4096+1)*4096:]
		for range 8 {
			if len(page) > 0 {
				page[r.IntN(min(64, len(page)))] ^= 1 << r.IntN(8)
			}
		}
		what = "the head of a page flipped"
	case 2:
		page := b[r.IntN(len(b)/4096+1)*4096:]
		clear(page[:min(4096, len(page))])
		what = "a page zeroed"
	case 3:
		b = b[:r.IntN(len(b))]
		what = fmt.Sprintf("cut to %d", len(b))
	case 4:
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return "deleted"
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return what
}
