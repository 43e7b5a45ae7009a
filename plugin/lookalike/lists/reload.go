package lists

import (
	"fmt"
	"runtime/debug"
	"sync"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
)

const pluginName = "lookalike"

var log = clog.NewWithPlugin(pluginName)

// running holds the lists that were started and not stopped.
var running = struct {
	sync.Mutex
	lists map[*Lists]bool
}{lists: make(map[*Lists]bool)}

func anyRunning() bool {
	running.Lock()
	defer running.Unlock()
	return len(running.lists) > 0
}

// Start begins to watch the files, until Stop.
func (l *Lists) Start() {
	running.Lock()
	running.lists[l] = true
	running.Unlock()
	if l.Uses != "" && !l.Allow.Empty() {
		l.uses.Store(exception.OpenUses(l.Uses, l.Now()))
	}
	l.keeper.start(l)
	for _, one := range l.both() {
		if one.watcher != nil {
			one.watcher.Start()
		}
	}
}

// Stop ends what Start began, and waits for a read that is under way. It may be
// called without Start, and again.
func (l *Lists) Stop() {
	running.Lock()
	delete(running.lists, l)
	running.Unlock()
	publishCurrent()
	publishEnds()
	for _, one := range l.both() {
		if one.watcher != nil {
			one.watcher.Stop()
		}
	}
	l.keeper.stop()
	l.uses.Swap(nil).Close()
}

// reloading is a list of a server that runs, as its watcher sees it.
type reloading struct{ *list }

// Read implements [names.Source].
func (r reloading) Read() (func(), error) {
	var change func(*inForce)
	var err error
	frugally(func() { change, err = r.compile(r.lists) })
	return func() { r.take(change) }, err
}

// take puts a list in force while the server runs. The list before is garbage
// then, as large as the new one, and given back at once.
func (r reloading) take(change func(*inForce)) {
	l := r.lists
	before, now := l.swap(change)
	r.setStale(false)
	listReloadsTotal.WithLabelValues(l.Block, "success").Inc()
	protectedNames.WithLabelValues(l.Block).Add(float64(now.index.Len() - before.index.Len()))
	allowedNames.WithLabelValues(l.Block).Add(float64(now.allow.Len() - before.allow.Len()))
	withoutDoubleTypo.WithLabelValues(l.Block).Add(float64(now.index.WithoutDoubleTypo() - before.index.WithoutDoubleTypo()))
	publishEnds()
	log.Infof("reloaded lists of %s: %s", l.Where, r.told(before, now))
	for _, doubt := range l.Doubts() {
		log.Warning(doubt)
	}
	debug.FreeOSMemory()
}

// Stale implements [names.Source].
func (r reloading) Stale() { r.setStale(true) }

// Failed implements [names.Source].
func (r reloading) Failed(err error) {
	l := r.lists
	listReloadsTotal.WithLabelValues(l.Block, "failure").Inc()
	log.Errorf("reloading lists of %s failed, keeping %s: %v", l.Where, r.count(l.current.Load()), err)
}

// told says how many names are in force, and how many have gone: a list of
// which half is missing is seen by that.
func (l *list) told(before, now *inForce) string {
	said := l.count(now)
	if gone := l.size(before) - l.size(now); gone > 0 {
		said += fmt.Sprintf(", %d fewer than before", gone)
	}
	return said
}

func (l *list) setStale(stale bool) {
	l.stale.Store(stale)
	publishCurrent()
}
