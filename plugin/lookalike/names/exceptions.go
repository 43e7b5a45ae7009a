package names

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
)

// exceptions is what an allow list has besides names. A name that no words follow
// takes no room in it.
type exceptions struct {
	rules *exception.Rules // of the file that is read
	now   time.Time

	worded map[string][]*exception.Entry // by name; with the bare ones of the same name
	each   func(*exception.Entry)        // of each entry; may be nil
}

// take adds an entry to a list. It stands in a line of path, 0 where it has none.
func (x *exceptions) take(l *list, name, words, path string, line int) error {
	if words == "" && x.rules == nil && x.each == nil && x.worded[name] == nil {
		l.offer(name, path, line)
		return nil
	}
	e, err := exception.Parse(name, words)
	if err != nil {
		return err
	}
	e.File, e.Line = path, line
	if line > 0 { // a name in the Corefile belongs to no file
		if err := x.rules.Check(e, x.now); err != nil {
			return err
		}
	}
	known := l.has(name)
	l.offer(name, path, line)
	if x.each != nil {
		x.each(e)
		return nil
	}
	if entries := x.worded[name]; e.Bare() && entries == nil {
		return nil
	} else if known && entries == nil {
		x.add(&exception.Entry{Name: name})
	}
	x.add(e)
	return nil
}

func (x *exceptions) add(e *exception.Entry) {
	if x.worded == nil {
		x.worded = make(map[string][]*exception.Entry)
	}
	x.worded[e.Name] = append(x.worded[e.Name], e)
}

// worded are the names of a set that words follow.
type worded struct {
	entries map[string][]*exception.Entry // by name, in the order of the files; nil: none has words
	ending  []*exception.Entry            // those that end, the soonest first
	doubts  []string
}

// bareEntries are entries without words, made when they are first asked for, so
// that a million of them take no room before.
type bareEntries struct {
	mu      sync.RWMutex
	entries map[string]*exception.Entry
}

func (b *bareEntries) of(name []byte) *exception.Entry {
	b.mu.RLock()
	e := b.entries[string(name)]
	b.mu.RUnlock()
	if e != nil {
		return e
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if e = b.entries[string(name)]; e == nil {
		if b.entries == nil {
			b.entries = make(map[string]*exception.Entry)
		}
		e = &exception.Entry{Name: string(name)}
		b.entries[e.Name] = e
	}
	return e
}

// addWords adds to a set what follows its names.
func (s *Set) addWords(x *exceptions) {
	s.entries = x.worded
	for _, entries := range x.worded {
		for _, e := range entries {
			if !e.Until.IsZero() {
				s.ending = append(s.ending, e)
			}
		}
	}
	slices.SortFunc(s.ending, func(a, b *exception.Entry) int {
		return cmp.Or(a.Until.Compare(b.Until), strings.Compare(a.Name, b.Name))
	})
	s.doubts = s.doubtful()
	for name, entries := range x.worded {
		if !strings.Contains(name, "xn--") {
			continue
		}
		if u, err := idna.Punycode.ToUnicode(name); err == nil {
			s.entries[u] = entries
		}
	}
}

// Exception returns the entry of the set that lets a query pass at a time: one for
// qname, as Contains takes it, or a name that it is below. Client and class are
// those of [exception.Entry.Admits]. Where none does, but one that has ended would
// have, it returns that, and false. It allocates for the first query that a name
// without words lets pass, and else not.
func (s *Set) Exception(qname string, client netip.Addr, class detect.Class, at time.Time) (e *exception.Entry, passes bool) {
	var buf [maxName + 1]byte // and a trailing dot
	name := s.relevant(buf[:0], qname)
	for i := s.next(name, len(name)+1); i >= 0; i = s.next(name, i) {
		entries := s.entries[string(name[i:])]
		if entries == nil {
			return s.bare.of(name[i:]), true
		}
		for _, one := range entries {
			switch {
			case !one.Admits(client, class):
			case !one.Ended(at):
				return one, true
			case e == nil || one.Until.After(e.Until):
				e = one
			}
		}
	}
	return e, false
}

// Ending returns the entries that end or have ended, the soonest first. They are
// not to be changed.
func (s *Set) Ending() []*exception.Entry {
	if s == nil {
		return nil
	}
	return s.ending
}

// maxDoubts is how many doubts of one list are reported in full.
const maxDoubts = 5

// Doubts returns what is odd about the entries: names that are listed twice, and
// those that a name above them lets pass anyway.
func (s *Set) Doubts() []string {
	if s == nil {
		return nil
	}
	return s.doubts
}

func (s *Set) doubtful() (doubts []string) {
	for name, entries := range s.entries {
		for i, e := range entries {
			if doubt := s.doubt(name, entries[:i], e); doubt != "" {
				doubts = append(doubts, doubt)
			}
		}
	}
	slices.Sort(doubts)
	if more := len(doubts) - maxDoubts; more > 0 {
		doubts = append(doubts[:maxDoubts], fmt.Sprintf("and %d more exceptions that others make void", more))
	}
	return doubts
}

// doubt returns what is odd about an entry behind others of the same name.
func (s *Set) doubt(name string, before []*exception.Entry, e *exception.Entry) string {
	for _, first := range before {
		if first.Overlaps(e) {
			where := cmp.Or(e.Where(), "an allow line")
			return fmt.Sprintf("%s: %s is listed at %s, too: either entry lets it pass, so keep one of them", where, name, cmp.Or(first.Where(), "another line"))
		}
	}
	parents := []byte(name)
	for i := s.next(parents, len(parents)+1); i > 0; i = s.next(parents, i) {
		if parent := name[i:]; s.entries[parent] == nil && !e.Bare() {
			return fmt.Sprintf("%s: %s passes anyway, since %s is listed without words: remove one of them", e.Where(), name, parent)
		}
	}
	return ""
}
