package names

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
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

// TestWatcherPoll plays changes one after another; after each, the first poll
// must reload and the second must not.
func TestWatcherPoll(t *testing.T) {
	dir := t.TempDir()
	file, other, link := filepath.Join(dir, "list"), filepath.Join(dir, "other"), filepath.Join(dir, "link")
	overwrite(t, file, "army.mil\n")
	touch(t, file, 1000)
	must(t, os.Symlink(file, link))

	reloads, failure := 0, error(nil)
	w := NewWatcher([]string{link}, time.Hour, func() error { reloads++; return failure })
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
	w.poll()
	if reloads != 0 {
		t.Fatalf("%d reloads before any change", reloads)
	}
	for _, s := range steps {
		reloads, failure = 0, nil
		if s.fails {
			failure = errors.New("broken")
		}
		s.change()
		w.poll()
		w.poll()
		w.poll()
		if reloads != 1 {
			t.Errorf("%s: %d reloads, want 1", s.name, reloads)
		}
		if got := w.Err(); !errors.Is(got, failure) {
			t.Errorf("%s: Err() = %v, want %v", s.name, got, failure)
		}
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

	reloads := 0
	w := NewWatcher([]string{file}, time.Hour, func() error { reloads++; return nil })
	must(t, os.Symlink("..2", data+"_tmp"))
	must(t, os.Rename(data+"_tmp", data))
	must(t, os.RemoveAll(filepath.Join(dir, "..1")))
	w.poll()
	w.poll()
	if reloads != 1 {
		t.Errorf("%d reloads, want 1", reloads)
	}
}

// TestWatcherGap: a change between construction and the first poll is not
// lost, nor is one that happens during a reload.
func TestWatcherGap(t *testing.T) {
	file := write(t, "list", "army.mil\n")
	reloads := 0
	w := NewWatcher([]string{file}, time.Hour, func() error {
		if reloads++; reloads == 1 {
			overwrite(t, file, "army.mil\nnavy.mil\nuscg.mil\n")
		}
		return nil
	})
	overwrite(t, file, "army.mil\nnavy.mil\n")
	for range 4 {
		w.poll()
	}
	if reloads != 2 {
		t.Errorf("%d reloads, want 2", reloads)
	}
}

func TestWatcherRuns(t *testing.T) {
	files := []string{write(t, "a", "army.mil\n"), write(t, "b", "navy.mil\n")}
	var reloads atomic.Int32
	w := NewWatcher(files, time.Millisecond, func() error { reloads.Add(1); return nil })
	w.Start()
	w.Start()
	for i, file := range files {
		overwrite(t, file, "uscg.mil\nusmc.mil\n")
		// Truncating and writing may be seen as two changes.
		wait.Until(t, "the reload", func() bool { return int(reloads.Load()) > i })
	}
	var stops sync.WaitGroup
	for range 3 {
		stops.Go(w.Stop)
	}
	wait.Done(t, "three stops at once", stops.Wait)
	w.Start()
	before := reloads.Load()
	overwrite(t, files[0], "army.mil\n")
	w.Stop()
	if after := reloads.Load(); after != before {
		t.Errorf("%d reloads after Stop", after-before)
	}
}

// TestWatcherStopWaits: Stop returns only once a reload that is under way has
// ended.
func TestWatcherStopWaits(t *testing.T) {
	file := write(t, "list", "army.mil\n")
	entered, release := make(chan struct{}), make(chan struct{})
	var ended atomic.Bool
	w := NewWatcher([]string{file}, time.Millisecond, func() error {
		close(entered)
		<-release
		ended.Store(true)
		return nil
	})
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
	reload := func() error { t.Error("Reload without a change"); return nil }
	for name, w := range map[string]*Watcher{
		"no files":      NewWatcher(nil, time.Millisecond, reload),
		"no interval":   NewWatcher([]string{file}, 0, reload),
		"never started": NewWatcher([]string{file}, time.Millisecond, reload),
	} {
		t.Run(name, func(t *testing.T) {
			if name != "never started" {
				w.Start()
			}
			w.Stop()
			w.Stop()
			if err := w.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}
