package smtpreject

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	grace   = 3 * time.Second        // for sessions that are under way when an address is given up
	parting = 500 * time.Millisecond // for the last words of a session that is cut short
)

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

// endpoint is an address that is listened on. Its goroutines, one that accepts
// and one for each connection, end before stop returns.
type endpoint struct {
	address   string
	ln        net.Listener
	policy    atomic.Pointer[policy] // in force
	sessions  sessions
	envelopes *envelopes
	running   sync.WaitGroup

	mu      sync.Mutex
	tenures []tenure // the last is in force
}

// tenure is a policy that an owner has put in force. During a reload an
// endpoint has two.
type tenure struct {
	owner  *owner
	policy *policy
}

// listen opens an endpoint on which p is in force.
func listen(address string, p *policy) (*endpoint, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for mail: %w%s", err, cure(err))
	}
	e := newEndpoint(address, ln)
	e.policy.Store(p)
	e.running.Go(e.accept)
	return e, nil
}

func newEndpoint(address string, ln net.Listener) *endpoint {
	announce(address)
	return &endpoint{
		address:   address,
		ln:        ln,
		sessions:  sessions{byClient: make(map[client]*queue)},
		envelopes: newEnvelopes(),
	}
}

// install puts a policy in force.
func (e *endpoint) install(o *owner, p *policy) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tenures = append(e.tenures, tenure{o, p})
	e.policy.Store(p)
}

// remove ends the tenure of o. The policy that is left, if there is one, is in
// force again.
func (e *endpoint) remove(o *owner) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tenures = slices.DeleteFunc(e.tenures, func(t tenure) bool { return t.owner == o })
	if n := len(e.tenures); n > 0 {
		e.policy.Store(e.tenures[n-1].policy)
	}
}

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
				log.Warningf("accepting connections on %s failed: %v", e.address, err)
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
