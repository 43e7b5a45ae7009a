package names

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// touch gives a file a modification time of its own.
func touch(t *testing.T, path string, second int64) {
	t.Helper()
	if err := os.Chtimes(path, time.Unix(second, 0), time.Unix(second, 0)); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// source counts what a Watcher asks of it.
type source struct {
	reads, uses, stale int
	failures           []string
	err                error  // of the next read
	reading            func() // called by each read
}

func (s *source) Read() (func(), error) {
	s.reads++
	if s.reading != nil {
		s.reading()
	}
	return func() { s.uses++ }, s.err
}
func (s *source) Stale()           { s.stale++ }
func (s *source) Failed(err error) { s.failures = append(s.failures, err.Error()) }

// clock polls a Watcher at the times that it asks for.
type clock struct {
	*Watcher
	at   time.Time
	wait time.Duration
}

func (c *clock) tick() {
	c.at = c.at.Add(c.wait)
	c.wait = c.poll(c.at)
}

const every = 30 * time.Second

func watched(source Source, files ...string) *clock {
	return &clock{NewWatcher(files, every, source), time.Unix(2e9, 0), every}
}

// TestWatcherPoll plays changes one after another. After each, the second look
// must read the file, and later ones must not.
func TestWatcherPoll(t *testing.T) {
	dir := t.TempDir()
	file, other, link := filepath.Join(dir, "list"), filepath.Join(dir, "other"), filepath.Join(dir, "link")
	overwrite(t, file, "army.mil\n")
	touch(t, file, 1000)
	must(t, os.Symlink(file, link))

	steps := []struct {
		name   string
		change func()
		fails  bool
	}{
		{"longer, same time", func() { overwrite(t, file, "army.mil\nnavy.mil\n"); touch(t, file, 1000) }, false},
		{"same length, later", func() { overwrite(t, file, "navy.mil\narmy.mil\n"); touch(t, file, 1001) }, false},
		{"same length, earlier", func() { overwrite(t, file, "army.mil\nnavy.mil\n"); touch(t, file, 999) }, false},
		{"renamed over, same time and length", func() {
			overwrite(t, other, "usmc.mil\nuscg.mil\n")
			touch(t, other, 999)
			must(t, os.Rename(other, file))
		}, false},
		{"broken", func() { overwrite(t, file, "*\n") }, true},
		{"still broken, but changed", func() { overwrite(t, file, "**\n") }, true},
		{"mended", func() { overwrite(t, file, "army.mil\n"); touch(t, file, 1002) }, false},
		{"link turned to a hard link of the same file", func() {
			must(t, os.Link(file, other))
			must(t, os.Remove(link))
			must(t, os.Symlink(other, link))
		}, false},
		{"gone", func() { must(t, os.Rename(other, other+".away")) }, true},
		{"back, unchanged", func() { must(t, os.Rename(other+".away", other)) }, false},
		{"made unreadable", func() { must(t, os.Chmod(other, 0)) }, true},
		{"made readable", func() { must(t, os.Chmod(other, 0o600)) }, false},
		{"a directory now", func() { must(t, os.Remove(other)); must(t, os.Mkdir(other, 0o700)) }, true},
	}
	s := new(source)
	w := watched(s, link)
	w.tick()
	if s.reads != 0 {
		t.Fatalf("%d reads before any change", s.reads)
	}
	for _, step := range steps {
		*s = source{}
		want := source{reads: 1, uses: 1, stale: 1}
		if step.fails {
			s.err = errors.New("broken")
			want.uses = 0
		}
		step.change()
		w.tick()
		if s.reads != 0 || w.wait != time.Second {
			t.Errorf("%s: %d reads at the first look, the next one after %v", step.name, s.reads, w.wait)
		}
		w.tick()
		if w.wait != every {
			t.Errorf("%s: looks again after %v", step.name, w.wait)
		}
		w.tick()
		w.tick()
		if s.reads != want.reads || s.uses != want.uses || s.stale != want.stale || len(s.failures) == 1 != step.fails {
			t.Errorf("%s: %+v", step.name, *s)
		}
	}
}

// TestWatcherCopy: a file that is being written is not taken until it rests, be
// it seen before, between or during the looks.
func TestWatcherCopy(t *testing.T) {
	file := write(t, "list", "army.mil\nnavy.mil\n")
	s := new(source)
	w := watched(s, file)
	for _, half := range []string{"", "a", "army.mil\nnav", "army.mil\nnavy.mil"} {
		overwrite(t, file, half)
		w.tick()
	}
	if s.reads != 0 || s.stale != 1 {
		t.Errorf("Half a file: %+v", *s)
	}
	s.reading = func() { overwrite(t, file, "army.mil\nnavy.mil\nuscg.mil") }
	w.tick()
	s.reading, s.err = func() { overwrite(t, file, "army.mil\nnavy.mil\nuscg.mil\n") }, errors.New("broken")
	w.tick()
	if s.reads != 2 || s.uses != 0 || s.stale != 1 || len(s.failures) > 0 {
		t.Errorf("A file that changed while it was read: %+v", *s)
	}
	s.reading, s.err = nil, nil
	for range 5 {
		w.tick()
	}
	if s.reads != 3 || s.uses != 1 {
		t.Errorf("The whole file: %+v", *s)
	}
}

// TestWatcherHalt: a copy that comes to a halt within a line is taken when it has
// rested for a minute; one that ends a line, when two looks agree.
func TestWatcherHalt(t *testing.T) {
	tests := []struct {
		name, text string
		ticks      int // of a second, until it is read
	}{
		{"within a line", "army.mil\nus.af", 60},
		{"at the end of a line", "army.mil\nus.af.mil\n", 1},
		{"empty", "", 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			file := write(t, "list", "army.mil\nus.af.mil\nusmc.mil\n")
			s := new(source)
			w := watched(s, file, write(t, "other", "navy.mil")) // which has rested long since
			w.tick()
			overwrite(t, file, tc.text)
			touch(t, file, w.at.Add(every).Unix())
			w.tick()
			for i := 1; i <= tc.ticks; i++ {
				if w.wait != time.Second || s.reads != 0 {
					t.Fatalf("After %d s %d reads, the next look after %v", i-1, s.reads, w.wait)
				}
				w.tick()
			}
			if s.reads != 1 || s.uses != 1 || s.stale != 1 || len(s.failures) > 0 {
				t.Errorf("%+v", *s)
			}
		})
	}
}

// TestWatcherRestless: a file that never rests is told of after a minute, and
// then once a day.
func TestWatcherRestless(t *testing.T) {
	file := write(t, "list", "army.mil\n")
	s := new(source)
	w := watched(s, write(t, "other", "navy.mil\n"), file)
	for i := range 200 {
		touch(t, file, int64(i))
		w.tick()
		if want := min(i/60, 1); len(s.failures) != want {
			t.Fatalf("After %d s %d messages, want %d", i, len(s.failures), want)
		}
	}
	w.at = w.at.Add(24 * time.Hour)
	for i := range 200 {
		touch(t, file, int64(i))
		w.tick()
	}
	if len(s.failures) != 2 {
		t.Errorf("%d messages after a day, want 2", len(s.failures))
	}
	if s.reads != 0 || s.stale != 1 || !strings.HasPrefix(s.failures[0], file+": has kept changing") {
		t.Errorf("%+v", *s)
	}
}

// TestWatcherRepeats: a failure is told of once a day while it lasts. What the
// system said is tried at each look, what stands in the file once a day.
func TestWatcherRepeats(t *testing.T) {
	tests := []struct {
		name  string
		err   error
		reads int // in two days
	}{
		{"broken line", new(ListError), 3},
		{"input or output", &fs.PathError{Op: "read", Path: "list", Err: syscall.EIO}, 2*24*120 + 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			file := write(t, "list", "army.mil\n")
			s := &source{err: tc.err}
			w := watched(s, file)
			touch(t, file, 1)
			w.tick()
			for began := w.at; w.at.Sub(began) <= 48*time.Hour; {
				w.tick()
			}
			if s.reads < tc.reads-1 || s.reads > tc.reads+1 || s.uses != 0 || len(s.failures) != 3 {
				t.Errorf("%d reads, want %d; %d messages, want 3", s.reads, tc.reads, len(s.failures))
			}
			s.err = nil
			for began := w.at; w.at.Sub(began) <= 24*time.Hour; {
				w.tick()
			}
			if s.uses != 1 {
				t.Errorf("Used %d times after it was mended", s.uses)
			}
		})
	}
}

// TestWatcherPanic: a list whose reader panics is a list that cannot be
// used.
func TestWatcherPanic(t *testing.T) {
	file := write(t, "list", "army.mil\n")
	s := &source{reading: func() { panic("index out of range") }}
	w := watched(s, file)
	touch(t, file, 1)
	w.tick()
	w.tick()
	if len(s.failures) != 1 || !strings.Contains(s.failures[0], "panicked: index out of range") {
		t.Errorf("%+v", *s)
	}
}

// TestWatcherConfigMap swaps the directory behind a file as the kubelet does:
// list -> ..data/list, ..data -> a directory with a time for a name.
func TestWatcherConfigMap(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"..1", "..2"} {
		must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		file := filepath.Join(dir, version, "list")
		overwrite(t, file, "army.mil\n")
		touch(t, file, 1000) // same time, same length
	}
	data, file := filepath.Join(dir, "..data"), filepath.Join(dir, "list")
	must(t, os.Symlink("..1", data))
	must(t, os.Symlink(filepath.Join("..data", "list"), file))

	s := new(source)
	w := watched(s, file)
	must(t, os.Symlink("..2", data+"_tmp"))
	must(t, os.Rename(data+"_tmp", data))
	must(t, os.RemoveAll(filepath.Join(dir, "..1")))
	for range 4 {
		w.tick()
	}
	if s.reads != 1 || s.uses != 1 {
		t.Errorf("%+v", *s)
	}
}

// TestWatcherRuns: a change between construction and the first look is not
// lost, nor is one of the second file.
func TestWatcherRuns(t *testing.T) {
	files := []string{write(t, "a", "army.mil\n"), write(t, "b", "navy.mil\n")}
	reads := make(chan struct{}, 100)
	s := &source{reading: func() { reads <- struct{}{} }}
	w := NewWatcher(files, time.Millisecond, s)
	overwrite(t, files[0], "uscg.mil\nusmc.mil\n")
	w.Start()
	w.Start()
	wait.For(t, "the first read", reads)
	overwrite(t, files[1], "uscg.mil\nusmc.mil\n")
	wait.For(t, "the second read", reads)
	var stops sync.WaitGroup
	for range 3 {
		stops.Go(w.Stop)
	}
	stops.Wait()
	w.Start()
	before := s.reads
	overwrite(t, files[0], "army.mil\n")
	w.Stop()
	if s.reads != before {
		t.Errorf("%d reads after Stop", s.reads-before)
	}
}

// TestWatcherStopWaits: Stop returns only once a reload that is under way has
// ended.
func TestWatcherStopWaits(t *testing.T) {
	file := write(t, "list", "army.mil\n")
	entered, release := make(chan struct{}), make(chan struct{})
	var ended atomic.Bool
	w := NewWatcher([]string{file}, time.Millisecond, &source{reading: func() {
		close(entered)
		<-release
		ended.Store(true)
	}})
	must(t, os.Remove(file))
	w.Start()
	wait.For(t, "the reload to begin", entered)
	stopped := make(chan struct{})
	go func() { w.Stop(); close(stopped) }()
	wait.For(t, "the stop to begin", w.quit)
	select {
	case <-stopped:
		t.Error("Stop returned while reload was running")
	default:
	}
	close(release)
	wait.For(t, "the stop to end", stopped)
	if !ended.Load() {
		t.Error("Stop returned before reload had ended")
	}
}

func TestWatcherIdle(t *testing.T) {
	file := write(t, "list", "army.mil\n")
	s := &source{reading: func() { t.Error("A read without a change") }}
	for name, w := range map[string]*Watcher{
		"no files":      NewWatcher(nil, time.Millisecond, s),
		"no interval":   NewWatcher([]string{file}, 0, s),
		"never started": NewWatcher([]string{file}, time.Millisecond, s),
	} {
		t.Run(name, func(*testing.T) {
			if name != "never started" {
				w.Start()
			}
			w.Stop()
			w.Stop()
		})
	}
}
