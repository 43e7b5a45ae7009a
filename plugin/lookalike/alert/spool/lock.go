package spool

import "time"

// lock is a mutex for which one need not wait for ever: who holds it may wait for a
// disk that does not answer.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

// Lock takes the lock.
func (l lock) Lock() { l <- struct{}{} }

// Unlock gives the lock back.
func (l lock) Unlock() { <-l }

// within takes the lock, and reports false where that takes longer than d.
func (l lock) within(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case l <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}
