package lookalike

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/miekg/dns"
)

// restLimit is how long a reload waits for a list that is being written.
const restLimit = 5 * time.Second

// lists are the names of a policy that are in force, ready for lookup, and what
// has lately been found with them.
type lists struct {
	index  *detect.Index
	allow  *names.Set
	recent *recent
}

// list is one of the two lists of a policy. Each is read, and taken or kept, on
// its own: a bad line among the exceptions is no reason not to protect a name.
type list struct {
	names.Spec
	policy  *Policy
	name    string // as the Corefile and the metrics call it
	compile func(*Policy) (change func(*lists), err error)
	count   func(*lists) string // how many names are in force

	watcher *names.Watcher // nil where no file is watched
	stale   atomic.Bool    // the files differ from the list in force
}

// init makes the lists of a policy, which are empty.
func (p *Policy) init() {
	p.protect = list{policy: p, name: "protect", compile: (*Policy).compileProtect,
		count: func(l *lists) string { return fmt.Sprintf("%d protected names", l.index.Len()) }}
	p.allow = list{policy: p, name: "allow", compile: (*Policy).compileAllow,
		count: func(l *lists) string { return fmt.Sprintf("%d allowed names", l.allow.Len()) }}
	p.allow.Exceptions = true
	p.lists.Store(new(lists))
}

func (p *Policy) both() [2]*list { return [...]*list{&p.protect, &p.allow} }

// load reads and compiles the lists and puts them in force. In a server that
// runs, which reads its Corefile again, it waits for files that are being written.
func (p *Policy) load() error {
	run := func(f func()) { f() }
	if anyLive() {
		run = frugally
		p.protect.Rest(restLimit)
		p.allow.Rest(restLimit)
	}
	for _, l := range p.both() {
		var change func(*lists)
		var err error
		run(func() { change, err = l.compile(p) })
		if err != nil {
			return err
		}
		p.swap(change)
	}
	return nil
}

func (p *Policy) compileProtect() (func(*lists), error) {
	protected := names.Default()
	if !p.protect.Empty() {
		var err error
		if protected, err = p.protect.Load(); err != nil {
			return nil, err
		}
	}
	index, err := detect.New(detect.Config{Protected: protected, TLDs: p.tlds})
	if err != nil {
		return nil, p.locate(err)
	}
	return func(l *lists) { l.index = index }, nil
}

func (p *Policy) compileAllow() (func(*lists), error) {
	allowed, err := p.allow.Load()
	if err != nil {
		return nil, err
	}
	set := names.NewSet(allowed)
	return func(l *lists) { l.allow = set }, nil
}

// locate puts before an error about a protected name where that name is given.
func (p *Policy) locate(err error) error {
	where := p.where
	if entry := (*detect.EntryError)(nil); errors.As(err, &entry) {
		where = cmp.Or(p.protect.Where(entry.Entry), where)
		err = fmt.Errorf("%w: remove it, or its TLD behind %s at %s", err, pluginName, p.where)
	}
	return fmt.Errorf("%s: %w", where, err)
}

// ProtectedAt returns where a name, or the name that it lies below, is listed
// for protection: a line of the Corefile or of a file. It is empty where the
// name is not protected. It reads the files again.
func (p *Policy) ProtectedAt(name string) string {
	return above(name, func(name string) string {
		if p.protect.Empty() && slices.Contains(names.Default(), name) {
			return "the built-in list"
		}
		return p.protect.Where(name)
	})
}

// AllowedAt returns where a name, or the name that it lies below, is listed as
// an exception, as ProtectedAt does.
func (p *Policy) AllowedAt(name string) string { return above(name, p.allow.Where) }

// above returns what where first returns for a name in presentation form or the
// names above it.
func above(name string, where func(string) string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		if at := where(name[off:]); at != "" {
			return at
		}
	}
	return ""
}

// swap puts a list in force in place of the one before.
func (p *Policy) swap(change func(*lists)) (before, now *lists) {
	p.swapping.Lock()
	defer p.swapping.Unlock()
	before = p.lists.Load()
	next := *before
	change(&next)
	next.recent = newRecent()
	p.lists.Store(&next)
	return before, &next
}

// watch notes the state of the policy's files, so that a change between now
// and the first look is seen. It must be called before load.
func (p *Policy) watch() {
	for _, l := range p.both() {
		if files := l.Files(); len(files) > 0 && p.reload > 0 {
			l.watcher = names.NewWatcher(files, p.reload, reloading{l})
		}
	}
}

func (p *Policy) startWatching() {
	for _, l := range p.both() {
		if l.watcher != nil {
			l.watcher.Start()
		}
	}
}

func (p *Policy) stopWatching() {
	for _, l := range p.both() {
		if l.watcher != nil {
			l.watcher.Stop()
		}
	}
}

// reloading is a list of a server that runs, as its watcher sees it.
type reloading struct{ *list }

// Read implements [names.Source].
func (l reloading) Read() (func(), error) {
	var change func(*lists)
	var err error
	frugally(func() { change, err = l.compile(l.policy) })
	return func() { l.take(change) }, err
}

// frugally runs f with frequent garbage collections. The process is at its
// largest while a list is compiled beside the one in force. Collections are
// cheap, since an index holds no pointers. Only one list is compiled at a time,
// which also keeps the peak low.
func frugally(f func()) {
	compiling.Lock()
	defer compiling.Unlock()
	const percent = 5
	defer debug.SetGCPercent(debug.SetGCPercent(percent))
	f()
}

var compiling sync.Mutex

// take puts a list in force while the server runs. The list before is garbage
// then, as large as the new one, and given back at once.
func (l reloading) take(change func(*lists)) {
	p := l.policy
	before, now := p.swap(change)
	l.setStale(false)
	listReloadsTotal.WithLabelValues(p.block, "success").Inc()
	protectedNames.WithLabelValues(p.block).Add(float64(now.index.Len() - before.index.Len()))
	allowedNames.WithLabelValues(p.block).Add(float64(now.allow.Len() - before.allow.Len()))
	withoutDoubleTypo.WithLabelValues(p.block).Add(float64(now.index.WithoutDoubleTypo() - before.index.WithoutDoubleTypo()))
	log.Infof("reloaded lists of %s: %s", p.where, l.count(now))
	p.warn()
	debug.FreeOSMemory()
}

// Stale implements [names.Source].
func (l reloading) Stale() { l.setStale(true) }

// Failed implements [names.Source].
func (l reloading) Failed(err error) {
	listReloadsTotal.WithLabelValues(l.policy.block, "failure").Inc()
	log.Errorf("reloading lists of %s failed, %s stay in force: %v", l.policy.where, l.count(l.policy.lists.Load()), err)
}

func (l *list) setStale(stale bool) {
	l.stale.Store(stale)
	publishCurrent()
}

// publishCurrent shows for each list of a server block whether those of all its
// directives are what their files say.
func publishCurrent() {
	live.Lock()
	defer live.Unlock()
	current := make(map[[2]string]float64)
	for e := range live.engines {
		for _, p := range e.policies {
			for _, l := range p.both() {
				key := [...]string{p.block, l.name}
				if _, seen := current[key]; !seen {
					current[key] = 1
				}
				if l.stale.Load() {
					current[key] = 0
				}
			}
		}
	}
	for key, value := range current {
		listCurrent.WithLabelValues(key[0], key[1]).Set(value)
	}
}

// doubts returns what the directive does, but perhaps should not.
func (p *Policy) doubts() (doubts []string) {
	for _, tld := range p.tlds {
		if p.Allowed(tld) {
			doubts = append(doubts, fmt.Sprintf("%s: *.%s is on the allow list, so everything below it passes: allow single names", p.where, tld))
		}
	}
	if n := p.Index().WithoutDoubleTypo(); n > 0 {
		doubts = append(doubts, fmt.Sprintf("%s: two slips (%s) are not looked for in %d of %d protected names: there are too many, or they are longer than 32 letters",
			p.where, detect.DoubleTypo, n, p.Index().Len()))
	}
	if doubt := p.weakDoubt(); doubt != "" {
		doubts = append(doubts, doubt)
	}
	for _, address := range p.actions.Private() {
		doubts = append(doubts, fmt.Sprintf("%s: sinkhole %s is a private address: Exim as Debian sets it up ignores those, and bounces without the sinkhole's text",
			p.where, address))
	}
	return doubts
}

// warn logs the doubts.
func (p *Policy) warn() {
	for _, doubt := range p.doubts() {
		log.Warning(doubt)
	}
}
