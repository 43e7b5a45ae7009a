// Package lists holds the names of the lookalike directives: it reads them, puts
// them in force, keeps them current and finds what resembles them.
package lists

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/miekg/dns"
)

// restLimit is how long a reload waits for a list that is being written.
const restLimit = 5 * time.Second

// Config is what a directive says of its names.
type Config struct {
	Where          string   // file and line of the directive, for messages
	Block          string   // the first key of its server block, for metrics
	TLDs           []string // the lookalike TLDs, as detect has them
	Protect, Allow names.Spec
	Reload         time.Duration // between looks at the files; 0: never
	Uses           string        // the directory that keeps the uses of exceptions; empty: none does

	Now func() time.Time // nil: the clock
}

// Lists are the protected and the allowed names of one directive. Those in force
// are swapped whole; they are safe for concurrent use once Load has returned.
type Lists struct {
	Config
	protect, allow list

	peers       *peers
	current     atomic.Pointer[inForce]
	subscribers subscribers

	uses   atomic.Pointer[exception.Uses] // nil unless started
	keeper keeper
}

// inForce are the names that are in force, ready for lookup, and what has lately
// been found with them.
type inForce struct {
	own    *detect.Index // of the protected names
	index  *detect.Index // the same, which spares what the peers protect
	allow  *names.Set
	recent *recent
}

// list is one of the two lists of a directive. Each is read, and taken or kept,
// on its own: a bad line among the exceptions is no reason not to protect a name.
type list struct {
	lists   *Lists
	name    string // as the Corefile and the metrics call it
	compile func(*Lists) (change func(*inForce), err error)
	count   func(*inForce) string // how many names are in force, for people
	size    func(*inForce) int

	watcher *names.Watcher // nil where no file is watched
	stale   atomic.Bool    // the files differ from the list in force
}

// New returns the lists of a directive, which are empty until Load. It notes the
// state of the files, so that a change between now and Start is seen.
func New(c Config) *Lists {
	l := &Lists{Config: c}
	if l.Now == nil {
		l.Now = time.Now
	}
	l.protect = list{lists: l, name: "protect", compile: (*Lists).compileProtect,
		count: func(f *inForce) string { return plural(f.index.Len(), "protected name", "protected names") },
		size:  func(f *inForce) int { return f.index.Len() }}
	l.allow = list{lists: l, name: "allow", compile: (*Lists).compileAllow,
		count: l.countAllowed,
		size:  func(f *inForce) int { return f.allow.Len() }}
	l.protect.watch(c.Protect.Files())
	l.allow.watch(c.Allow.Files())
	l.current.Store(new(inForce))
	Join(l)
	return l
}

func (l *list) watch(files []string) {
	if every := l.lists.Reload; len(files) > 0 && every > 0 {
		l.watcher = names.NewWatcher(files, every, reloading{l})
	}
}

func (l *Lists) both() [2]*list { return [...]*list{&l.protect, &l.allow} }

// Load reads and compiles the lists and puts them in force. In a server that
// runs, which reads its Corefile again, it waits for files that are being written.
// Its errors say where in which file, and what to do.
func (l *Lists) Load() error {
	run := func(f func()) { f() }
	if anyRunning() {
		run = frugally
		l.Protect.Rest(restLimit)
		l.Allow.Rest(restLimit)
	}
	for _, one := range l.both() {
		var change func(*inForce)
		var err error
		run(func() { change, err = one.compile(l) })
		if err != nil {
			return err
		}
		l.swap(change)
	}
	return nil
}

func (l *Lists) compileProtect() (func(*inForce), error) {
	draft, err := l.readProtect()
	if err != nil {
		return nil, err
	}
	if anyRunning() {
		debug.FreeOSMemory() // what the files were read into; the tables are built beside those in force
	}
	index := draft.Finish()
	return func(f *inForce) { f.own = index }, nil
}

func (l *Lists) readProtect() (*detect.Draft, error) {
	protected := names.Default()
	if !l.Protect.Empty() {
		var err error
		if protected, err = l.Protect.Load(); err != nil {
			return nil, err
		}
	}
	draft, err := detect.Begin(detect.Config{Protected: protected, TLDs: l.TLDs})
	if err != nil {
		return nil, l.locate(err)
	}
	return draft, nil
}

func (l *Lists) compileAllow() (func(*inForce), error) {
	set, err := l.Allow.LoadSet(l.Now())
	if err != nil {
		return nil, err
	}
	return func(f *inForce) { f.allow = set }, nil
}

// locate puts before an error about a protected name where that name is given.
func (l *Lists) locate(err error) error {
	where := l.Where
	if entry := (*detect.EntryError)(nil); errors.As(err, &entry) {
		where = cmp.Or(l.Protect.Where(entry.Entry), where)
		err = fmt.Errorf("%w: remove it, or its TLD after %s at %s", err, pluginName, l.Where)
	}
	return fmt.Errorf("%s: %w", where, err)
}

// Index returns the protected names in force. It flags no name that a peer
// protects.
func (l *Lists) Index() *detect.Index { return l.current.Load().index }

// Allowed reports whether an exception lets everybody's queries for qname pass,
// whatever their class.
func (l *Lists) Allowed(qname string) bool {
	_, passes := l.Exception(qname, netip.Addr{}, detect.None)
	return passes
}

// Exception returns the entry of the allow list that lets a query of client for
// qname pass, a lookalike of this class, and counts that as a use. Where none does,
// but one that has ended would have, it returns that, and false.
func (l *Lists) Exception(qname string, client netip.Addr, class detect.Class) (e *exception.Entry, passes bool) {
	set := l.current.Load().allow
	if !set.Contains(qname) {
		return nil, false
	}
	now := l.Now()
	if e, passes = set.Exception(qname, client, class, now); passes {
		e.Mark(l.uses.Load(), now)
	}
	return e, passes
}

// Exceptions says how many names the allow list has, and how many of the
// exceptions end soon. It is empty without any.
func (l *Lists) Exceptions() string {
	f := l.current.Load()
	if f.allow.Len() == 0 {
		return ""
	}
	return l.countAllowed(f)
}

// EachException reads the allow list again, and hands over each of its entries,
// those that have ended, too.
func (l *Lists) EachException(visit func(*exception.Entry)) error {
	return l.Allow.EachException(l.Now(), visit)
}

// ProtectedAt returns where a name, or the name that it lies below, is listed
// for protection: a line of the Corefile or of a file. It is empty where the
// name is not protected. It reads the files again.
func (l *Lists) ProtectedAt(name string) string {
	return above(name, func(name string) string {
		if l.Protect.Empty() && slices.Contains(names.Default(), name) {
			return "the built-in list"
		}
		return l.Protect.Where(name)
	})
}

// AllowedAt returns where a name, or the name that it lies below, is listed as
// an exception, as ProtectedAt does.
func (l *Lists) AllowedAt(name string) string { return above(name, l.Allow.Where) }

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

// Doubts returns what the lists do, but perhaps should not.
func (l *Lists) Doubts() (doubts []string) {
	for _, tld := range l.TLDs {
		if l.Allowed(tld) {
			doubts = append(doubts, fmt.Sprintf("%s: *.%s is on the allow list, so everything below it passes: allow single names", l.Where, tld))
		}
	}
	if n := l.Index().WithoutDoubleTypo(); n > 0 {
		doubts = append(doubts, fmt.Sprintf("%s: two slips (%s) are not looked for in %d of %d protected names: there are too many, or they are longer than 32 letters",
			l.Where, detect.DoubleTypo, n, l.Index().Len()))
	}
	return append(doubts, l.ends()...)
}

// swap puts a list in force in place of the one before.
func (l *Lists) swap(change func(*inForce)) (before, now *inForce) {
	l.peers.Lock()
	defer l.peers.Unlock()
	before = l.current.Load()
	next := *before
	change(&next)
	if next.own != before.own {
		next.index = next.own.Sparing(l.peers.others(l)...)
	}
	next.recent = newRecent()
	l.current.Store(&next)
	l.subscribers.tell()
	if next.own != before.own {
		l.peers.spare(l)
	}
	return before, &next
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
