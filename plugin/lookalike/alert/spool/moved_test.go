package spool

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// busyClient has a spool with records that wait and a group.
func busyClient(t *testing.T, dir string) *client {
	t.Helper()
	c := newClient(t, dir)
	c.s.Checkpoint("owner", states(1, 2))
	for range 50 {
		c.add()
	}
	return c
}

func (s *Spool) lookNow() {
	s.relook = time.Time{}
	s.Look(time.Now())
}

// eachFile does something to all files of a spool.
func eachFile(t *testing.T, dir string, f func(path string) error) {
	t.Helper()
	for _, path := range append(files(t, dir), filepath.Join(dir, "last")) {
		if err := f(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSpoolRemoved takes the files away from under a spool, or puts others in their
// places: nothing is lost, another run finds all of it, and the directory is taken.
func TestSpoolRemoved(t *testing.T) {
	const records = "records-0000000000000001.jsonl"
	tests := []struct {
		name   string
		remove func(t *testing.T, dir string)
		other  string // what is found beside the files
	}{
		{"removed", func(t *testing.T, dir string) { t.Helper(); eachFile(t, dir, os.Remove) }, ""},
		{"with the directory", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"renamed", func(t *testing.T, dir string) {
			t.Helper()
			eachFile(t, dir, func(path string) error { return os.Rename(path, path+".old") })
		}, records + ".old"},
		{"the directory renamed", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Rename(dir, dir+".old"); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"other files", func(t *testing.T, dir string) {
			t.Helper()
			eachFile(t, dir, func(path string) error {
				if err := os.WriteFile(path+".x", []byte("something else"), 0o600); err != nil {
					return err
				}
				return os.Rename(path+".x", path)
			})
		}, records + ".other-*"},
		{"directories", func(t *testing.T, dir string) {
			t.Helper()
			eachFile(t, dir, func(path string) error { _ = os.Remove(path); return os.Mkdir(path, 0o700) })
		}, records + ".other-*"},
	}
	for _, tc := range tests {
		for _, ends := range []bool{false, true} {
			name := tc.name
			if ends {
				name += ", then closed"
			}
			t.Run(name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "spool")
				c := busyClient(t, dir)
				tc.remove(t, dir)
				if !ends {
					c.s.Look(time.Now())
					if s, err := Open(Config{Dir: dir, Limit: minSize, Count: newTally()}); err == nil || !strings.Contains(err.Error(), "another process uses it") {
						t.Errorf("Got spool %v and error %v, want the directory taken", s, err)
					}
					c.add()
					if n := value(t, spoolHealthy.WithLabelValues(dir)); n != 1 {
						t.Errorf("Got health %v", n)
					}
				}
				if err := c.s.Close(); err != nil {
					t.Fatal(err)
				}
				if tc.other != "" {
					if found, err := filepath.Glob(filepath.Join(dir, tc.other)); err != nil || len(found) != 1 {
						t.Errorf("Got %q and error %v, want the other file there", found, err)
					}
				}
				again := newClient(t, dir)
				again.added = c.added
				again.deliver()
				if n := len(again.s.orphans); n != 1 {
					t.Errorf("Got %d groups, want one", n)
				}
				if err := again.s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestSpoolTaken has another server take the place of a directory that was moved
// away. What is in the first one is delivered, the other server's files are left
// alone, and nobody is told that all is well.
func TestSpoolTaken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	c := busyClient(t, dir)
	take := func(aside string) *client {
		t.Helper()
		if err := os.Rename(dir, dir+aside); err != nil {
			t.Fatal(err)
		}
		other := newClient(t, dir)
		other.add()
		return other
	}
	other := take(".first")
	c.s.Look(time.Now())
	c.add()
	if n := value(t, spoolHealthy.WithLabelValues(dir)); n != 0 {
		t.Errorf("Got health %v", n)
	}
	c.deliver()
	other.add()
	other.deliver()
	if err := other.s.Close(); err != nil {
		t.Fatal(err)
	}
	c.s.lookNow()
	c.add()
	if n := value(t, spoolHealthy.WithLabelValues(dir)); n != 1 {
		t.Errorf("Got health %v after the other server was stopped", n)
	}
	c.deliver()

	last := take(".second")
	c.add()
	if err := c.s.Close(); err == nil || !strings.Contains(err.Error(), "are gone") {
		t.Errorf("Got error %v of a spool that nobody will find", err)
	}
	if err := last.s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolPutBack has a file put back before a copy could be made.
func TestSpoolPutBack(t *testing.T) {
	dir := t.TempDir()
	c := busyClient(t, dir)
	path := files(t, dir)[0]
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(path+".new/x", 0o700); err != nil { // in the way of a copy
		t.Fatal(err)
	}
	c.s.lookNow()
	c.add()
	if n := value(t, spoolHealthy.WithLabelValues(dir)); n != 0 {
		t.Errorf("Got health %v of a spool that is not in its place", n)
	}
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
	c.s.lookNow()
	if n := value(t, spoolHealthy.WithLabelValues(dir)); n != 1 {
		t.Errorf("Got health %v of a spool that is back", n)
	}
	c.deliver()
	if err := c.s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolDeletedBetweenRuns deletes one file between two runs: records that were
// not delivered are told to be lost, and no number is used twice.
func TestSpoolDeletedBetweenRuns(t *testing.T) {
	for _, pattern := range []string{"records-*", "state-*", "last", "*.jsonl", "*"} {
		t.Run(pattern, func(t *testing.T) {
			dir := t.TempDir()
			c := busyClient(t, dir)
			c.c.Settle(len(c.c.Take(10)))
			epoch, sequence := c.s.numbers.Epoch, c.s.numbers.Sequence
			if err := c.s.Close(); err != nil {
				t.Fatal(err)
			}
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(found) == 0 {
				t.Fatalf("Got files %q and error %v", found, err)
			}
			for _, path := range found {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			again := newClient(t, dir)
			told, delivered := 0, 0
			for got := again.c.Take(100); len(got) > 0; got = again.c.Take(100) {
				for _, r := range got {
					if r.Lost != nil {
						told += int(r.Lost.Records)
						if r.Lost.Epoch != epoch || r.Lost.From != 11 || r.Lost.To != sequence {
							t.Errorf("Got gap %+v", r.Lost)
						}
					} else {
						delivered++
					}
				}
				again.c.Settle(len(got))
			}
			if all := told + delivered; strings.HasPrefix(pattern, "*") && all != 0 || !strings.HasPrefix(pattern, "*") && all < 40 {
				t.Errorf("Got %d told and %d delivered", told, delivered)
			}
			again.add()
			if again.s.numbers.Epoch == epoch && again.s.numbers.Sequence != sequence+1 {
				t.Errorf("Got sequence %d after %d", again.s.numbers.Sequence, sequence)
			}
			if err := again.s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSpoolNoDirectory starts without a directory, which only a disk that does not
// let it be made may excuse, and takes it when it can be made.
func TestSpoolNoDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := newSpool(Config{Dir: dir, Limit: minSize, Count: newTally()})
	s.fail(syscall.ENOSPC)
	c := &client{T: t, s: s, tally: newTally(), c: s.Attach("disk", "disk"), seen: make(map[string]bool)}
	s.Append("owner", samples(1), nil)
	c.added++
	c.deliver()
	if !c.add() {
		t.Errorf("Got error %v of a disk that lets the directory be made", s.bad)
	}
	c.deliver()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
