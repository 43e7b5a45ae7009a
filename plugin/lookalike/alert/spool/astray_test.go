package spool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
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

// TestSpoolRemoved takes the file away from under a store, or puts another one in
// its place: nothing is lost, another run finds all of it, and the directory is
// taken.
func TestSpoolRemoved(t *testing.T) {
	tests := []struct {
		name   string
		remove func(path string) error
		other  string // what is found beside the file
	}{
		{"removed", os.Remove, ""},
		{"with its directory", func(path string) error { return os.RemoveAll(filepath.Dir(path)) }, ""},
		{"renamed", func(path string) error { return os.Rename(path, path+".old") }, ".old"},
		{"the directory renamed", func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old") }, ""},
		{"another file", func(path string) error {
			return os.WriteFile(path+".x", []byte("something else"), 0o600)
		}, ".other-*"},
		{"a directory", func(path string) error { _ = os.Remove(path); return os.Mkdir(path, 0o700) }, ".other-*"},
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
				path := c.s.path()
				if err := tc.remove(path); err != nil {
					t.Fatal(err)
				}
				if _, err := os.Stat(path + ".x"); err == nil {
					if err := os.Rename(path+".x", path); err != nil {
						t.Fatal(err)
					}
				}
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
					if found, err := filepath.Glob(path + tc.other); err != nil || len(found) != 1 {
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

// TestSpoolTaken has another server take the directory after the file was
// removed. What is in the file is delivered, the other server's file is left
// alone, and nobody is told that all is well.
func TestSpoolTaken(t *testing.T) {
	dir := t.TempDir()
	c := busyClient(t, dir)
	if err := os.Remove(c.s.path()); err != nil {
		t.Fatal(err)
	}
	other := newClient(t, dir)
	other.add()
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

	if err := os.Remove(c.s.path()); err != nil {
		t.Fatal(err)
	}
	last := newClient(t, dir)
	c.add()
	if err := c.s.Close(); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("Got error %v of a spool that nobody will find", err)
	}
	if err := last.s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolPutBack has the file put back before a copy could be made.
func TestSpoolPutBack(t *testing.T) {
	dir := t.TempDir()
	c := busyClient(t, dir)
	path := c.s.path()
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".new", 0o700); err != nil { // in the way of a copy
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".new/x", 0o700); err != nil {
		t.Fatal(err)
	}
	c.s.lookNow()
	c.add()
	if n := value(t, spoolHealthy.WithLabelValues(dir)); n != 0 {
		t.Errorf("Got health %v of a spool that is astray", n)
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

// TestSpoolRemovedUnopened removes the file, or has another spool's in its place,
// while the store could not open it: what it had is told to be lost.
func TestSpoolRemovedUnopened(t *testing.T) {
	for reason, file := range map[string][]byte{"spool_removed": nil, "spool_corrupt": usedSpool(t)} {
		t.Run(reason, func(t *testing.T) {
			c := busyClient(t, t.TempDir())
			c.s.abandon()
			if err := os.Remove(c.s.path()); err != nil {
				t.Fatal(err)
			}
			if file != nil {
				if err := os.WriteFile(c.s.path(), file, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if !c.add() {
				t.Errorf("Got error %v", c.s.bad)
			}
			got := c.c.Take(10)
			if len(got) != 1 || got[0].Phase != record.Lost || got[0].Lost.Records != 50 || got[0].Lost.Reason != reason {
				t.Errorf("Got records %+v, want one that tells of 50", got)
			}
			c.c.Settle(len(got))
			if got = c.c.Take(10); len(got) != 1 || got[0].Sequence != 51 {
				t.Errorf("Got records %+v, want the last one", got)
			}
			if err := c.s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSpoolCorruptAndTaken holds that a file that is corrupt and no longer in its
// place does not cost another server its own.
func TestSpoolCorruptAndTaken(t *testing.T) {
	dir := t.TempDir()
	c := busyClient(t, dir)
	if err := os.Rename(c.s.path(), c.s.path()+".old"); err != nil {
		t.Fatal(err)
	}
	other := newClient(t, dir)
	overwrite(t, c.s.path()+".old", 0, 0)
	if c.add() {
		t.Error("Got a record written to nowhere")
	}
	other.add()
	other.deliver()
	if err := other.s.Close(); err != nil {
		t.Error(err)
	}
	if !c.add() {
		t.Errorf("Got error %v after the other server was stopped", c.s.bad)
	}
	if err := c.s.Close(); err != nil {
		t.Error(err)
	}
	if found, err := filepath.Glob(filepath.Join(dir, spoolFile+".corrupt-*")); err != nil || len(found) != 1 {
		t.Errorf("Got %q set aside and error %v, want the other server's once it is nobody's", found, err)
	}
}
