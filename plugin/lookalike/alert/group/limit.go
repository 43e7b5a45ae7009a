package group

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The rate at which groups are announced one by one. What exceeds it is
// rolled up, not dropped.
const (
	AnnounceBurst     = 100
	AnnouncePerSecond = 50 // over all clients
	announcePerClient = 10 // a second
)

// admission says why a group may not be announced on its own.
type admission uint8

const (
	admitted     admission = iota
	clientBusy             // this client has had its share
	everyoneBusy           // all clients together have
)

const limiterShards = 16

// limiter bounds the rate of announcements, for each client and over all.
// It is safe for concurrent use. Clients are remembered only while they have
// used some of their share, and only those that got past the common limit, so
// that its memory is bounded by that limit.
type limiter struct {
	global *rate.Limiter
	shards [limiterShards]struct {
		mu      sync.Mutex
		clients map[netip.Addr]*rate.Limiter
	}
}

func (l *limiter) init() {
	l.global = rate.NewLimiter(AnnouncePerSecond, AnnounceBurst)
	for i := range l.shards {
		l.shards[i].clients = make(map[netip.Addr]*rate.Limiter)
	}
}

// admit asks for one announcement for client.
func (l *limiter) admit(client netip.Addr, now time.Time) admission {
	if l.global.TokensAt(now) < 1 {
		return everyoneBusy
	}
	a := client.As16()
	s := &l.shards[(a[15]^a[14]^a[7]^a[6])%limiterShards]
	s.mu.Lock()
	own := s.clients[client]
	if own == nil {
		own = rate.NewLimiter(announcePerClient, AnnounceBurst)
		s.clients[client] = own
	}
	ok := own.AllowN(now, 1)
	s.mu.Unlock()
	switch {
	case !ok:
		return clientBusy
	case !l.global.AllowN(now, 1):
		return everyoneBusy
	}
	return admitted
}

// forget drops the clients that have all of their share again.
func (l *limiter) forget(now time.Time) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for client, own := range s.clients {
			if own.TokensAt(now) >= AnnounceBurst {
				delete(s.clients, client)
			}
		}
		s.mu.Unlock()
	}
}
