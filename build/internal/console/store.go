package console

import (
	"container/list"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// mostIncidents is how many incidents are kept; each takes about a KiB. The ones
// that changed least recently go first.
const mostIncidents = 200_000

// mostProblems is how many messages of lost alerts are kept.
const mostProblems = 5

// store has the incidents, the one that changed last first. It is safe for
// concurrent use.
type store struct {
	mu       sync.RWMutex
	most     int // incidents that are kept
	changes  uint64
	order    list.List // of *incident
	byID     map[string]*list.Element
	byGroup  map[string]*list.Element // the latest of each group
	activity activity
	problems []problem // the latest last
	dropped  int       // incidents
	current  bool      // the ends of the files have been reached
	changed  chan struct{}
}

// problem is something wrong with the alerts themselves.
type problem struct {
	Time time.Time
	Text string
}

func newStore() *store {
	return &store{
		most: mostIncidents, byID: make(map[string]*list.Element), byGroup: make(map[string]*list.Element),
		activity: make(activity), changed: make(chan struct{}),
	}
}

// Add takes a record.
func (s *store) Add(r *alertlog.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Phase {
	case record.Lost:
		s.problem(problem{r.End, r.Text})
	case record.Test:
	default:
		s.detections(r)
	}
}

func (s *store) detections(r *alertlog.Record) {
	e := s.byGroup[r.Group]
	if e == nil || !e.Value.(*incident).goesOn(r) {
		i := newIncident(r)
		if s.byID[i.id] != nil { // the record of a group that has ended since, once more
			return
		}
		e = s.order.PushFront(i)
		s.byID[i.id], s.byGroup[r.Group] = e, e
		s.trim()
	}
	i := e.Value.(*incident)
	fresh := len(i.Entries) == 0
	if !i.add(r) {
		return
	}
	s.order.MoveToFront(e)
	s.activity.add(r.End, r.Count, r.Action.Blocks(), fresh)
	s.changes++
	i.change = s.changes
	s.wake()
}

// trim drops the incident that changed least recently, where there are too many.
func (s *store) trim() {
	if s.order.Len() <= s.most {
		return
	}
	last := s.order.Back()
	i := s.order.Remove(last).(*incident)
	delete(s.byID, i.id)
	if s.byGroup[i.group] == last {
		delete(s.byGroup, i.group)
	}
	s.dropped++
}

func (s *store) problem(p problem) {
	s.problems = append(s.problems, p)
	s.problems = s.problems[max(0, len(s.problems)-mostProblems):]
	s.wake()
}

// Problem is told of files that cannot be read further, and of lines that are no
// alerts.
func (s *store) Problem(p alertlog.Problem, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problem(problem{now, p.Error()})
}

// Current says that all of the files has been read.
func (s *store) Current() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = true
	s.wake()
}

// wake tells all that wait for a change.
func (s *store) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Changes returns the number of the last change, and what is closed at the next.
func (s *store) Changes() (uint64, <-chan struct{}) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changes, s.changed
}

// view is what Each tells of the incidents that it passed on.
type view struct {
	last  uint64 // the number of the last change
	more  bool   // there are others, that changed before
	count int
}

// Each calls f for the first n incidents that the filter chooses, among those
// whose last change has a number above after and, unless it is 0, below before.
// The incident must not be kept.
func (s *store) Each(f *filter, after, before uint64, n int, each func(*incident)) view {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v := view{last: s.changes}
	for e := s.order.Front(); e != nil; e = e.Next() {
		i := e.Value.(*incident)
		if i.change <= after {
			break
		}
		if before != 0 && i.change >= before || !f.match(i) {
			continue
		}
		if v.count == n {
			v.more = true
			break
		}
		v.count++
		each(i)
	}
	return v
}

// One calls f for the incident, which must not be kept, and reports whether
// there is one.
func (s *store) One(id string, f func(*incident)) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.byID[id]
	if e == nil {
		return false
	}
	f(e.Value.(*incident))
	return true
}
