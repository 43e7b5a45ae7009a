package lookalike

import (
	"context"
	"errors"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/lists"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/probe"
)

// stopTimeout bounds the last flush of the alerts. Callbacks run one after the
// other, and with health's lameduck they must fit into the 30 s that
// supervisors grant.
const stopTimeout = 5 * time.Second

// engine owns what the policies of one instance of the server run in the
// background: the watchers of their lists and their hold on the alert
// pipelines. During a reload two engines live side by side.
type engine struct {
	policies   []*Policy
	trim       *time.Timer // gives back what the instance before has left
	restarting bool        // OnRestart has run; the server's callbacks are sequential
}

// live holds the engines that run, with true once all their pipelines are open.
// The engine of a failed reload is found here, since its own OnShutdown is
// never called.
var live = struct {
	sync.Mutex
	engines map[*engine]bool
}{engines: make(map[*engine]bool)}

// anyLive reports whether a server runs already.
func anyLive() bool {
	live.Lock()
	defer live.Unlock()
	return len(live.engines) > 0
}

// trimAfter is the time after which the instance before a reload is sure to
// have ended.
const trimAfter = 10 * time.Second

type engineKey struct{}

// engineOf returns the engine of the instance that is being set up. It makes
// one, and registers its callbacks, where there is none yet.
//
// On SIGTERM OnShutdown runs before health's lameduck, while queries are still
// answered, so an engine stops there only when another instance has taken over.
// An error from OnShutdown would make caddy take that reload for a failed one,
// when the new instance is serving already: it goes to the log instead.
func engineOf(c *caddy.Controller) *engine {
	if e, ok := c.Get(engineKey{}).(*engine); ok {
		return e
	}
	e := &engine{}
	c.Set(engineKey{}, e)
	c.OnStartup(e.start)
	c.OnRestart(func() error {
		e.restarting = true
		return nil
	})
	c.OnRestartFailed(e.restartFailed)
	c.OnShutdown(func() error {
		if e.restarting {
			e.retire()
		}
		return nil
	})
	c.OnFinalShutdown(e.stop)
	return e
}

// restartFailed stops what the new instance has started, unless that is the one
// that serves. Caddy also calls a reload failed when the new instance has the
// sockets already, but the OnShutdown of some plugin of the old one returns an
// error.
func (e *engine) restartFailed() error {
	e.restarting = false
	if !e.serves() {
		e.retire()
		return nil
	}
	err := stopOthers(e)
	e.publish()
	return err
}

// serves reports whether the engine's instance is one of those that run.
func (e *engine) serves() bool { return e.instance() != nil }

// instance returns the instance that the engine belongs to, nil when that does
// not run. Caddy takes an instance out of its list when it closes its sockets.
func (e *engine) instance() *caddy.Instance {
	for _, instance := range caddy.Instances() {
		instance.StorageMu.RLock()
		own := instance.Storage[engineKey{}] == e
		instance.StorageMu.RUnlock()
		if own {
			return instance
		}
	}
	return nil
}

// report logs what each directive does, and the doubts about it.
func (e *engine) report() {
	for _, p := range e.policies {
		log.Info(p.summary())
		for _, doubt := range p.doubts() {
			log.Warning(doubt)
		}
	}
	instance := e.instance()
	if instance == nil {
		return
	}
	input := instance.Caddyfile()
	c, found := survey(input.Path(), input.Body())
	found.warn(c.unguarded(e.policies)...)
	for _, p := range found {
		log.Warning(p.Text)
	}
}

// retire stops the engine after another has taken over.
func (e *engine) retire() {
	if err := e.stop(); err != nil {
		log.Errorf("stopping the previous configuration: %v", err)
	}
}

// start opens the alert pipelines and begins to watch the lists. What was
// started before an error is stopped by the survivor's OnRestartFailed.
func (e *engine) start() error {
	if anyLive() {
		e.trim = time.AfterFunc(trimAfter, debug.FreeOSMemory)
	}
	live.Lock()
	live.engines[e] = false
	live.Unlock()

	lists.Join(listsOf(e.policies)...)
	for _, p := range e.policies {
		pipeline, err := alert.Open(p.alerts)
		if err != nil {
			return plugin.Error(pluginName, err)
		}
		p.pipeline = pipeline
		p.lists.Start()
		p.probe()
	}
	live.Lock()
	live.engines[e] = true
	live.Unlock()
	e.publish()
	e.report()
	return nil
}

// stop ends the watchers and flushes the alerts. It waits for both, and does
// nothing the second time. Detections are counted until the alerts' last flush,
// for all policies alike.
func (e *engine) stop() error {
	live.Lock()
	_, started := live.engines[e]
	delete(live.engines, e)
	live.Unlock()
	if !started {
		return nil
	}
	if e.trim != nil {
		e.trim.Stop()
	}

	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var pipelines []*alert.Pipeline
	var wg sync.WaitGroup
	for _, p := range e.policies {
		wg.Go(p.stop)
		if p.pipeline != nil {
			pipelines = append(pipelines, p.pipeline)
		}
	}
	err := alert.Close(ctx, pipelines...)
	wg.Wait()
	return err
}

// stop ends what runs for the policy, but for its alerts.
func (p *Policy) stop() {
	p.lists.Stop()
	for _, host := range p.probes {
		host.Release()
	}
	if p.verifier != nil {
		p.verifier.Close()
	}
}

// probe begins to watch the sinkholes.
func (p *Policy) probe() {
	p.probes = make(map[netip.Addr]prober)
	for _, address := range p.actions.Checked() {
		p.probes[address] = probe.Acquire(address)
	}
}

// alertsTo returns the pipeline that takes the policy's detections, nil when
// there is none any more: the server stops. After a reload it is one of the
// engine that has taken over. When an engine stops, the sockets of UDP, TCP and
// HTTP are closed and their queries answered. QUIC connections go on, and so
// does a query that has taken longer than the 5 s that the server allows.
func (p *Policy) alertsTo() *alert.Pipeline {
	if !p.pipeline.Closed() {
		return p.pipeline
	}
	live.Lock()
	defer live.Unlock()
	var other *alert.Pipeline
	for e, opened := range live.engines {
		if !opened {
			continue
		}
		for _, successor := range e.policies {
			switch {
			case successor.pipeline.Closed():
			case successor.block == p.block:
				return successor.pipeline
			default:
				other = successor.pipeline
			}
		}
	}
	return other
}

// stopOthers stops every engine but the survivor of a failed reload.
func stopOthers(survivor *engine) error {
	live.Lock()
	var others []*engine
	for e := range live.engines {
		if e != survivor {
			others = append(others, e)
		}
	}
	live.Unlock()

	var err error
	for _, e := range others {
		err = errors.Join(err, e.stop())
	}
	return err
}

// publish shows the policies and their lists as metrics.
func (e *engine) publish() {
	mode.Reset()
	lists.Publish(listsOf(e.policies)...)
	for _, p := range e.policies {
		p.publish()
	}
}
