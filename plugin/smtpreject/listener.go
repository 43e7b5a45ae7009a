package smtpreject

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	grace   = 3 * time.Second        // for sessions that are under way when an address is given up
	parting = 500 * time.Millisecond // for the last words of a session that is cut short
)

// endpoints are the addresses that this process listens on. A reload hands
// them over: between two instances no connection is dropped and none refused.
var endpoints = pool{byAddress: make(map[string]*endpoint)}

// pool shares endpoints between the instances of a server, of which there are
// two during a reload. It is safe for concurrent use.
type pool struct {
	mu        sync.Mutex
	byAddress map[string]*endpoint
}

// tenure is a policy that an owner has put in force.
type tenure struct {
	owner  *owner
	policy *policy
}

// cure says what to do about an address that cannot be listened on.
func cure(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return ": stop the mail server that listens there, or name another address"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return ": name an address of this host"
	case errors.Is(err, syscall.EACCES):
		return ": ports below 1024 need root or CAP_NET_BIND_SERVICE"
	}
	return ""
}

// acquire puts p in force on all its addresses. After an error it may be in
// force on some; those stay until the owner is released or another is kept.
func (l *pool) acquire(o *owner, p *policy) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, address := range p.addresses {
		e, ok := l.byAddress[address]
		if !ok {
			ln, err := net.Listen("tcp", address)
			if err != nil {
				return fmt.Errorf("cannot listen for mail: %w%s", err, cure(err))
			}
			e = newEndpoint(address, ln)
			l.byAddress[address] = e
		}
		for _, t := range e.tenures {
			if t.owner == o {
				return fmt.Errorf("another server block listens on %s for mail: give each an address of its own", address)
			}
		}
		e.tenures = append(e.tenures, tenure{o, p})
		e.policy.Store(p)
		if !ok {
			e.start()
		}
	}
	return nil
}

// release takes the policies of o out of force, and closes the addresses that
// nobody else serves.
func (l *pool) release(o *owner) { l.filter(func(t tenure) bool { return t.owner != o }) }

// keep takes all policies out of force but those of o.
func (l *pool) keep(o *owner) { l.filter(func(t tenure) bool { return t.owner == o }) }

func (l *pool) filter(stays func(tenure) bool) {
	var wg sync.WaitGroup
	defer wg.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	for address, e := range l.byAddress {
		var left []tenure
		for _, t := range e.tenures {
			if stays(t) {
				left = append(left, t)
			}
		}
		if e.tenures = left; len(left) > 0 {
			e.policy.Store(left[len(left)-1].policy)
			continue
		}
		delete(l.byAddress, address)
		e.ln.Close() // before the next acquire can want the address
		wg.Go(e.stop)
	}
}

// listening reports whether p is in force on all its addresses.
func (l *pool) listening(p *policy) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, address := range p.addresses {
		if e, ok := l.byAddress[address]; !ok || e.policy.Load() != p {
			return false
		}
	}
	return true
}

// endpoint is an address that is listened on. Its goroutines, one that accepts
// and one for each connection, end before stop returns.
type endpoint struct {
	address  string
	ln       net.Listener
	tenures  []tenure               // the last is in force; guarded by the pool
	policy   atomic.Pointer[policy] // in force
	sessions sessions
	running  sync.WaitGroup
}

func newEndpoint(address string, ln net.Listener) *endpoint {
	return &endpoint{address: address, ln: ln, sessions: sessions{byClient: make(map[client]*queue)}}
}

func (e *endpoint) start() { e.running.Go(e.accept) }

// accept takes connections until the listener is closed. When the process is
// out of descriptors it waits for some to become free.
func (e *endpoint) accept() {
	const longest = time.Second
	var pause time.Duration
	for {
		conn, err := e.ln.Accept()
		switch {
		case err == nil:
			pause = 0
			e.admit(conn)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			if pause = min(max(2*pause, 5*time.Millisecond), longest); pause == longest {
				log.Warningf("Cannot accept a connection on %s: %v", e.address, err)
			}
			time.Sleep(pause)
		}
	}
}

// admit serves a connection in a goroutine of its own. It is always served:
// where there are too many, the one that has been open longest gives way.
func (e *endpoint) admit(conn net.Conn) {
	p := e.policy.Load()
	s := newSession(e, p, conn)
	connectionsTotal.WithLabelValues(e.address).Inc()
	if victim := e.sessions.add(s, p.connections); victim != nil {
		victim.evict()
	}
	e.running.Go(func() {
		defer e.sessions.remove(s)
		s.serve()
	})
}

// stop waits for the sessions to end, and ends those that take too long. The
// listener has been closed.
func (e *endpoint) stop() {
	done := make(chan struct{})
	go func() {
		e.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-time.After(grace):
	}
	for _, s := range e.sessions.all() {
		s.interrupt("shutdown")
	}
	<-done // they end within parting, whatever their clients do
}
