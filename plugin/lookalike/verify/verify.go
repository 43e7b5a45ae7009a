// Package verify finds out whether names exist: it asks for the records that
// mail could follow.
package verify

import (
	"context"
	"crypto/rand"
	"errors"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/cache"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// How long a query may wait. Mail servers wait for 5 s.
const (
	DefaultWait      = time.Second
	MinWait, MaxWait = 10 * time.Millisecond, 4 * time.Second
)

const (
	grace         = time.Second      // for lookups, at the end
	lookupTimeout = 10 * time.Second // of a lookup, which goes on when nobody waits any more

	// An attacker chooses the names. However many he asks for, upstream gets no
	// more lookups than these, and memory holds no more results.
	lookupsAtOnce    = 64
	lateAtOnce       = 1024 // queries that have passed, and whose lookups go on
	lookupsPerSecond = 20
	lookupsInBurst   = 100
	maxResults       = 10_000

	keepExisting = time.Hour
	keepAbsent   = 5 * time.Minute
	keepFailure  = 10 * time.Second
)

var log = clog.NewWithPlugin("lookalike")

var verificationsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
	Namespace: plugin.Namespace,
	Subsystem: "lookalike",
	Name:      "verifications_total",
	Help:      "Counter of names whose counterpart was asked for, by result.",
}, []string{"result"})

// Verifier finds out whether names exist. There is one lookup at a time for a
// name, and results are kept. It owns the goroutines of its lookups, which end at
// Close. It is safe for concurrent use.
type Verifier struct {
	wait time.Duration
	now  func() time.Time

	lookups singleflight.Group
	starts  *rate.Limiter
	slots   chan struct{} // one for each lookup under way
	late    chan struct{} // one for each goroutine of Undecided
	results *cache.Cache[result]
	seed    maphash.Seed

	mu      sync.Mutex
	running sync.WaitGroup // grows only before the end, under mu
	ctx     context.Context
	end     context.CancelFunc
}

// result is what is known of a name.
type result struct {
	name   string
	exists bool
	err    error
	until  time.Time
}

// Why a name is not verified. Their texts label the metric.
var (
	errLimited  = errors.New("limited")
	errTimeout  = errors.New("timeout")
	errFailure  = errors.New("failure")
	errWildcard = errors.New("wildcard")
)

func init() { // each result exists from the start, so that the first one shows as an increase
	for _, r := range []result{{}, {exists: true}, {err: errLimited}, {err: errTimeout}, {err: errFailure}, {err: errWildcard}} {
		verificationsTotal.WithLabelValues(r.label())
	}
}

// New returns a Verifier that holds up queries for wait at most.
func New(wait time.Duration) *Verifier {
	v := &Verifier{
		wait:    wait,
		now:     time.Now,
		starts:  rate.NewLimiter(lookupsPerSecond, lookupsInBurst),
		slots:   make(chan struct{}, lookupsAtOnce),
		late:    make(chan struct{}, lateAtOnce),
		results: cache.New[result](maxResults),
		seed:    maphash.MakeSeed(),
	}
	v.ctx, v.end = context.WithCancel(context.Background())
	return v
}

// Close ends the lookups that are under way and waits a moment for them. One
// that does not heed its context ends by itself soon after.
func (v *Verifier) Close() {
	v.mu.Lock()
	v.end()
	v.mu.Unlock()
	done := make(chan struct{})
	go func() {
		v.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(grace):
	}
}

// Known reports whether name, in presentation form without a trailing dot, has
// been found to exist. It does not wait.
func (v *Verifier) Known(name string) bool {
	r, ok := v.known(name)
	return ok && r.exists
}

// Existing returns the place of the first of the names that exists, or -1. It
// looks up all of them at once, and waits no longer than New was told.
// Undecided is nil where none of the names exists, or where existence proves
// nothing.
func (v *Verifier) Existing(ctx context.Context, names []string, ask Asker) (int, *Undecided) {
	ctx, cancel := context.WithTimeout(ctx, v.wait)
	defer cancel()
	lookups := make([]lookup, len(names))
	for i, name := range names {
		lookups[i] = v.lookup(name, ask)
	}
	decided := true
	for i := range lookups {
		r := lookups[i].result(ctx)
		verificationsTotal.WithLabelValues(r.label()).Inc()
		if r.exists {
			return i, nil
		}
		decided = decided && (r.err == nil || errors.Is(r.err, errWildcard))
	}
	if decided {
		return -1, nil
	}
	return -1, &Undecided{v, lookups}
}

// Undecided are the lookups of a query that could not wait for them, and those
// that failed.
type Undecided struct {
	verifier *Verifier
	lookups  []lookup
}

// Late calls found with the place of the first name that turns out to exist, if
// one does. It does so in a goroutine that ends with the lookups, at Close at
// the latest.
func (u *Undecided) Late(found func(i int)) {
	v := u.verifier
	if !slices.ContainsFunc(u.lookups, func(l lookup) bool { return l.pending != nil }) {
		return
	}
	if !v.enter(v.late, true) {
		verificationsTotal.WithLabelValues(errLimited.Error()).Inc()
		return
	}
	go func() {
		defer v.leave(v.late)
		defer guard.Recover("verify")
		for i := range u.lookups {
			if u.lookups[i].result(v.ctx).exists {
				found(i)
				return
			}
		}
	}()
}

// label is what the metric calls the result.
func (r result) label() string {
	switch {
	case r.err != nil:
		return r.err.Error()
	case r.exists:
		return "exists"
	}
	return "absent"
}

// lookup is one that may be under way.
type lookup struct {
	known   result
	pending <-chan singleflight.Result // nil: known is what it has found
}

// result waits until ctx ends. What is there by then counts.
func (l *lookup) result(ctx context.Context) result {
	if l.pending == nil {
		return l.known
	}
	select {
	case r := <-l.pending:
		return l.end(r)
	default:
	}
	select {
	case r := <-l.pending:
		return l.end(r)
	case <-ctx.Done():
		return result{err: errTimeout}
	}
}

func (l *lookup) end(r singleflight.Result) result {
	l.known, l.pending = r.Val.(result), nil
	return l.known
}

// known returns what was found about name and still holds.
func (v *Verifier) known(name string) (result, bool) {
	r, ok := v.results.Get(maphash.String(v.seed, name))
	return r, ok && r.name == name && v.now().Before(r.until)
}

// lookup begins a lookup of name, or joins the one that is under way.
func (v *Verifier) lookup(name string, ask Asker) lookup {
	if r, ok := v.known(name); ok {
		return lookup{known: r}
	}
	return lookup{pending: v.lookups.DoChan(name, func() (any, error) { return v.run(name, ask), nil })}
}

// run looks name up and keeps what it finds.
func (v *Verifier) run(name string, ask Asker) result {
	if r, ok := v.known(name); ok { // another lookup has ended in between
		return r
	}
	if !v.enter(v.slots, v.starts.AllowN(v.now(), 1)) {
		return result{err: errLimited}
	}
	defer v.leave(v.slots)
	ctx, cancel := context.WithTimeout(v.ctx, lookupTimeout)
	defer cancel()
	r := result{name: name}
	if r.exists, r.err = exists(ctx, name, ask); r.exists {
		if r.err = v.wildcard(ctx, parent(name), ask); r.err != nil {
			r.exists = false
		}
	}
	return v.keep(r)
}

// keep remembers a result for a time.
func (v *Verifier) keep(r result) result {
	after := keepAbsent
	switch {
	case r.exists, errors.Is(r.err, errWildcard):
		after = keepExisting
	case r.err != nil:
		after = keepFailure
	}
	r.until = v.now().Add(after)
	v.results.Add(maphash.String(v.seed, r.name), r)
	return r
}

// parent returns what is above a name.
func parent(name string) string {
	next, _ := dns.NextLabel(name, 0)
	return name[next:]
}

// wildcard returns an error where names below suffix exist that nobody can have
// registered, or where that cannot be found out: then nothing can be told from a
// name's existence.
func (v *Verifier) wildcard(ctx context.Context, suffix string, ask Asker) error {
	all := "*." + suffix // stands for them
	if r, ok := v.known(all); ok {
		return r.err
	}
	random := strings.ToLower(rand.Text()) + "." + suffix
	found, err := exists(ctx, random, ask)
	if found {
		err = errWildcard
		log.Warningf("verify cannot work under %s, where every name exists, even %s: lookalikes of unlisted names pass", suffix, random)
	}
	return v.keep(result{name: all, err: err}).err
}

// enter takes a slot, or reports that there is none, or that it is not allowed.
func (v *Verifier) enter(slots chan struct{}, allowed bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !allowed || v.ctx.Err() != nil {
		return false
	}
	select {
	case slots <- struct{}{}:
		v.running.Add(1)
		return true
	default:
		return false
	}
}

func (v *Verifier) leave(slots chan struct{}) {
	<-slots
	v.running.Done()
}

// exists asks for the records that mail could follow.
func exists(ctx context.Context, name string, ask Asker) (found bool, err error) {
	defer func() {
		if guard.Handle("verify", recover()) {
			found, err = false, errFailure
		}
	}()
	for _, qtype := range []uint16{dns.TypeMX, dns.TypeA, dns.TypeAAAA} {
		m := ask(ctx, dns.Fqdn(name), qtype)
		switch {
		case ctx.Err() != nil:
			return false, errTimeout
		case m == nil, m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
			return false, errFailure
		case m.Rcode == dns.RcodeNameError:
			return false, nil
		case slices.ContainsFunc(m.Answer, func(rr dns.RR) bool { return rr.Header().Rrtype == qtype }):
			return true, nil
		case m.Truncated:
			return false, errFailure // over TCP, too
		}
	}
	return false, nil
}
