package lists

import (
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

const day = 24 * time.Hour

// notice are the times before an exception ends at which somebody is told, the
// last of them the end itself.
var notice = [...]time.Duration{30 * day, 7 * day, day, 0}

// soonEnds is how long before its end an exception ends soon.
var soonEnds = notice[0]

const (
	tickTime = time.Second // between looks at the clock
	saveTime = time.Minute // between looks at whether uses are to be saved
	maxNamed = 4           // exceptions that one message names
)

// keeper looks at the clock while the lists are in use. A timer for the next end
// would miss that the clock is set, and that a host has slept.
type keeper struct {
	once sync.Once
	quit chan struct{} // closed by stop
	done chan struct{} // closed by the goroutine
}

// start begins to look at the clock, until stop.
func (k *keeper) start(l *Lists) {
	if l.Allow.Empty() || k.quit != nil {
		return
	}
	k.quit, k.done = make(chan struct{}), make(chan struct{})
	go k.run(l)
}

func (k *keeper) run(l *Lists) {
	defer close(k.done)
	ticker := time.NewTicker(tickTime)
	defer ticker.Stop()
	last := l.Now()
	saved := last
	for {
		select {
		case <-k.quit:
			return
		case <-ticker.C:
		}
		now := l.Now()
		l.tick(last, now)
		if d := now.Sub(saved); d >= saveTime || d < 0 {
			l.save(now)
			saved = now
		}
		last = now
	}
}

// stop ends what start began, and waits for it.
func (k *keeper) stop() {
	if k.quit == nil {
		return
	}
	k.once.Do(func() { close(k.quit) })
	<-k.done
}

func (l *Lists) save(now time.Time) {
	defer guard.Recover("exceptions")
	if uses := l.uses.Load(); uses != nil {
		uses.Save(now)
	}
}

func (l *Lists) tick(last, now time.Time) {
	defer guard.Recover("exceptions")
	publishEnds()
	for _, warning := range l.news(last, now) {
		log.Warning(warning)
	}
	ending := l.current.Load().allow.Ending()
	if len(between(ending, last, now))+len(between(ending, now, last)) > 0 { // or begins again
		l.subscribers.tell()
	}
}

// news tells of what has come nearer its end, or ended, since the last look. When
// a clock that was set back comes to the time again, it tells of it again.
func (l *Lists) news(last, now time.Time) (warnings []string) {
	ending := l.current.Load().allow.Ending()
	told := make(map[*exception.Entry]bool)
	for i := len(notice) - 1; i >= 0; i-- { // of a clock that jumps, the last notice alone
		var news []*exception.Entry
		for _, e := range between(ending, last.Add(notice[i]), now.Add(notice[i])) {
			if !told[e] {
				news = append(news, e)
				told[e] = true
			}
		}
		if len(news) > 0 {
			warnings = append(warnings, l.tell(news, now))
		}
	}
	return warnings
}

// between returns the entries that end after from, and not after to.
func between(ending []*exception.Entry, from, to time.Time) []*exception.Entry {
	after := func(t time.Time) int {
		return sort.Search(len(ending), func(i int) bool { return ending[i].Until.After(t) })
	}
	a, b := after(from), after(to)
	return ending[a:max(a, b)]
}

// tell says in a line which entries have ended, or will soon; all do one or the
// other. The soonest come first.
func (l *Lists) tell(entries []*exception.Entry, now time.Time) string {
	names := make([]string, 0, maxNamed+1)
	for _, e := range entries[:min(maxNamed, len(entries))] {
		names = append(names, describe(e))
	}
	if more := len(entries) - maxNamed; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	last := entries[len(entries)-1]
	if last.Ended(now) {
		return fmt.Sprintf("%s: exceptions that have ended let nothing pass: %s: remove them, or give them a later until",
			l.Where, text.Join(names, "and"))
	}
	return fmt.Sprintf("%s: exceptions end within %s: %s: give those that are still needed a later until", l.Where, within(last.Until.Sub(now)), text.Join(names, "and"))
}

// describe names an entry, its end, and whom to ask.
func describe(e *exception.Entry) string {
	s := fmt.Sprintf("%s (until %s", e.Name, e.End())
	if e.Owner != "" {
		s += ", owner " + e.Owner
	}
	return s + ", " + e.Where() + ")"
}

// within returns the shortest notice that a time has.
func within(left time.Duration) string {
	days := notice[0]
	for _, n := range notice {
		if n > 0 && left <= n {
			days = n
		}
	}
	if days == day {
		return "a day"
	}
	return fmt.Sprintf("%d days", days/day)
}

// ends says which exceptions have ended, or will soon, and what else is odd about
// them.
func (l *Lists) ends() (doubts []string) {
	now := l.Now()
	set := l.current.Load().allow
	ending := set.Ending()
	if ended := between(ending, time.Time{}, now); len(ended) > 0 {
		doubts = append(doubts, l.tell(ended, now))
	}
	if soon := between(ending, now, now.Add(soonEnds)); len(soon) > 0 {
		doubts = append(doubts, l.tell(soon, now))
	}
	return append(doubts, set.Doubts()...)
}

// countAllowed says how many names are allowed, and how many exceptions end soon.
func (l *Lists) countAllowed(f *inForce) string {
	now := l.Now()
	s := plural(f.allow.Len(), "allowed name", "allowed names")
	if n := len(between(f.allow.Ending(), now, now.Add(soonEnds))); n > 0 {
		s += " (" + plural(n, "exception ends", "exceptions end") + " within " + within(soonEnds) + ")"
	}
	return s
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// shownEnds are the directives whose next end is shown, guarded by running.
var shownEnds = make(map[[2]string]bool)

// publishEnds shows when the next exception of each directive ends. During a
// reload there are two instances of a directive: the sooner end counts.
func publishEnds() {
	running.Lock()
	defer running.Unlock()
	next := make(map[[2]string]float64)
	for l := range running.lists {
		now := l.Now()
		ending := l.current.Load().allow.Ending()
		rest := ending[len(between(ending, time.Time{}, now)):]
		if len(rest) == 0 {
			continue
		}
		key, seconds := [...]string{l.Block, l.Where}, rest[0].Until.Sub(now).Seconds()
		if before, ok := next[key]; !ok || seconds < before {
			next[key] = seconds
		}
	}
	for key, seconds := range next {
		allowExpires.WithLabelValues(key[0], key[1]).Set(seconds)
		shownEnds[key] = true
	}
	for key := range shownEnds {
		if _, ok := next[key]; !ok {
			allowExpires.DeleteLabelValues(key[0], key[1])
			delete(shownEnds, key)
		}
	}
}
