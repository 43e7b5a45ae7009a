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

// stopTimeout limits the last flush of the alerts. Callbacks run one after the
// other. Together with health's lameduck they must fit into the 30 s that
// supervisors usually grant.
const stopTimeout = 5 * time.Second

// engine owns the background work of the policies of one server instance: the
// watchers of their lists and their references to alert pipelines. During a reload
// two engines run side by side.
type engine struct {
	policies   []*Policy
	trim       *time.Timer // returns the memory of the previous instance to the system
	restarting bool        // OnRestart has run; the server's callbacks are sequential
}

// live holds the running engines. The value is true once all pipelines of the
// engine are open. A failed reload needs live to find its engine, because caddy
// never calls that engine's OnShutdown.
var live = struct {
	sync.Mutex
	engines map[*engine]bool
}{engines: make(map[*engine]bool)}

// anyLive reports whether an engine is already running.
func anyLive() bool {
	live.Lock()
	defer live.Unlock()
	return len(live.engines) > 0
}

// trimAfter is the time by which the instance before a reload has certainly
// ended.
const trimAfter = 10 * time.Second

type engineKey struct{}

// engineOf returns the engine of the instance that c sets up. If there is none, it
// makes one and registers its callbacks.
//
// On SIGTERM, OnShutdown runs before health's lameduck, while queries are still
// answered. So an engine stops there only when another instance has taken over.
// OnShutdown logs its error and returns none: caddy would call the reload failed,
// although the new instance is already serving.
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

// restartFailed retires the engine of the old or the new instance, whichever does
// not serve. Caddy also calls a reload failed when the new instance already has the
// sockets, but the OnShutdown of some plugin in the old one returned an error.
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

// serves reports whether the engine's instance is running.
func (e *engine) serves() bool { return e.instance() != nil }

// instance returns the instance that the engine belongs to, or nil if that is not
// running. Caddy removes an instance from its list when it closes its sockets.
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

// report logs a summary of each directive, and warnings about it.
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

// retire stops the engine after another has taken over, or after a Corefile without
// the directive has. In that case its metrics must not claim to be in force.
func (e *engine) retire() {
	if err := e.stop(); err != nil {
		log.Errorf("stopping the previous configuration: %v", err)
	}
	if !anyLive() {
		(&engine{}).publish()
		log.Warning("the new Corefile has no lookalike directive: nothing is detected any more")
	}
}

// start opens the alert pipelines and begins to watch the lists. After an error,
// OnRestartFailed of the surviving instance stops everything started so far.
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

// stop ends the watchers and flushes the alerts. It waits for both. A second call
// does nothing. Detections of all policies are counted until the last flush.
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

// stop ends all background work of the policy except its alerts.
func (p *Policy) stop() {
	p.lists.Stop()
	for _, host := range p.probes {
		host.Release()
	}
	if p.verifier != nil {
		p.verifier.Close()
	}
}

// probe starts the probes of the sinkholes.
func (p *Policy) probe() {
	p.probes = make(map[netip.Addr]prober)
	for _, address := range p.actions.Checked() {
		p.probes[address] = probe.Acquire(address)
	}
}

// alertsTo returns the pipeline for the policy's detections, or nil if the server
// is stopping and no pipeline is open. After a reload it returns a pipeline of the
// new engine. Queries may still arrive then: when an engine stops, the UDP, TCP and
// HTTP sockets are closed and their queries answered, but QUIC connections continue,
// as do queries that take longer than the 5 s that the server allows.
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

// stopOthers stops every engine except survivor, after a failed reload.
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

// publish sets the metrics of the policies and their lists.
func (e *engine) publish() {
	mode.Reset()
	lists.Publish(listsOf(e.policies)...)
	for _, p := range e.policies {
		p.publish()
	}
}
