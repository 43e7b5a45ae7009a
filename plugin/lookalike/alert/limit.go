package alert

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// The rate at which groups are announced one by one. What exceeds it is
// rolled up, not dropped.
const (
	announceBurst     = 100
	announcePerSecond = 50 // over all clients
	announcePerClient = 10 // a second
)

// bucket is a token bucket, kept as the theoretical arrival time of the
// generic cell rate algorithm: one number, changed by compare and swap.
type bucket struct{ tat atomic.Int64 }

// open reports whether take would succeed, without taking.
func (b *bucket) open(now int64, interval time.Duration, burst int64) bool {
	return max(b.tat.Load(), now)+int64(interval)-now <= int64(interval)*burst
}

// take takes one token if there is one.
func (b *bucket) take(now int64, interval time.Duration, burst int64) bool {
	for {
		old := b.tat.Load()
		next := max(old, now) + int64(interval)
		if next-now > int64(interval)*burst {
			return false
		}
		if b.tat.CompareAndSwap(old, next) {
			return true
		}
	}
}

// admission says why a group may not be announced on its own.
type admission uint8

const (
	admitted     admission = iota
	clientBusy             // this client has had its share
	everyoneBusy           // all clients together have
)

const limiterShards = 16

// limiter bounds the rate of announcements, for each client and over all.
// It is safe for concurrent use. Clients are remembered only while their
// bucket is not full, and only those that got past the common bucket, so that
// its memory is bounded by that bucket's rate.
type limiter struct {
	global bucket
	shards [limiterShards]struct {
		mu  sync.Mutex
		tat map[netip.Addr]int64
	}
}

const (
	globalInterval = time.Second / announcePerSecond
	clientInterval = time.Second / announcePerClient
)

// admit asks for one announcement for client.
func (l *limiter) admit(client netip.Addr, now int64) admission {
	if !l.global.open(now, globalInterval, announceBurst) {
		return everyoneBusy
	}
	a := client.As16()
	s := &l.shards[(a[15]^a[14]^a[7]^a[6])%limiterShards]
	s.mu.Lock()
	next := max(s.tat[client], now) + int64(clientInterval)
	ok := next-now <= int64(clientInterval)*announceBurst
	if ok {
		if s.tat == nil {
			s.tat = make(map[netip.Addr]int64)
		}
		s.tat[client] = next
	}
	s.mu.Unlock()
	if !ok {
		return clientBusy
	}
	if !l.global.take(now, globalInterval, announceBurst) {
		return everyoneBusy
	}
	return admitted
}

// forget drops the clients whose bucket is full again.
func (l *limiter) forget(now int64) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for client, tat := range s.tat {
			if tat <= now {
				delete(s.tat, client)
			}
		}
		s.mu.Unlock()
	}
}
