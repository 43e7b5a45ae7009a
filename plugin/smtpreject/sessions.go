package smtpreject

import (
	"container/list"
	"net/netip"
	"sync"
)

// client is who a connection is counted for: an IPv4 address, or the /64 of an
// IPv6 address, which is the least that one host or site is given.
type client netip.Prefix

func clientOf(a netip.Addr) client {
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits)
	return client(p)
}

// queue holds the sessions of one client, the oldest first.
type queue struct{ list.List }

// sessions are the open sessions of an endpoint, never more than the limit. It
// is safe for concurrent use.
type sessions struct {
	mu       sync.Mutex
	byClient map[client]*queue
	count    int
}

// add registers s. Beyond limit sessions, or half of the limit for one client,
// it takes one out and returns it: the oldest of that client, or else of the
// client that has most. A session that refuses mail lasts milliseconds, so the
// oldest is a slow one; and who opens many connections crowds out nobody but
// himself.
func (t *sessions) add(s *session, limit int) (victim *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.byClient[s.client]
	switch {
	case q != nil && q.Len() >= (limit+1)/2:
		victim = t.takeOldest(q)
	case t.count >= limit:
		victim = t.takeOldest(t.longest())
	}
	if q = t.byClient[s.client]; q == nil {
		q = new(queue)
		t.byClient[s.client] = q
	}
	s.element = q.PushBack(s)
	t.count++
	return victim
}

// remove forgets s, which may have been taken out already.
func (t *sessions) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.element != nil {
		t.take(s)
	}
}

// all returns the open sessions.
func (t *sessions) all() []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	open := make([]*session, 0, t.count)
	for _, q := range t.byClient {
		for e := q.Front(); e != nil; e = e.Next() {
			open = append(open, e.Value.(*session))
		}
	}
	return open
}

func (t *sessions) longest() (longest *queue) {
	for _, q := range t.byClient {
		if longest == nil || q.Len() > longest.Len() {
			longest = q
		}
	}
	return longest
}

func (t *sessions) takeOldest(q *queue) *session {
	s := q.Front().Value.(*session)
	t.take(s)
	return s
}

func (t *sessions) take(s *session) {
	q := t.byClient[s.client]
	q.Remove(s.element)
	s.element = nil
	t.count--
	if q.Len() == 0 {
		delete(t.byClient, s.client)
	}
}
