package smtpreject

import (
	"fmt"
	"slices"
	"sync"

	"github.com/lookalike-dns/lookalike/plugin/internal/lifetime"
	"github.com/lookalike-dns/lookalike/plugin/internal/pool"
)

// endpoints are the addresses that this process listens on. A reload hands
// them over: between two instances no connection is dropped and none refused.
var endpoints pool.Pool[string, *endpoint]

// owners are those of this process's instances.
var owners lifetime.Owners[*owner]

// owner stands for one instance of the server: its policies come into force
// and leave together. The server calls its methods one after the other.
type owner struct{ held []*endpoint }

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

// Leave takes the owner's policies out of force, and closes the addresses that
// nobody else serves. It does nothing the second time.
func (o *owner) Leave() {
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
