package spool

import "time"

const (
	// tailLimit is the number of records that are kept in memory while the
	// disk takes none.
	tailLimit = 32768
	// After a failed write, the spool waits 499 times as long as the attempt
	// took (5 s to 1 min), so that at most one query in 500 meets an attempt.
	retryShare = 499
	minRetry   = 5 * time.Second
	maxRetry   = time.Minute
	// patience is how long the disk may take before the log says so, and before a
	// reload with a new destination is refused.
	patience = 5 * time.Second
	// briefly is how long those wait who can do without the spool.
	briefly = 100 * time.Millisecond
)

// health is the state of the disk.
type health struct {
	bad     error     // why the last commit failed
	commits uint64    // that succeeded
	moved   error     // why files are not in their places; nil: they are, for all that is known
	relook  time.Time // when to see next whether they are
	retry   time.Time // when the next commit is due
	told    time.Time // when the log last heard of it
}

// fail notes that the disk took nothing; the log hears of it once a minute.
func (s *Spool) fail(err error) {
	now := time.Now()
	s.bad, s.retry = err, now.Add(minRetry)
	spoolHealthy.WithLabelValues(s.dir).Set(0)
	if now.Sub(s.told) >= time.Minute {
		s.told = now
		log.Errorf("spool %s: write failed, alerts wait in memory: %v", s.dir, err)
	}
}

// heal notes that the disk took everything.
func (s *Spool) heal() {
	if s.bad != nil {
		log.Infof("spool %s: writing again", s.dir)
		s.bad = nil
	}
	s.showHealth()
}

// showHealth sets the gauge.
func (s *Spool) showHealth() {
	healthy := 0.0
	if s.bad == nil && s.moved == nil {
		healthy = 1
	}
	spoolHealthy.WithLabelValues(s.dir).Set(healthy)
}

// watch logs that the disk does not answer, which nobody who waits for it can
// do. The caller calls over, with the lock held, when the disk has answered.
func (s *Spool) watch() (over func()) {
	began, noticed, answered := time.Now(), make(chan struct{}), make(chan struct{})
	timer := time.AfterFunc(patience, func() { // a goroutine, without the lock, for as long as it takes
		spoolHealthy.WithLabelValues(s.dir).Set(0)
		close(noticed)
		log.Errorf("spool %s: no answer from the disk for %v, all alerts wait in memory, even those for files", s.dir, patience)
		<-answered
		log.Infof("spool %s: the disk answered after %v", s.dir, time.Since(began).Round(time.Second))
	})
	return func() {
		if !timer.Stop() {
			<-noticed // else the gauge might be set after this
			s.showHealth()
		}
		close(answered)
	}
}

// resting reports whether the disk is bad, and the next attempt not due yet.
func (s *Spool) resting() bool { return s.bad != nil && time.Now().Before(s.retry) }

// retryAfter returns how long to wait after a failed attempt that took this
// long.
func retryAfter(took time.Duration) time.Duration {
	return min(max(retryShare*took, minRetry), maxRetry)
}

// Look sets the gauges, finds out whether the files are still in their places, and
// puts copies there if not. While the disk does not answer, it does nothing.
func (s *Spool) Look(now time.Time) {
	if !s.mu.within(briefly) {
		return
	}
	defer s.mu.Unlock()
	if !now.Before(s.relook) {
		s.putBack(now)
	}
	size := int64(0)
	if s.disk != nil {
		size = s.disk.Size(s.stored.from)
	}
	spoolRecords.WithLabelValues(s.dir).Set(float64(s.end() - s.stored.from))
	spoolBytes.WithLabelValues(s.dir).Set(float64(size))
	spoolLimit.WithLabelValues(s.dir).Set(float64(s.limit.Load()))
}

// hide removes the gauges.
func (s *Spool) hide() {
	for _, v := range []interface{ DeleteLabelValues(...string) bool }{spoolHealthy, spoolRecords, spoolBytes, spoolLimit} {
		v.DeleteLabelValues(s.dir)
	}
}

// putBack puts files back that were removed. If that fails, the open ones are
// still the best there are. The lock is held.
func (s *Spool) putBack(now time.Time) {
	if s.disk == nil {
		return
	}
	defer s.watch()()
	n, err := s.disk.PutBack()
	if err != nil {
		s.relook = now.Add(time.Minute)
		log.Errorf("spool %s: files were removed or replaced and could not be restored, waiting alerts will be lost when the server stops: %v", s.dir, err)
	} else if n > 0 {
		log.Errorf("spool %s: %d files were removed or replaced under the running server, restored them in full", s.dir, n)
	}
	if was := s.moved; err != nil || was != nil {
		s.moved = err
		s.showHealth()
	}
	if s.disk.Check() {
		log.Errorf("spool %s: the state was truncated or overwritten under the running server, rewriting it", s.dir)
		s.renew()
	}
}
