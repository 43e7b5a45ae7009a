package spool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// mishaps are what may happen to a spool's file under a running server.
var mishaps = map[string]func(t *testing.T, path string){
	"emptied":             func(t *testing.T, path string) { t.Helper(); truncate(t, path, 0) },
	"cut to a page":       func(t *testing.T, path string) { t.Helper(); truncate(t, path, int64(os.Getpagesize())) },
	"cut to two pages":    func(t *testing.T, path string) { t.Helper(); truncate(t, path, 2*int64(os.Getpagesize())) },
	"cut to half":         func(t *testing.T, path string) { t.Helper(); truncate(t, path, 32<<10) },
	"zeros":               func(t *testing.T, path string) { t.Helper(); overwrite(t, path, 0, 0) },
	"zeros from page two": func(t *testing.T, path string) { t.Helper(); overwrite(t, path, 2, 0) },
	"noise from page two": func(t *testing.T, path string) { t.Helper(); overwrite(t, path, 2, 0x5a) },
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// overwrite fills a file from a page on, and keeps its size.
func overwrite(t *testing.T, path string, page int64, with byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	from := page * int64(os.Getpagesize())
	b := make([]byte, info.Size()-from)
	for i := range b {
		b[i] = with
	}
	if _, err := f.WriteAt(b, from); err != nil {
		t.Fatal(err)
	}
}

// TestSpoolDamaged mishaps the file under a store. Whatever meets it first does
// not hang, what is lost is told of, and what comes later is delivered, from a
// new file that another run can read.
func TestSpoolDamaged(t *testing.T) {
	uses := map[string]func(*damagedClient){
		"append":     func(c *damagedClient) { c.add() },
		"take":       func(c *damagedClient) { c.take(5) },
		"backlog":    func(c *damagedClient) { c.c.Backlog() },
		"checkpoint": func(c *damagedClient) { c.s.Checkpoint("owner", nil) },
		"close":      func(*damagedClient) {},
	}
	for damage, f := range mishaps {
		for first, use := range uses {
			t.Run(damage+", then "+first, func(t *testing.T) {
				dir := t.TempDir()
				name := t.Name()
				c := &damagedClient{dir: dir}
				c.client = client{T: t, seen: make(map[string]bool)}
				c.open(name)
				for range 200 {
					c.add()
				}
				c.take(7)
				f(t, filepath.Join(dir, spoolFile))
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
	delivered int
	lost      uint64
}

func (c *damagedClient) open(name string) {
	c.Helper()
	if c.tally == nil {
		c.tally = newTally()
	}
	s := open(c.T, c.dir, 1<<30, c.tally)
	c.s, c.c = s, s.Attach(name, name)
}

func (c *damagedClient) take(n int) int {
	got := c.c.Take(n)
	for _, r := range got {
		if r.Phase != record.Lost {
			c.delivered++
			continue
		}
		c.lost += r.Lost.Records
		if r.Lost.Reason != "spool_corrupt" || r.Lost.Epoch != c.s.epoch || r.Lost.To-r.Lost.From+1 != r.Lost.Records {
			c.Errorf("Got gap %+v", r.Lost)
		}
	}
	c.c.Settle(len(got))
	return len(got)
}

// rest goes on with a store that has been damaged.
func (c *damagedClient) rest(closed bool) {
	if !closed {
		for range 20 {
			if !c.add() {
				c.Errorf("Got error %v of a new file", c.s.bad)
			}
		}
		for c.take(50) > 0 {
		}
		c.add()
	}
	if err := c.s.Close(); err != nil {
		c.Error(err)
	}
	lost := c.tally.lost[c.c.name+" spool_corrupt"]
	c.open(c.c.name)
	for c.take(50) > 0 {
	}
	if c.delivered+lost < c.added || c.delivered+int(c.lost) < c.added {
		c.Errorf("Got %d delivered, %d told to be lost and %d counted, want %d", c.delivered, c.lost, lost, c.added)
	}
	if err := c.s.Close(); err != nil {
		c.Error(err)
	}
}

// TestSpoolAbandoned holds that a handle whose locks are never released keeps
// nobody from its file, nor the store from a new one.
func TestSpoolAbandoned(t *testing.T) {
	c := newClient(t, t.TempDir())
	tx, err := c.s.db.Begin(true) // as after a panic
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	wait.Done(t, "giving it up", func() { c.s.mu.Lock(); defer c.s.mu.Unlock(); c.s.broken(errCorrupt) })
	aside, err := filepath.Glob(filepath.Join(c.s.dir, spoolFile+".corrupt-*"))
	if err != nil || len(aside) != 1 {
		t.Fatalf("Got %q set aside and error %v, want one file", aside, err)
	}
	wait.Until(t, "lock", func() bool {
		db, err := bbolt.Open(aside[0], 0, &bbolt.Options{Timeout: time.Millisecond})
		if err != nil && !strings.Contains(err.Error(), "timeout") {
			t.Fatal(err)
		}
		return err == nil && db.Close() == nil
	})
	if !c.add() {
		t.Errorf("Got error %v of a new file", c.s.bad)
	}
	c.deliver()
	if err := c.s.Close(); err != nil {
		t.Error(err)
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
		for _, hang := range []func(func(*bbolt.Tx) error) error{s.update, s.view} {
			s.Checkpoint("owner", States{"g": nil})
			if healthy() != 1 {
				t.Error("Got a spool that is not healthy at first")
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.mu.Lock()
				defer s.mu.Unlock()
				_ = hang(func(*bbolt.Tx) error { time.Sleep(time.Minute); return nil })
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
	for _, line := range []string{"has not answered for 5s", "has answered, after 1m0s"} {
		if n := strings.Count(log.String(), line); n != 2 {
			t.Errorf("Got %q %d times in the log, want once for each time:\n%s", line, n, log)
		}
	}
}

// TestSpoolLostInFlight holds that records which were on their way to a sink when
// the file was given up, and which it never took, are told to be lost.
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
	overwrite(t, c.s.path(), 0, 0)
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
