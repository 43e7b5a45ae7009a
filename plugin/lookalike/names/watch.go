package names

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Source is what a Watcher keeps current. Its methods are called from one
// goroutine.
type Source interface {
	// Read reads the files as they are now. It returns what puts them in force,
	// or why they cannot be used.
	Read() (use func(), err error)
	// Stale is called when a file has changed, and so differs from the list in
	// force.
	Stale()
	// Failed is called when the files cannot be used, so that the list in force
	// stays: once for each change, and once a day while that lasts.
	Failed(err error)
}

const (
	// soon is how long after a change the second look is taken.
	soon = time.Second
	// restless is how long files may keep changing before Failed is called, and how
	// long one that ends within a line has to rest.
	restless = time.Minute
	// again is the time between two messages about the same failure.
	again = 24 * time.Hour
)

// Watcher reads files again when they have changed. It polls, because lists
// come by ways that notification misses: network file systems, bind mounts,
// the symbolic links of a Kubernetes ConfigMap.
//
// A file has changed when its size, time or mode differs, when a rename or a
// symbolic link puts another file in its place, and when it disappears or comes
// back. It is read when two looks, a second apart, agree. What was read comes
// into force when a third look agrees, too: a file that is being written is not
// taken. That second also tells apart two writes of the same length within one
// tick of the clock. A file that ends within a line rests for a minute first: its
// copy may have come to a halt.
type Watcher struct {
	files  []string
	every  time.Duration
	source Source

	// Owned by the goroutine once it runs.
	seen    []stamp   // by the last look
	unrest  time.Time // since when the files have kept changing; zero: they rest
	failure error     // of the last read; nil where the files are in force
	told    time.Time // when the failure was told of

	mu       sync.Mutex
	started  bool
	stopped  bool
	quit     chan struct{} // closed by Stop
	finished chan struct{} // closed by the goroutine
}

// NewWatcher returns a Watcher that has looked at files, and will look again
// every time after Start. Make it before the files are read for the first time:
// what changes between the two is then noticed.
func NewWatcher(files []string, every time.Duration, source Source) *Watcher {
	w := &Watcher{
		files:    files,
		every:    every,
		source:   source,
		quit:     make(chan struct{}),
		finished: make(chan struct{}),
	}
	w.seen = w.look()
	return w
}

// Start begins to poll, in a goroutine that Stop ends. It does nothing when
// there is nothing to watch, when the interval is not positive, when it was
// called before, and after Stop.
func (w *Watcher) Start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started || w.stopped || len(w.files) == 0 || w.every <= 0 {
		return
	}
	w.started = true
	go w.run()
}

// Stop ends the polling and waits for a read that is under way. It may be
// called at any time, also several times and from several goroutines, but not
// from a method of the Source.
func (w *Watcher) Stop() {
	w.mu.Lock()
	if !w.stopped {
		w.stopped = true
		close(w.quit)
	}
	started := w.started
	w.mu.Unlock()
	if started {
		<-w.finished
	}
}

func (w *Watcher) run() {
	defer close(w.finished)
	timer := time.NewTimer(w.every)
	defer timer.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-timer.C:
		}
		select {
		case <-w.quit: // both were ready
			return
		default:
			timer.Reset(w.poll(time.Now()))
		}
	}
}

// poll looks at the files, and reads them when they have changed and rest
// again. It returns when to look next.
func (w *Watcher) poll(at time.Time) time.Duration {
	now := w.look()
	if !slices.EqualFunc(now, w.seen, stamp.equal) {
		return w.changed(at, now)
	}
	if w.unrest.IsZero() && !w.retries(at) {
		return w.every
	}
	if !w.unrest.IsZero() && w.unfinished(at) {
		return min(w.every, soon)
	}
	use, err := w.read()
	if now = w.look(); !slices.EqualFunc(now, w.seen, stamp.equal) {
		return w.changed(at, now)
	}
	news := !w.unrest.IsZero()
	w.unrest = time.Time{}
	if w.failure = err; err == nil {
		use()
	} else if news || at.Sub(w.told) >= again {
		w.fail(at, err)
	}
	return w.every
}

// changed notes that the files are not what they were at the last look.
func (w *Watcher) changed(at time.Time, now []stamp) time.Duration {
	file := ""
	for i := range now {
		if !now[i].equal(w.seen[i]) {
			file = w.files[i]
		}
	}
	w.seen = now
	if w.unrest.IsZero() {
		w.unrest, w.told = at, at.Add(restless-again)
		w.source.Stale()
	}
	if at.Sub(w.told) >= again {
		w.fail(at, fmt.Errorf("%s: has kept changing for a minute: write a new file and rename it", file))
	}
	return min(w.every, soon)
}

// unfinished reports whether a file ends within a line and was written to in the
// last minute.
func (w *Watcher) unfinished(at time.Time) bool {
	for i, s := range w.seen {
		if s.info == nil || !s.info.Mode().IsRegular() {
			continue
		}
		age := at.Sub(s.info.ModTime())
		if age >= 0 && age < restless && endsWithinLine(w.files[i], s.info.Size()) {
			return true
		}
	}
	return false
}

// endsWithinLine reports whether the last of the file's size bytes is no line
// end.
func endsWithinLine(file string, size int64) bool {
	f, err := os.Open(file)
	if err != nil || size == 0 {
		return false
	}
	defer f.Close()
	var last [1]byte
	n, _ := f.ReadAt(last[:], size-1) // what cannot be read is an error of the reader's
	return n == 1 && last[0] != '\n'
}

// retries reports whether to read the files again although they have not
// changed: what stands in them fails again, what the system said may not.
func (w *Watcher) retries(at time.Time) bool {
	var system *fs.PathError
	return w.failure != nil && (errors.As(w.failure, &system) || at.Sub(w.told) >= again)
}

func (w *Watcher) fail(at time.Time, err error) {
	w.told = at
	w.source.Failed(err)
}

// read refuses a list that makes the reader panic.
func (w *Watcher) read() (use func(), err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading the list panicked: %v", r)
		}
	}()
	return w.source.Read()
}

func (w *Watcher) look() []stamp {
	stamps := make([]stamp, len(w.files))
	for i, file := range w.files {
		stamps[i] = look(file)
	}
	return stamps
}

// stamp is what tells one state of a file from another.
type stamp struct {
	info   os.FileInfo // nil where the file cannot be found or looked at
	target string      // the path with its symbolic links resolved
	failed string      // why info is nil
}

func look(file string) stamp {
	target, err := filepath.EvalSymlinks(file)
	if err != nil {
		return stamp{failed: err.Error()}
	}
	info, err := os.Stat(file)
	if err != nil {
		return stamp{failed: err.Error()}
	}
	return stamp{info: info, target: target}
}

func (s stamp) equal(o stamp) bool {
	if s.info == nil || o.info == nil {
		return s.info == nil && o.info == nil && s.failed == o.failed
	}
	return s.target == o.target &&
		s.info.Size() == o.info.Size() &&
		s.info.ModTime().Equal(o.info.ModTime()) &&
		s.info.Mode() == o.info.Mode() &&
		os.SameFile(s.info, o.info)
}
