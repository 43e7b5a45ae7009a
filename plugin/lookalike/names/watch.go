package names

import (
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Watcher calls a function when a file has changed. It polls, because lists
// come by ways that notification misses: network file systems, bind mounts,
// the symbolic links of a Kubernetes ConfigMap.
//
// A file has changed when its modification time or size has, when a rename put
// another file in its place, when a symbolic link on its way points elsewhere,
// when it cannot be found any more, and when it is back. A second write of the
// same length within the clock tick of the first (some milliseconds, a second
// or two on old file systems) is not seen.
type Watcher struct {
	files  []string
	every  time.Duration
	reload func() error
	last   []stamp // owned by the goroutine once it runs

	mu       sync.Mutex
	err      error
	started  bool
	stopped  bool
	quit     chan struct{} // closed by Stop
	finished chan struct{} // closed by the goroutine
}

// NewWatcher returns a Watcher that has looked at files, and will look again
// every time after Start. Make it before the files are loaded for the first
// time: what changes between the two is then noticed.
//
// reload is called from one goroutine, once for each change. It says itself
// what went wrong; after a failure it is called again when a file changes
// again, not at each poll.
func NewWatcher(files []string, every time.Duration, reload func() error) *Watcher {
	w := &Watcher{
		files:    files,
		every:    every,
		reload:   reload,
		quit:     make(chan struct{}),
		finished: make(chan struct{}),
	}
	w.last = w.look()
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

// Stop ends the polling and waits for a reload that is under way. It may be
// called at any time, also several times and from several goroutines, but not
// from within reload.
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

// Err returns what the last reload returned; nil before the first.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *Watcher) run() {
	defer close(w.finished)
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-tick.C:
		}
		select {
		case <-w.quit: // both were ready
			return
		default:
			w.poll()
		}
	}
}

// poll reloads where a file changed. The files are looked at before they are
// read: what changes meanwhile is seen by the next poll.
func (w *Watcher) poll() {
	now := w.look()
	same := true
	for i := range now {
		same = same && now[i].equal(w.last[i])
	}
	if same {
		return
	}
	w.last = now
	err := w.reload()
	w.mu.Lock()
	w.err = err
	w.mu.Unlock()
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
