// Package pool shares what must outlive a reload, during which two instances of
// the server live side by side. What both use exists once, and is closed by its
// last user.
package pool

import "sync"

// Pool holds values by key, each with the number of its holders. The zero value
// is empty. It is safe for concurrent use.
type Pool[K comparable, V any] struct {
	mu    sync.Mutex
	items map[K]*item[V]
}

type item[V any] struct {
	value V
	refs  int
}

// Acquire returns the value of key, which open makes if nobody holds it. Each
// Acquire without an error needs one Release. The pool is locked while open
// runs, so open must not use it.
func (p *Pool[K, V]) Acquire(key K, open func() (V, error)) (V, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i, ok := p.items[key]; ok {
		i.refs++
		return i.value, nil
	}
	value, err := open()
	if err != nil {
		return value, err
	}
	if p.items == nil {
		p.items = make(map[K]*item[V])
	}
	p.items[key] = &item[V]{value, 1}
	return value, nil
}

// Release gives up one hold on key. The last one calls closed, where it is not
// nil, and returns its error. The pool is locked meanwhile, so that the next
// Acquire of the key finds closed things closed.
func (p *Pool[K, V]) Release(key K, closed func(V) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.items[key]
	if !ok {
		return nil
	}
	if i.refs--; i.refs > 0 {
		return nil
	}
	delete(p.items, key)
	if closed == nil {
		return nil
	}
	return closed(i.value)
}

// Each calls f for every value, in no order. The pool is locked meanwhile.
func (p *Pool[K, V]) Each(f func(K, V)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, i := range p.items {
		f(key, i.value)
	}
}
