package smtpreject

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How many envelopes go into alerts. What exceeds this is refused like all
// other mail, and only counted: whoever can connect chooses what an envelope
// says, and must not fill disks with it.
const (
	clientBurst     = 100
	clientPerSecond = 1
	totalBurst      = 1000
	totalPerSecond  = 20
)

// envelopes limits the envelopes that an endpoint reports, for each client and
// over all. It is safe for concurrent use. A client is remembered until its
// share is whole again, and only where the common limit had room, so that the
// common limit bounds the memory, too.
type envelopes struct {
	mu       sync.Mutex
	total    *rate.Limiter
	byClient map[client]*rate.Limiter
	sweep    int // clients at which those whose share is whole are forgotten
}

func newEnvelopes() *envelopes {
	return &envelopes{total: rate.NewLimiter(totalPerSecond, totalBurst), byClient: make(map[client]*rate.Limiter), sweep: minSweep}
}

const minSweep = 1024

// allow reports whether an envelope of c may go into an alert now.
func (l *envelopes) allow(c client, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	share, known := l.byClient[c]
	if known && share.TokensAt(now) < 1 || !l.total.AllowN(now, 1) {
		return false
	}
	if !known {
		l.forget(now)
		share = rate.NewLimiter(clientPerSecond, clientBurst)
		l.byClient[c] = share
	}
	return share.AllowN(now, 1)
}

// forget makes room where there are many clients.
func (l *envelopes) forget(now time.Time) {
	if len(l.byClient) < l.sweep {
		return
	}
	for c, share := range l.byClient {
		if share.TokensAt(now) >= clientBurst {
			delete(l.byClient, c)
		}
	}
	l.sweep = max(2*len(l.byClient), minSweep)
}
