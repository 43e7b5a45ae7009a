package smtpreject

import (
	"fmt"
	"slices"
	"sync"

	"github.com/coredns/caddy"

	"github.com/lookalike-dns/lookalike/plugin/internal/pool"
)

// endpoints are the addresses that this process listens on. A reload hands
// them over: between two instances no connection is dropped and none refused.
var endpoints pool.Pool[string, *endpoint]

// owner stands for one instance of the server: its policies come into force
// and leave together. The server calls its methods one after the other.
type owner struct {
	restarting bool
	held       []*endpoint
}

type ownerKey struct{}

// ownerOf returns the owner of the instance that is being set up, and hangs its
// callbacks into the instance's life when it makes one.
func ownerOf(c *caddy.Controller) *owner {
	if o, ok := c.Get(ownerKey{}).(*owner); ok {
		return o
	}
	o := new(owner)
	c.Set(ownerKey{}, o)
	c.OnRestart(func() error { o.restarting = true; return nil })
	c.OnRestartFailed(func() error { o.restarting = false; leaveUnless((*owner).runs); return nil })
	c.OnShutdown(func() error {
		if o.restarting { // otherwise mail is refused while health is lame
			o.leave()
		}
		return nil
	})
	c.OnFinalShutdown(func() error { o.leave(); return nil })
	return o
}

// serve puts p in force on all its addresses. After an error it may be in force
// on some, until its owner leaves.
func (o *owner) serve(p *policy) error {
	for _, address := range p.addresses {
		if slices.ContainsFunc(o.held, func(e *endpoint) bool { return e.address == address }) {
			return fmt.Errorf("another server block listens on %s for mail: give each an address of its own", address)
		}
		e, err := endpoints.Acquire(address, func() (*endpoint, error) { return listen(address, p) })
		if err != nil {
			return err
		}
		o.held = append(o.held, e)
		e.install(o, p)
	}
	return nil
}

// leave takes the owner's policies out of force, and closes the addresses that
// nobody else serves. It does nothing the second time.
func (o *owner) leave() {
	var wg sync.WaitGroup
	for _, e := range o.held {
		e.remove(o)
		endpoints.Release(e.address, func(*endpoint) error { //nolint:errcheck // it has none
			e.ln.Close() // before the next Acquire can want the address
			wg.Go(e.stop)
			return nil
		})
	}
	o.held = nil
	wg.Wait()
}

// runs reports whether the owner's instance runs. After a failed reload that is
// not always the old one. Caddy also calls a reload failed when the new
// instance has the sockets already, but the OnShutdown of some plugin returns
// an error.
func (o *owner) runs() bool {
	return slices.ContainsFunc(caddy.Instances(), func(i *caddy.Instance) bool {
		i.StorageMu.RLock()
		defer i.StorageMu.RUnlock()
		return i.Storage[ownerKey{}] == o
	})
}

// leaveUnless has all owners leave but those that stay. It finds the owner of a
// reload that has failed, whose own callbacks the server never calls.
func leaveUnless(stays func(*owner) bool) {
	gone := make(map[*owner]bool)
	endpoints.Each(func(_ string, e *endpoint) {
		for _, o := range e.owners() {
			if !stays(o) {
				gone[o] = true
			}
		}
	})
	for o := range gone {
		o.leave()
	}
}

// listening reports whether p is in force on all its addresses.
func listening(p *policy) bool {
	n := 0
	endpoints.Each(func(_ string, e *endpoint) {
		if e.policy.Load() == p {
			n++
		}
	})
	return n == len(p.addresses)
}
