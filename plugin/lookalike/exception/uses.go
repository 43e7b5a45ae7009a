package exception

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/internal/pool"
)

var log = clog.NewWithPlugin("lookalike")

const (
	// UsesFile is the name of the file in a spool directory that has the uses.
	UsesFile = "allow-use.json"
	// MaxUnused is how long the last use of an exception is remembered.
	MaxUnused = 730 * day

	maxUses     = 100_000  // exceptions whose uses are kept
	maxUsesFile = 32 << 20 // bytes; more than maxUses take
)

// Uses says on how many days each exception has let something pass. Only the
// first use of a day is written down, so queries cost an atomic read. It is safe
// for concurrent use.
type Uses struct {
	path  string
	dirty atomic.Bool

	mu     sync.Mutex
	loaded bool // what the file had is in names
	since  int32
	names  map[string]*Use
	failed bool // the last Save, which was told of
	full   bool // which was told of
}

// Use says when one exception was used. Days are counted from 1970, in UTC.
type Use struct {
	uses              *Uses
	first, last, days atomic.Int32
}

// open has one Uses a file: directives share a spool, and a server that is
// reloaded shares it with the one before.
var open pool.Pool[string, *Uses]

// OpenUses returns the uses in the file of a spool directory. It needs one Close.
func OpenUses(dir string, at time.Time) *Uses {
	path := filepath.Join(dir, UsesFile)
	u, _ := open.Acquire(path, func() (*Uses, error) {
		u := &Uses{path: path, since: dayOf(at), names: make(map[string]*Use)}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.load(at)
		return u, nil
	})
	return u
}

// Close saves the uses, and forgets them when nobody else has them open. A nil
// Uses may be closed.
func (u *Uses) Close() {
	if u == nil {
		return
	}
	u.Save(time.Now())
	_ = open.Release(u.path, nil)
}

// of returns the use of an exception, nil where there are too many.
func (u *Uses) of(name string) *Use {
	u.mu.Lock()
	defer u.mu.Unlock()
	use := u.names[name]
	if use == nil && len(u.names) < maxUses {
		use = &Use{uses: u}
		u.names[name] = use
	}
	if use == nil && !u.full {
		u.full = true
		log.Warningf("%s: keeps the uses of %d exceptions, those of others are not recorded: remove unused exceptions", u.path, maxUses)
	}
	return use
}

// mark counts a use. A clock that is set back counts no day again.
func (u *Use) mark(at time.Time) {
	today := dayOf(at)
	last := u.last.Load()
	if last == today || !u.last.CompareAndSwap(last, today) {
		return
	}
	u.first.CompareAndSwap(0, today)
	if today > last {
		u.days.Add(1)
	}
	u.uses.dirty.Store(true)
}

func dayOf(t time.Time) int32 { return int32(t.Unix() / int64(day/time.Second)) } //nolint:gosec // of this time

// dayTime returns the first moment of a day.
func dayTime(n int32) time.Time { return time.Unix(int64(n)*int64(day/time.Second), 0).UTC() }

// Used is what the file says of one exception.
type Used struct {
	First string `json:"first"` // days, such as 2026-11-26
	Last  string `json:"last"`
	Days  int32  `json:"days"`
}

// usesFile is the form of the file.
type usesFile struct {
	Since string          `json:"since"` // from when on uses are recorded
	Names map[string]Used `json:"names"`
}

// Record is what a file of uses says.
type Record struct {
	Since time.Time // from when on uses are recorded
	used  map[string]Used
}

// Of returns what is known of an exception; the zero value: it was never used.
func (r *Record) Of(name string) Used { return r.used[name] }

// LastUse returns the last day of use, the zero time where there is none.
func (u Used) LastUse() time.Time { return parseDay(u.Last) }

// ReadUses reads the file in a spool directory.
func ReadUses(dir string) (*Record, error) {
	f, err := readFile(filepath.Join(dir, UsesFile))
	if err != nil {
		return nil, err
	}
	return &Record{parseDay(f.Since), f.Names}, nil
}

func parseDay(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s) // readFile has checked it
	return t
}

func readFile(path string) (*usesFile, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxUsesFile {
		return nil, fmt.Errorf("%s: larger than %d MiB: %w", path, maxUsesFile>>20, errDamaged)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := new(usesFile)
	if err := json.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, errDamaged, err)
	}
	days := []string{f.Since}
	for _, used := range f.Names {
		days = append(days, used.First, used.Last)
	}
	for _, s := range days {
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", path, errDamaged, err)
		}
	}
	return f, nil
}

var errDamaged = errors.New("not a file of uses")

// load adds what the file has. One that is damaged is set aside; one that cannot
// be read is tried again, and not written over.
func (u *Uses) load(at time.Time) {
	f, err := readFile(u.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		u.loaded = true
		u.dirty.Store(true) // so that others see from when on uses are recorded
		return
	case errors.Is(err, errDamaged):
		aside := u.path + ".damaged"
		log.Errorf("uses of exceptions are lost: %v: recording begins anew, the file is kept as %s", err, aside)
		if u.loaded = os.Rename(u.path, aside) == nil; u.loaded {
			u.dirty.Store(true)
		}
		return
	case err != nil:
		u.fail(err)
		return
	}
	u.loaded = true
	u.since = min(u.since, dayOf(parseDay(f.Since)))
	for name, used := range f.Names {
		u.join(name, used, at)
	}
}

// join adds what a file says of an exception, unless that is too old.
func (u *Uses) join(name string, used Used, at time.Time) {
	if at.Sub(used.LastUse()) > MaxUnused {
		return
	}
	use := u.names[name]
	if use == nil {
		if len(u.names) >= maxUses {
			return
		}
		use = &Use{uses: u}
		u.names[name] = use
	}
	first, last, days := dayOf(parseDay(used.First)), dayOf(used.LastUse()), used.Days
	if known := use.last.Load(); known > last { // used since, while the file could not be read
		days += use.days.Load()
		last = known
	}
	use.first.Store(first)
	use.last.Store(last)
	use.days.Store(days)
}

// Save writes the file where something has changed. It tells of a failure once,
// and tries again the next time.
func (u *Uses) Save(at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.loaded {
		if u.load(at); !u.loaded {
			return
		}
	}
	if !u.dirty.Swap(false) {
		return
	}
	if err := u.write(); err != nil {
		u.dirty.Store(true)
		u.fail(err)
		return
	}
	u.failed = false
}

func (u *Uses) fail(err error) {
	if !u.failed {
		log.Errorf("uses of exceptions are not saved, retrying: %v", err)
	}
	u.failed = true
}

// write puts a new file in the place of the one before.
func (u *Uses) write() error {
	f := usesFile{Since: dayTime(u.since).Format(time.DateOnly), Names: make(map[string]Used, len(u.names))}
	for name, use := range u.names {
		if use.days.Load() > 0 {
			f.Names[name] = Used{dayTime(use.first.Load()).Format(time.DateOnly), dayTime(use.last.Load()).Format(time.DateOnly), use.days.Load()}
		}
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return replace(u.path, append(b, '\n'))
}

// replace writes a file that is never seen half written.
func replace(path string, contents []byte) error {
	fresh := path + ".new"
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(contents)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		_ = os.Remove(fresh)
	}
	return err
}
