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
	// UsesFile is the name of the file of uses in a spool directory.
	UsesFile = "allow-use.json"
	// MaxUnused is how long Uses remembers the last use of an exception.
	MaxUnused = 730 * day

	maxUses     = 100_000  // most exceptions to record
	maxUsesFile = 32 << 20 // bytes; more than maxUses exceptions need
)

// Uses counts, for each exception, the days on which it let a query pass. Only
// the first use of a day is recorded, so a query costs an atomic read. It is
// safe for concurrent use.
type Uses struct {
	path  string
	dirty atomic.Bool

	mu     sync.Mutex
	loaded bool // names includes the contents of the file
	since  int32
	names  map[string]*Use
	failed bool // the last Save failed, and the log has it
	full   bool // the log has a warning about the limit
}

// Use records when one exception was used. Days count from 1970, in UTC.
type Use struct {
	uses              *Uses
	first, last, days atomic.Int32
}

// open has one Uses per file: directives share a spool, and after a reload the
// new server shares it with the old one.
var open pool.Pool[string, *Uses]

// OpenUses returns the uses in the file of a spool directory. Each call needs
// one Close.
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

// Close saves the uses, and drops them when nobody else has them open. Closing
// a nil Uses does nothing.
func (u *Uses) Close() {
	if u == nil {
		return
	}
	u.Save(time.Now())
	_ = open.Release(u.path, nil)
}

// of returns the use of an exception, or nil if there are too many.
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
		log.Warningf("%s: records the uses of at most %d exceptions, and ignores the rest: remove unused exceptions", u.path, maxUses)
	}
	return use
}

// mark counts a use. If the clock is set back, it does not count a day twice.
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

// Used is the record of one exception in the file.
type Used struct {
	First string `json:"first"` // days, such as 2026-11-26
	Last  string `json:"last"`
	Days  int32  `json:"days"`
}

// usesFile is the format of the file.
type usesFile struct {
	Since string          `json:"since"` // start of the record
	Names map[string]Used `json:"names"`
}

// Record is the contents of a file of uses.
type Record struct {
	Since time.Time // start of the record
	used  map[string]Used
}

// Of returns the record of an exception. The zero value means that it was never
// used.
func (r *Record) Of(name string) Used { return r.used[name] }

// LastUse returns the last day of use, or the zero time if there is none.
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

// load adds the contents of the file. It renames a damaged file. A file that
// cannot be read stays, and load tries again later.
func (u *Uses) load(at time.Time) {
	f, err := readFile(u.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		u.loaded = true
		u.dirty.Store(true) // so that readers see the start of the record
		return
	case errors.Is(err, errDamaged):
		aside := u.path + ".damaged"
		log.Errorf("uses of exceptions lost: %v: starting a new record, old file kept as %s", err, aside)
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

// join adds the record of an exception from a file, unless it is too old.
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
	if known := use.last.Load(); known > last { // used while the file could not be read
		days += use.days.Load()
		last = known
	}
	use.first.Store(first)
	use.last.Store(last)
	use.days.Store(days)
}

// Save writes the file if something has changed. It logs a failure once, and
// tries again the next time.
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
		log.Errorf("saving uses of exceptions failed, retrying: %v", err)
	}
	u.failed = true
}

// write replaces the file.
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

// replace writes a file in one step, so that readers never see half of it.
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
