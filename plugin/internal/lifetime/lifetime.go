// Package lifetime ends what a plugin runs in the background together with the
// instance of the server that it belongs to. During a reload there are two.
package lifetime

import (
	"slices"
	"sync"

	"github.com/coredns/caddy"
)

// Owners holds, of one plugin, what each instance of the server runs. The zero
// value is empty; it is safe for concurrent use.
type Owners[T interface {
	comparable
	Leave() // ends all, and waits for it; it may be called again
}] struct {
	mu   sync.Mutex
	live map[T]struct{}
}

// Of returns what the instance that is being set up owns. It makes it, and hangs
// its end into the instance's life, where there is none yet.
//
// On SIGTERM, callbacks of OnShutdown run before the lameduck time of health, while
// queries are still answered: there an owner leaves only after another instance has
// taken over. That of a failed reload is never told by the server; the instance
// that goes on has it leave.
func (o *Owners[T]) Of(c *caddy.Controller, make func() T) T {
	if owner, ok := c.Get(o).(T); ok {
		return owner
	}
	owner := make()
	c.Set(o, owner)
	restarting := false // the server's callbacks are sequential
	c.OnStartup(func() error { o.enter(owner); return nil })
	c.OnRestart(func() error { restarting = true; return nil })
	c.OnRestartFailed(func() error { restarting = false; o.leaveUnless(o.runs); return nil })
	c.OnShutdown(func() error {
		if restarting {
			o.leave(owner)
		}
		return nil
	})
	c.OnFinalShutdown(func() error { o.leave(owner); return nil })
	return owner
}

func (o *Owners[T]) enter(owner T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.live == nil {
		o.live = make(map[T]struct{})
	}
	o.live[owner] = struct{}{}
}

func (o *Owners[T]) leave(owner T) {
	o.mu.Lock()
	delete(o.live, owner)
	o.mu.Unlock()
	owner.Leave()
}

// runs reports whether an owner's instance runs. After a failed reload that is not
// always the old one: caddy also calls a reload failed when the new instance has
// the sockets already, but the OnShutdown of some plugin returns an error.
func (o *Owners[T]) runs(owner T) bool {
	return slices.ContainsFunc(caddy.Instances(), func(i *caddy.Instance) bool {
		i.StorageMu.RLock()
		defer i.StorageMu.RUnlock()
		own, ok := i.Storage[o].(T)
		return ok && own == owner
	})
}

// leaveUnless has all owners leave but those that stay.
func (o *Owners[T]) leaveUnless(stays func(T) bool) {
	o.mu.Lock()
	var gone []T
	for owner := range o.live {
		if !stays(owner) {
			gone = append(gone, owner)
		}
	}
	o.mu.Unlock()
	for _, owner := range gone {
		o.leave(owner)
	}
}
