package rpz

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/transfer"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/internal/lifetime"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/rpz/zone"
)

// served is one rpz directive and the machinery that keeps its zone up to date.
// Its fields do not change while it runs.
type served struct {
	where   string // file and line of the directive, for messages
	origin  string // the zone, in lower case with a trailing dot
	options zone.Options

	key      string // of its history
	policies []*lookalike.Policy
	compiler *zone.Compiler
	notify   func(zone string) error
	history  *history
	changed  chan struct{} // a list has changed
	news     chan struct{} // the zone has changed
	stop     context.CancelFunc
	done     chan struct{} // closed after all goroutines have ended
}

// version returns the version being served, nil until the first compilation.
func (s *served) version() *version {
	if s.history == nil {
		return nil
	}
	return s.history.version()
}

// owner holds the zones of one instance of the server.
type owner struct{ zones []*served }

var owners lifetime.Owners[*owner]

// leaveTime bounds the wait for the end of a zone: a secondary that does not
// answer can hold up a NOTIFY.
const leaveTime = 3 * time.Second

// Leave stops the zones.
func (o *owner) Leave() {
	for _, s := range o.zones {
		s.stop()
	}
	limit := time.After(leaveTime)
	for _, s := range o.zones {
		select {
		case <-s.done:
		case <-limit:
			log.Warningf("%s: a secondary is slow to answer a NOTIFY: not waiting for it", s.where)
		}
		histories.Release(s.key, nil) //nolint:errcheck // nothing is closed
		hide(s.origin)
	}
	o.zones = nil
}

var (
	errNoLookalike = errors.New("no lookalike directive in this server block: add one to choose the names to block")
	errNoTransfer  = errors.New("no transfer directive in this server block to serve the zone: add 'transfer ZONE', with 'to ADDRESS' for each resolver in its block")
)

// start begins to compile the zone, now and after each change of a list, once
// the plugins of its server block exist.
func (s *served) start(o *owner, config *dnsserver.Config) error {
	guarded, ok := config.Handler("lookalike").(interface{ Policies() []*lookalike.Policy })
	if !ok {
		return errNoLookalike
	}
	t, ok := config.Handler("transfer").(*transfer.Transfer)
	if !ok {
		return errNoTransfer
	}
	history, err := histories.Acquire(s.key, func() (*history, error) { return &history{origin: s.origin}, nil })
	if err != nil {
		return err
	}
	s.policies, s.notify, s.history = guarded.Policies(), t.Notify, history
	s.compiler = zone.NewCompiler(s.options)
	s.run()
	o.zones = append(o.zones, s)
	return nil
}

// run starts the goroutines of the zone, which stop ends. One compiles. The
// other notifies the secondaries, because one that does not answer takes
// seconds.
func (s *served) run() {
	s.changed, s.news, s.done = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	ends := make([]func(), len(s.policies))
	for i, p := range s.policies {
		ends[i] = p.Lists().Subscribe(s.changed)
	}
	s.stop = func() {
		for _, end := range ends {
			end()
		}
		cancel()
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		s.compile(ctx)
		each(ctx, s.changed, func() { s.compile(ctx) })
	})
	wg.Go(func() { each(ctx, s.news, s.tell) })
	go func() {
		wg.Wait()
		close(s.done)
	}()
}

// each calls do for each signal until ctx ends.
func each(ctx context.Context, tidings <-chan struct{}, do func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tidings:
			do()
		}
	}
}

// tell sends a NOTIFY to the secondaries.
func (s *served) tell() {
	defer guard.Recover(pluginName)
	if err := s.notify(s.origin); err != nil {
		log.Warningf("%s: %v", s.where, err)
	}
}

// compile builds the zone from the lists in force, and notifies the secondaries
// if it has changed. After a failure, the previous zone stays in force.
func (s *served) compile(ctx context.Context) {
	defer guard.Recover(pluginName)
	begin := time.Now()
	z, err := s.compiler.Compile(ctx, zone.SourcesOf(s.policies))
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		compilesTotal.WithLabelValues(s.origin, "failure").Inc()
		log.Errorf("%s: compiling zone %s failed, %s: %v", s.where, s.origin, s.state(), err)
		return
	}
	v, changed := s.history.publish(z, time.Now())
	s.publish(v)
	if !changed {
		return
	}
	log.Infof("zone %s: %v; serial %d, compiled in %s", s.origin, z, v.serial, time.Since(begin).Round(time.Millisecond))
	for _, doubt := range z.Doubts(s.origin) {
		log.Warningf("%s: zone %s: %s", s.where, s.origin, doubt)
	}
	select {
	case s.news <- struct{}{}:
	default: // a NOTIFY for another version is already pending
	}
}

// state describes the zone in force after a failure.
func (s *served) state() string {
	if v := s.version(); v != nil {
		return fmt.Sprintf("serial %d stays", v.serial)
	}
	return "there is none yet"
}

// publish shows a version as metrics.
func (s *served) publish(v *version) {
	blocked, passing := v.zone.Len()
	namesListed.WithLabelValues(s.origin, "blocked").Set(float64(blocked))
	namesListed.WithLabelValues(s.origin, "exceptions").Set(float64(passing))
	serialServed.WithLabelValues(s.origin).Set(float64(v.serial))
	compilesTotal.WithLabelValues(s.origin, "success").Inc()
}
