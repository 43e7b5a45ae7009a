package spool

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// mishaps are what may happen to a file of the spool under a running server.
var mishaps = map[string]func(t *testing.T, path string){
	"emptied":             func(t *testing.T, path string) { t.Helper(); truncate(t, path, 0) },
	"cut to a page":       func(t *testing.T, path string) { t.Helper(); truncate(t, path, 4096) },
	"cut to half":         func(t *testing.T, path string) { t.Helper(); truncate(t, path, size(t, path)/2) },
	"zeros":               func(t *testing.T, path string) { t.Helper(); overwrite(t, path, 0, 0) },
	"zeros from page two": func(t *testing.T, path string) { t.Helper(); overwrite(t, path, 2, 0) },
	"noise from page two": func(t *testing.T, path string) { t.Helper(); overwrite(t, path, 2, 0x5a) },
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func truncate(t *testing.T, path string, n int64) {
	t.Helper()
	if n = min(n, size(t, path)); n > 0 || size(t, path) > 0 {
		if err := os.Truncate(path, n); err != nil {
			t.Fatal(err)
		}
	}
}

// overwrite fills a file from a page on, and keeps its size.
func overwrite(t *testing.T, path string, page int64, with byte) {
	t.Helper()
	from := min(page*4096, size(t, path))
	b := make([]byte, size(t, path)-from)
	for i := range b {
		b[i] = with
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, from); err != nil {
		t.Fatal(err)
	}
}

// files are those of a spool's logs.
func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(names) == 0 {
		t.Fatalf("Got files %q and error %v", names, err)
	}
	return names
}

// TestSpoolDamaged mishaps all files under a spool. Whatever meets them first does
// not hang, what is lost is told of, and what comes later is delivered and can be
// read by another run.
func TestSpoolDamaged(t *testing.T) {
	uses := map[string]func(*damagedClient){
		"append":     func(c *damagedClient) { c.add() },
		"take":       func(c *damagedClient) { c.take(5) },
		"backlog":    func(c *damagedClient) { c.c.Backlog() },
		"checkpoint": func(c *damagedClient) { c.s.Checkpoint("owner", states(1, 1)) },
		"look":       func(c *damagedClient) { c.s.Look(time.Now()) },
		"close":      func(*damagedClient) {},
	}
	for damage, f := range mishaps {
		for first, use := range uses {
			t.Run(damage+", then "+first, func(t *testing.T) {
				c := &damagedClient{client: client{T: t, seen: make(map[string]bool)}, dir: t.TempDir()}
				c.open(t.Name())
				for range 24 {
					c.add()
				}
				c.take(7)
				for _, path := range files(t, c.dir) {
					f(t, path)
				}
				wait.Done(t, first, func() { use(c) })
				wait.Done(t, "the rest", func() { c.rest(first == "close") })
			})
		}
	}
}

// damagedClient counts what is delivered and what is told to be lost.
type damagedClient struct {
	client
	dir       string
	delivered map[string]bool // by number
	lost      uint64
}

func (c *damagedClient) open(name string) {
	c.Helper()
	if c.tally == nil {
		c.tally, c.delivered = newTally(), make(map[string]bool)
	}
	s := open(c.T, c.dir, 1<<30, c.tally)
	c.s, c.c = s, s.Attach(name, name)
}

func (c *damagedClient) take(n int) int {
	got := c.c.Take(n)
	for _, r := range got {
		if r.Phase != record.Lost {
			c.delivered[r.ID] = true
			continue
		}
		c.lost += r.Lost.Records
		if r.Lost.Reason != "spool_corrupt" || r.Lost.Epoch != "" && r.Lost.To-r.Lost.From+1 != r.Lost.Records {
			c.Errorf("Got gap %+v", r.Lost)
		}
	}
	c.c.Settle(len(got))
	return len(got)
}

// rest goes on with a spool that has been damaged.
func (c *damagedClient) rest(closed bool) {
	if !closed {
		for range 5 {
			if !c.add() {
				c.Errorf("Got error %v of a disk that is good", c.s.bad)
			}
		}
		for c.take(50) > 0 {
		}
		c.add()
	}
	if err := c.s.Close(); err != nil {
		c.Error(err)
	}
	c.open(c.c.name)
	for c.take(50) > 0 {
	}
	lost := c.tally.lost[c.c.name+" spool_corrupt"]
	if len(c.delivered)+lost < c.added || len(c.delivered)+int(c.lost) < c.added { // some may come twice, or be lost after they came
		c.Errorf("Got %d delivered, %d told to be lost and %d counted, want %d", len(c.delivered), c.lost, lost, c.added)
	}
	if err := c.s.Close(); err != nil {
		c.Error(err)
	}
}

// TestSpoolHangs holds that a disk that does not answer is told of once, while it
// does not, and that the spool is well again afterwards.
func TestSpoolHangs(t *testing.T) {
	log := listenToLog(t)
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, dir, minSize, newTally())
		healthy := func() float64 { synctest.Wait(); return value(t, spoolHealthy.WithLabelValues(dir)) }
		for range 2 {
			s.Checkpoint("owner", States{"g": nil})
			if healthy() != 1 {
				t.Error("Got a spool that is not healthy at first")
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.mu.Lock()
				defer s.mu.Unlock()
				defer s.watch()()
				time.Sleep(time.Minute) // as a disk that does not answer
			}()
			time.Sleep(patience - time.Second)
			if healthy() != 1 {
				t.Error("Got a spool that is not healthy too early")
			}
			time.Sleep(2 * time.Second)
			if healthy() != 0 {
				t.Error("Got a healthy spool whose disk does not answer")
			}
			<-done
			if healthy() != 1 {
				t.Error("Got a spool that is not healthy although its disk has answered")
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, line := range []string{"no answer from the disk for 5s", "the disk answered after 1m0s"} {
		if n := strings.Count(log.String(), line); n != 2 {
			t.Errorf("Got %q %d times in the log, want once for each time:\n%s", line, n, log)
		}
	}
}

// TestSpoolSlowCommit holds that what waits for a destination which nobody has opened
// any more is counted as lost, also where a cursor's time runs out during a commit.
func TestSpoolSlowCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newTally()
		s := open(t, t.TempDir(), minSize, n)
		c := s.Attach("file:/a.jsonl ecs ", "file:/a.jsonl")
		s.Append("owner", samples(2), nil)
		c.Release()
		time.Sleep(cursorGrace - time.Second)
		s.mu.Lock()
		began := time.Now()
		s.trim(began)
		time.Sleep(2 * time.Second) // as a disk that is slow
		s.settleTrim(began)
		s.mu.Unlock()
		if !s.Checkpoint("owner", nil) || n.lost["file:/a.jsonl unconfigured"] != 2 {
			t.Errorf("Got %v lost, want 2 that nobody wants any more", n.lost)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestSpoolLostInFlight holds that records which were on their way to a sink that
// never took them, and which are damaged meanwhile, are told to be lost.
func TestSpoolLostInFlight(t *testing.T) {
	dir := t.TempDir()
	c := newClient(t, dir)
	for range 5 {
		c.add()
	}
	if got := c.c.Take(3); len(got) != 3 {
		t.Fatalf("Got %d records, want 3", len(got))
	}
	c.c.Settle(1)
	overwrite(t, filepath.Join(dir, "records-0000000000000001.jsonl"), 0, 0)
	c.s.Look(time.Now()) // as every second: the next line does not go behind those zeros
	c.add()
	c.c.Release()
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	again := newClient(t, dir)
	got := again.c.Take(10)
	if len(got) != 1 || got[0].Lost == nil || got[0].Lost.Records != 4 || got[0].Lost.From != 2 || got[0].Lost.To != 5 {
		t.Fatalf("Got records %+v, want one that tells of 4", got)
	}
	again.c.Settle(1)
	if got = again.c.Take(10); len(got) != 1 || got[0].Sequence != 6 {
		t.Errorf("Got records %+v, want the last one", got)
	}
	if err := again.s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolOpenFails has directories that are no matter of waiting.
func TestSpoolOpenFails(t *testing.T) {
	dir := t.TempDir()
	used := filepath.Join(dir, "used")
	s := open(t, used, minSize, newTally())
	defer s.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{used: "another process uses it", file: "the directory must exist", file + "/below": "not a directory"} {
		if s, err := Open(Config{Dir: path, Limit: minSize, Count: newTally()}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Got spool %v and error %v for %s, want one with %q", s, err, path, want)
		}
	}
}

// TestSpoolOldFile holds that the database of a test version is told of once, and
// stays.
func TestSpoolOldFile(t *testing.T) {
	log := listenToLog(t)
	dir := t.TempDir()
	old := filepath.Join(dir, oldFile)
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c := newClient(t, dir)
		c.add()
		c.deliver()
		if err := c.s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "spool "+dir+": ignoring alerts.db, a test version wrote it"); n != 1 {
		t.Errorf("Got the old file %d times in the log, want once:\n%s", n, log)
	}
	if string(read(t, old)) != "old" {
		t.Error("Got the old file changed")
	}
}

// TestSpoolLongTail heals a disk after a tail that is larger than SIZE: never is
// more than that on disk.
func TestSpoolLongTail(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, minSize, newTally())
	defer s.Close()
	c := s.Attach("long", "long")
	s.fail(syscall.ENOSPC)
	const n = 2000
	for range n / 100 {
		if s.Append("owner", samples(100), states(1, 1)) {
			t.Fatal("Got records written to a full disk")
		}
	}
	s.retry = time.Time{}
	if !s.Append("owner", samples(1), nil) {
		t.Fatalf("Got error %v of a disk that has room again", s.bad)
	}
	if size := s.disk.Size(0); size > minSize || size < minSize/2 {
		t.Errorf("Got %d bytes on disk, want at most %d", size, minSize)
	}
	told, delivered := uint64(0), 0
	for got := c.Take(100); len(got) > 0; got = c.Take(100) {
		for _, r := range got {
			if r.Phase == record.Lost {
				told += r.Lost.Records
			} else {
				delivered++
			}
		}
		c.Settle(len(got))
	}
	if int(told)+delivered != n+1 || delivered == 0 || told == 0 {
		t.Errorf("Got %d delivered and %d told to be lost, want %d", delivered, told, n+1)
	}
}
