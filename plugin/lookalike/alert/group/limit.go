package group

import (
	"sync"
	"sync/atomic"
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
	global bucket
	shards [limiterShards]struct {
		mu      sync.Mutex
		clients map[uint64]*bucket // by hash
	}
}

func (l *limiter) init() {
	l.global.init(AnnouncePerSecond)
	for i := range l.shards {
		l.shards[i].clients = make(map[uint64]*bucket)
	}
}

// admit asks for one announcement for the client with this hash.
func (l *limiter) admit(client uint64, now time.Time) admission {
	if !l.global.has(now) {
		return everyoneBusy
	}
	s := &l.shards[client%limiterShards]
	s.mu.Lock()
	own := s.clients[client]
	if own == nil {
		own = new(bucket)
		own.init(announcePerClient)
		s.clients[client] = own
	}
	ok := own.take(now)
	s.mu.Unlock()
	switch {
	case !ok:
		return clientBusy
	case !l.global.take(now):
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
			if own.rate.TokensAt(now) >= AnnounceBurst {
				delete(s.clients, client)
			}
		}
		s.mu.Unlock()
	}
}

// bucket is a rate limiter that answers most questions from what it knew before.
// It is safe for concurrent use.
type bucket struct {
	rate  *rate.Limiter
	known atomic.Int64              // tokens that are there at least, but for those just taken
	empty atomic.Pointer[time.Time] // there is no token before this
}

func (b *bucket) init(perSecond rate.Limit) {
	b.rate = rate.NewLimiter(perSecond, AnnounceBurst)
	b.empty.Store(new(time.Time))
}

// has reports whether there is a token. Another may take it first.
func (b *bucket) has(now time.Time) bool {
	if b.known.Load() > 0 {
		return true
	}
	if now.Before(*b.empty.Load()) {
		return false
	}
	tokens := b.rate.TokensAt(now)
	if tokens < 1 {
		next := now.Add(time.Duration((1 - tokens) / float64(b.rate.Limit()) * float64(time.Second)))
		b.empty.Store(&next)
		return false
	}
	b.known.Store(int64(tokens))
	return true
}

// take takes a token.
func (b *bucket) take(now time.Time) bool {
	if !b.has(now) {
		return false
	}
	ok := b.rate.AllowN(now, 1)
	if b.known.Add(-1); !ok {
		b.known.Store(0)
	}
	return ok
}
