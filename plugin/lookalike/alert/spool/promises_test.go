package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

// TestSpoolAdoptRefused holds that groups are adopted once, also when the disk
// refuses the first checkpoint.
func TestSpoolAdoptRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, minSize, newTally())
	given := states(2, 2)
	s.Checkpoint("first", given)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir, minSize, newTally())
	if adopted := s.Adopt("second"); len(adopted) != 2 || waiting(t, adopted) != 4 {
		t.Fatalf("Got groups %s, want %s", adopted, given)
	}
	s.fail(syscall.ENOSPC)
	if s.Checkpoint("second", given) {
		t.Fatal("Got a checkpoint on a full disk")
	}
	s.retry = time.Time{}
	s.Checkpoint("third", nil) // of another pipeline: the disk is good again
	if !s.Append("second", samples(1), given) || !s.Checkpoint("second", nil) {
		t.Fatalf("Got error %v", s.bad)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, minSize, newTally())
	defer s.Close()
	if n := len(s.orphans); n != 2 {
		t.Errorf("Got %d groups after a second crash, want 2", n)
	}
}

// TestSpoolOpensLate has a disk that cannot be read at the start, and can some
// time later: what is in the file is delivered as well, no number is used twice,
// and its groups go on.
func TestSpoolOpensLate(t *testing.T) {
	dir := t.TempDir()
	c := newClient(t, dir)
	c.s.Checkpoint("first", states(1, 4))
	for range 3 {
		c.add()
	}
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}

	c.tally = newTally()
	c.s = newSpool(Config{Dir: dir, Limit: 1 << 30, Count: c.tally})
	c.s.fail(syscall.EIO)
	c.c = c.s.Attach("disk", "disk")
	if orphans := c.s.Adopt("second"); len(orphans) != 0 {
		t.Fatalf("Got groups %v of a file that was not read", orphans)
	}
	for range 3 {
		c.added++
		c.s.Append("second", samples(1), nil)
	}
	got := c.c.Take(2)
	for _, r := range got {
		c.seen[fmt.Sprint(r.Epoch, r.Sequence)] = true
	}
	c.got += len(got)
	if !c.add() {
		t.Fatalf("Got error %v of a disk that is good again", c.s.bad)
	}
	c.c.Settle(len(got))
	if c.s.numbers.Sequence != 4 {
		t.Errorf("Got sequence %d, want 4: three are on disk", c.s.numbers.Sequence)
	}
	c.deliver()
	if n := c.tally.meant["disk"]; n != 4 {
		t.Errorf("Got %v records counted, want 4: the ones in the file were counted before", n)
	}
	if n, _ := c.c.Backlog(); n != 0 {
		t.Errorf("Got a backlog of %d, want none", n)
	}
	orphans := c.s.Adopt("second")
	if len(orphans) != 1 || waiting(t, orphans) != 4 {
		t.Fatalf("Got groups %v, want the one in the file", orphans)
	}
	c.s.Checkpoint("second", states(1, 4))
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}

	again := newClient(t, dir)
	again.deliver() // nothing is left
	if n := len(again.s.orphans); n != 1 {
		t.Errorf("Got %d groups after a second crash, want 1", n)
	}
	if err := again.s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolEndsBad holds that groups whose last records were written late, when
// the spool was closed, do not come again.
func TestSpoolEndsBad(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, minSize, newTally())
	s.Checkpoint("first", states(2, 2))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, minSize, newTally())
	s.Attach("ends", "ends")
	ended := make(States)
	for id := range states(2, 2) {
		ended[id] = nil
	}
	if n := len(s.Adopt("second")); n != 2 || !s.Checkpoint("second", states(2, 2)) {
		t.Fatalf("Got %d groups, error %v", n, s.bad)
	}
	s.fail(syscall.ENOSPC)
	if s.Append("second", samples(2), ended) {
		t.Fatal("Got records written to a full disk")
	}
	if err := s.Close(); err != nil { // which the disk takes
		t.Fatal(err)
	}
	s = open(t, dir, minSize, newTally())
	defer s.Close()
	if n := len(s.orphans); n != 0 {
		t.Errorf("Got %d groups, want none: they had ended", n)
	}
	if n, _ := s.Attach("ends", "ends").Backlog(); n != 2 {
		t.Errorf("Got %d records, want 2", n)
	}
}

// TestRetryAfter holds that attempts to write to a bad disk take two thousandths
// of the time, and that a disk that is well again is noticed within a minute.
func TestRetryAfter(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0:                      minRetry,
		time.Millisecond:       minRetry,
		40 * time.Millisecond:  19960 * time.Millisecond,
		300 * time.Millisecond: maxRetry,
		time.Hour:              maxRetry,
	} {
		if got := retryAfter(took); got != want {
			t.Errorf("Got %v to the next attempt after one of %v, want %v", got, took, want)
		}
	}
}

// TestSpoolFull fills a small spool: the oldest records are lost to the sink
// that is down, exactly those that it is told of, and none to the other.
func TestSpoolFull(t *testing.T) {
	n := newTally()
	s := open(t, t.TempDir(), minSize, n)
	defer s.Close()
	lagging, prompt := s.Attach("lagging", "lagging"), s.Attach("prompt", "prompt")
	const batches, each = 100, 20
	sent := 0
	for range batches {
		records := make([]*record.Record, each)
		for i := range records {
			records[i] = recordtest.Sample()
			records[i].ID, records[i].Count = record.NewID(), 3
		}
		if !s.Append("owner", records, nil) {
			t.Fatalf("Got records refused: %v", s.bad)
		}
		for got := prompt.Take(7); len(got) > 0; got = prompt.Take(7) {
			for _, r := range got {
				if sent++; r.Sequence != uint64(sent) {
					t.Fatalf("Got sequence %d, want %d", r.Sequence, sent)
				}
			}
			prompt.Settle(len(got))
		}
	}
	if sent != batches*each {
		t.Errorf("Got %d records at the prompt sink, want %d", sent, batches*each)
	}
	var gap *record.Gap
	next := uint64(0)
	rest := 0
	for got := lagging.Take(50); len(got) > 0; got = lagging.Take(50) {
		for _, r := range got {
			if r.Phase == record.Lost {
				gap = r.Lost
				next = gap.To
				continue
			}
			if next++; r.Sequence != next {
				t.Fatalf("Got sequence %d, want %d", r.Sequence, next)
			}
			rest++
		}
		lagging.Settle(len(got))
	}
	if gap == nil || gap.From != 1 || gap.Records != gap.To || gap.Detections != 3*gap.Records || gap.Reason != "spool_full" || gap.Epoch != s.numbers.Epoch {
		t.Fatalf("Got gap %+v", gap)
	}
	if int(gap.Records)+rest != batches*each || rest == 0 {
		t.Errorf("Got %d lost and %d delivered, want %d", gap.Records, rest, batches*each)
	}
	if lost := n.lost["lagging spool_full"]; lost != int(gap.Records) {
		t.Errorf("Got %v lost in the metric, %d in the record", lost, gap.Records)
	}
	if n, _ := lagging.Backlog(); n != 0 {
		t.Errorf("Got %d in the backlog, want none", n)
	}
	records, delivered := n.meant["lagging"], rest+1
	if records != delivered+int(gap.Records) {
		t.Errorf("Got %v records, %v delivered, %d lost", records, delivered, gap.Records)
	}
}

// client drives a store as a pipeline and one sink do, and looks for numbers
// that come twice.
type client struct {
	*testing.T
	s          *Spool
	tally      *tally
	c          *Cursor
	seen       map[string]bool
	added, got int
}

func newClient(t *testing.T, dir string) *client {
	t.Helper()
	n := newTally()
	s := open(t, dir, 1<<30, n)
	return &client{T: t, s: s, tally: n, c: s.Attach("disk", "disk"), seen: make(map[string]bool)}
}

// add appends a record at once, however long the disk has been bad.
func (c *client) add() bool {
	c.added++
	c.s.retry = time.Time{}
	return c.s.Append("owner", samples(1), nil)
}

func (c *client) deliver() {
	c.Helper()
	for got := c.c.Take(100); len(got) > 0; got = c.c.Take(100) {
		for _, r := range got {
			k := fmt.Sprint(r.Epoch, r.Sequence)
			if c.seen[k] {
				c.Errorf("Got sequence %s twice", k)
			}
			c.seen[k] = true
		}
		c.got += len(got)
		c.c.Settle(len(got))
	}
	if c.got != c.added {
		c.Errorf("Got %d of %d records", c.got, c.added)
	}
}

// TestSpoolDiskFull fills the disk and makes room again: everything is
// delivered meanwhile, and no number is used twice.
func TestSpoolDiskFull(t *testing.T) {
	dir := sinktest.SmallDisk(t, "2m")
	c := newClient(t, dir)
	for range 10 {
		if !c.add() {
			t.Fatalf("Got error %v of a good disk", c.s.bad)
		}
	}
	c.deliver()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Got error %v, want a full disk", err)
	}
	for c.add() && c.added < 3000 { // until the file has no room of its own
	}
	if c.s.bad == nil {
		t.Fatal("Got no error of a full disk")
	}
	for range 50 {
		c.add()
	}
	c.deliver()
	for range 50 {
		c.add()
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if !c.add() {
		t.Errorf("Got error %v of a disk that has room again", c.s.bad)
	}
	c.deliver()
	if err := c.s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolReadOnly starts on a read-only disk: what is in the spool is
// delivered, and what comes is kept until the disk can be written.
func TestSpoolReadOnly(t *testing.T) {
	dir := sinktest.SmallDisk(t, "2m")
	c := newClient(t, dir)
	for range 10 {
		c.add()
	}
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	added := c.added
	c = newClient(t, dir)
	c.added = added
	c.deliver()
	for range 10 {
		if c.add() {
			t.Error("Got a record written to a read-only disk")
		}
	}
	c.deliver()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	if !c.add() {
		t.Errorf("Got error %v of a disk that can be written again", c.s.bad)
	}
	c.deliver()
	if err := c.s.Close(); err != nil {
		t.Error(err)
	}
	c2 := newClient(t, dir)
	c2.deliver() // nothing is left
	if err := c2.s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolNoDirectoryReadOnly starts on a read-only disk, where the directory cannot
// be made: the spool takes it when it can.
func TestSpoolNoDirectoryReadOnly(t *testing.T) {
	log := listenToLog(t)
	disk := sinktest.SmallDisk(t, "2m")
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	c := newClient(t, filepath.Join(disk, "below", "spool"))
	if n := strings.Count(log.String(), "write failed, alerts wait in memory"); n != 1 {
		t.Errorf("Got the disk %d times in the log, want once:\n%s", n, log)
	}
	if c.add() {
		t.Error("Got a record written to a read-only disk")
	}
	c.deliver()
	c.add()
	remount(0)
	if !c.add() {
		t.Errorf("Got error %v of a disk that can be written again", c.s.bad)
	}
	c.deliver()
	if err := c.s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolNoRoom starts on a disk that has no room for a spool.
func TestSpoolNoRoom(t *testing.T) {
	dir := sinktest.SmallDisk(t, "2m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Got error %v, want a full disk", err)
	}
	c := newClient(t, dir)
	if c.add() {
		t.Error("Got a record written to a full disk")
	}
	c.deliver()
	c.add()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if !c.add() {
		t.Errorf("Got error %v of a disk that has room again", c.s.bad)
	}
	c.deliver()
	if err := c.s.Close(); err != nil {
		t.Error(err)
	}
}

// longAgo makes all detached cursors old.
func (s *Spool) longAgo(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.cursors {
		c.detached = c.detached.Add(-d)
	}
}

// TestSpoolOptionsChange holds that what waited for a destination is delivered
// after its options were changed, once, and that it is counted when the
// destination is gone altogether.
func TestSpoolOptionsChange(t *testing.T) {
	take := func(c *Cursor) (sequences []uint64) {
		for got := c.Take(100); len(got) > 0; got = c.Take(100) {
			for _, r := range got {
				sequences = append(sequences, r.Sequence)
			}
			c.Settle(len(got))
		}
		return sequences
	}
	// backlog has two records wait for a destination.
	backlog := func(t *testing.T, dir, name string) {
		t.Helper()
		s := open(t, dir, minSize, newTally())
		c := s.Attach(name+" ecs batch=1", name)
		s.Append("owner", samples(2), nil)
		c.Release()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("options changed", func(t *testing.T) {
		dir := t.TempDir()
		const name = "https://options.example.org"
		backlog(t, dir, name)
		var got []uint64
		for i := range 3 { // the second and third time nothing waits any more
			s := open(t, dir, minSize, newTally())
			c := s.Attach(fmt.Sprintf("%s ecs batch=%d", name, 2+i), name)
			s.longAgo(migrateAfter)
			s.Append("owner", samples(1), nil)
			got = append(got, take(c)...)
			c.Release()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if want := []uint64{1, 2, 3, 4, 5}; !slices.Equal(got, want) {
			t.Errorf("Got records %d, want %d", got, want)
		}
	})
	t.Run("both options are configured", func(t *testing.T) {
		dir := t.TempDir()
		const name = "https://both.example.org"
		backlog(t, dir, name)
		s := open(t, dir, minSize, newTally())
		defer s.Close()
		two, one := s.Attach(name+" ecs batch=2", name), s.Attach(name+" ecs batch=1", name)
		s.longAgo(migrateAfter)
		if got := take(two); len(got) != 0 {
			t.Errorf("Got records %d at the other destination", got)
		}
		if got := take(one); len(got) != 2 {
			t.Errorf("Got records %d, want the two that wait", got)
		}
	})
	t.Run("no longer configured", func(t *testing.T) {
		dir := t.TempDir()
		const name = "https://gone.example.org"
		backlog(t, dir, name)
		n := newTally()
		s := open(t, dir, minSize, n)
		defer s.Close()
		s.longAgo(cursorGrace)
		if !s.Checkpoint("owner", nil) {
			t.Fatalf("Got error %v", s.bad)
		}
		if n := n.lost[name+" unconfigured"]; n != 2 {
			t.Errorf("Got %v lost, want 2", n)
		}
		if n := len(s.cursors); n != 0 {
			t.Errorf("Got %d cursors left, want none", n)
		}
	})
}

func BenchmarkSpoolAppend(b *testing.B) {
	for _, n := range []int{1, 50} {
		b.Run(fmt.Sprint(n, " records"), func(b *testing.B) {
			s := open(b, b.TempDir(), 64<<20, newTally())
			defer s.Close()
			c := s.Attach("bench", "bench")
			for b.Loop() {
				records := make([]*record.Record, n)
				for i := range records {
					records[i] = recordtest.Sample()
				}
				if !s.Append("owner", records, nil) {
					b.Fatal(s.bad)
				}
				c.Settle(len(c.Take(1000)))
			}
		})
	}
}

// TestSpoolSize holds that the files are as large as README says, when a sink is
// down for long: SIZE for the records, and 5 KB for each group, all of which change
// all the time; none of them costs a record.
func TestSpoolSize(t *testing.T) {
	for _, n := range []int{0, 1600} {
		t.Run(fmt.Sprint(n, " groups"), func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, minSize, newTally())
			s.Attach(t.Name(), t.Name())
			groups := states(n, 2)
			for id := range groups {
				groups[id] = mustMarshal(groupState{strings.Repeat("x", 1500), 2})
			}
			for range 20 {
				for range 5 {
					s.Append("owner", samples(20), nil)
				}
				if !s.Checkpoint("owner", groups) {
					t.Fatalf("Got error %v", s.bad)
				}
				var sum, records int64
				for _, path := range files(t, dir) {
					if sum += size(t, path); strings.Contains(path, "records-") {
						records += size(t, path)
					}
				}
				if records > minSize || sum-records > 1<<20+int64(n)*5000 {
					t.Errorf("Got files of %d bytes for records and %d for the state", records, sum-records)
				}
			}
			if s.stored.from == 1 {
				t.Error("Got a spool that is not full")
			}
			if kept := s.end() - s.stored.from; kept < 300 {
				t.Errorf("Got %d records kept, want them whatever the groups take", kept)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
