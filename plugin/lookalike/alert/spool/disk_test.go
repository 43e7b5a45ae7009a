package spool

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool/journal"
)

// badDisk is a journal whose disk fails to read some records, or fails in all.
type badDisk struct {
	store
	positions []uint64
	dead      bool
	failed    int // reads
}

func (d *badDisk) Record(position uint64) (json.RawMessage, error) {
	if d.dead || slices.Contains(d.positions, position) {
		d.failed++
		return nil, syscall.EIO
	}
	return d.store.Record(position)
}

func (d *badDisk) Commit(c journal.Commit) error {
	if d.dead {
		return syscall.EIO
	}
	return d.store.Commit(c)
}

// TestSpoolUnreadable holds that a record which the disk never gives is told to be
// lost after some tries, and that a disk which gives nothing is waited for.
func TestSpoolUnreadable(t *testing.T) {
	tests := []struct {
		name  string
		bad   []uint64
		dead  time.Duration // that the disk fails in all
		most  time.Duration // until all is delivered
		tries int           // to read what cannot be read, at most
		want  []string
	}{
		{"none", nil, 0, time.Second, 0, []string{"1", "2", "3", "4", "5", "6"}},
		{"one", []uint64{3}, 0, 30 * time.Second, 5, []string{"1", "2", "lost 3-3", "4", "5", "6"}},
		{"neighbours", []uint64{3, 4}, 0, 40 * time.Second, 7, []string{"1", "2", "lost 3-3", "lost 4-4", "5", "6"}},
		{"the first and the last", []uint64{1, 6}, 0, time.Minute, 10, []string{"lost 1-1", "2", "3", "4", "5", "lost 6-6"}},
		{"the disk is gone for a while", nil, 10 * time.Minute, 12 * time.Minute, 160, []string{"1", "2", "3", "4", "5", "6"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, t.TempDir(), minSize, newTally())
				c := s.Attach("x", "x")
				s.Append("owner", samples(6), nil)
				d := &badDisk{store: s.disk, positions: tc.bad, dead: tc.dead > 0}
				s.disk = d
				var got []string
				tries := 0
				take := func() []*record.Record {
					before := d.failed
					defer func() { tries += d.failed - before }()
					return c.Take(1)
				}
				began := time.Now()
				for waiting, _ := c.Backlog(); waiting > 0 && time.Since(began) < tc.most; waiting, _ = c.Backlog() {
					d.dead = time.Since(began) < tc.dead
					s.Checkpoint("owner", nil) // as every second
					for taken := take(); len(taken) > 0; taken = take() {
						got = append(got, told(taken[0]))
						c.Settle(1)
					}
					time.Sleep(time.Second)
				}
				if !slices.Equal(got, tc.want) {
					t.Errorf("Got %q after %v, want %q", got, time.Since(began), tc.want)
				}
				if tries > tc.tries {
					t.Errorf("Got %d tries, want %d at most", tries, tc.tries)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// told is a record in short.
func told(r *record.Record) string {
	if r.Lost != nil {
		return fmt.Sprintf("lost %d-%d", r.Lost.From, r.Lost.To)
	}
	return fmt.Sprint(r.Sequence)
}

// hungDisk is a journal whose disk answers no commit and no read until it is told to.
type hungDisk struct {
	store
	answers chan struct{}
}

func (d *hungDisk) Commit(c journal.Commit) error {
	<-d.answers
	return d.store.Commit(c)
}

func (d *hungDisk) Record(position uint64) (json.RawMessage, error) {
	<-d.answers
	return d.store.Record(position)
}

// TestSpoolHungDisk holds that nobody waits for a disk that does not answer but who
// writes and who delivers.
func TestSpoolHungDisk(t *testing.T) {
	hangs := []struct {
		name string
		by   func(s *Spool, c *Cursor)
	}{
		{"a commit", func(s *Spool, _ *Cursor) { s.Append("owner", samples(1), nil) }},
		{"a read", func(_ *Spool, c *Cursor) { c.Take(1) }},
	}
	uses := []struct {
		name string
		use  func(s *Spool, c *Cursor) (got, want any)
		most time.Duration
	}{
		{"look", func(s *Spool, _ *Cursor) (got, want any) { s.Look(time.Now()); return nil, nil }, briefly},
		{"backlog", func(_ *Spool, c *Cursor) (got, want any) { n, _ := c.Backlog(); return n, 2 }, briefly},
		{"resize", func(s *Spool, _ *Cursor) (got, want any) {
			s.Resize(2 * minSize)
			return s.limit.Load(), int64(2 * minSize)
		}, 0},
		{"adopt", func(s *Spool, _ *Cursor) (got, want any) { return len(s.Adopt("other")), 0 }, briefly},
		{"attach", func(s *Spool, _ *Cursor) (got, want any) { return s.Attach("y", "y") == nil, true }, patience},
	}
	for _, hang := range hangs {
		t.Run(hang.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, t.TempDir(), minSize, newTally())
				c := s.Attach("x", "x")
				s.Append("owner", samples(2), nil)
				c.Backlog()
				d := &hungDisk{store: s.disk, answers: make(chan struct{})}
				s.disk = d
				var stuck sync.WaitGroup
				stuck.Go(func() { hang.by(s, c) })
				synctest.Wait()
				for _, u := range uses {
					began := time.Now()
					got, want := u.use(s, c)
					if took := time.Since(began); got != want || took > u.most {
						t.Errorf("%s: got %v after %v, want %v after %v", u.name, got, took, want, u.most)
					}
				}
				close(d.answers)
				stuck.Wait()
				if s.Attach("y", "y") == nil || !s.Checkpoint("owner", nil) {
					t.Error("Got a spool that is not well when the disk has answered")
				}
				if n, _ := c.Backlog(); n < 2 {
					t.Errorf("Got %d records waiting, want 2 at least", n)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
