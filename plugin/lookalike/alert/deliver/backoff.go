package deliver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// phase says how much time a runner has.
type phase uint8

const (
	running phase = iota
	ending        // none for long pauses
)

// failure is why a batch was not taken, as far as pauses depend on it.
type failure uint8

const (
	unavailable failure = iota
	later               // the receiver named a time
	denied              // the credentials are wrong: trying again soon locks accounts
)

func failureOf(err error) failure {
	switch {
	case errors.As(err, new(*sink.Denied)):
		return denied
	case errors.As(err, new(*sink.Later)):
		return later
	}
	return unavailable
}

const (
	firstBackoff = 500 * time.Millisecond
	mostRefusals = 3 // in a row that are the records' fault
)

// longestPause bounds the time between two attempts.
var longestPause = [...][3]time.Duration{
	running: {unavailable: time.Minute, later: time.Hour, denied: 5 * time.Minute},
	ending:  {unavailable: 250 * time.Millisecond, later: 250 * time.Millisecond, denied: 250 * time.Millisecond},
}

// backoff counts the failed attempts of a sink.
type backoff struct {
	attempts int
	refusals int // in a row
	since    time.Time
	log      rateLimitedLog
	logged   bool // the log has this one
}

// suspicious counts a refusal, before which the receiver took n records, and
// reports whether there were too many in a row. A receiver that refuses
// everything, such as a proxy with an expired certificate, does not mean the
// records. They must not become dead letters as fast as they come.
func (b *backoff) suspicious(n int) bool {
	if n > 0 {
		b.refusals = 0
	}
	if b.refusals++; b.refusals > mostRefusals {
		return true
	}
	b.attempts = 0 // the receiver answers
	return false
}

// next counts a failed attempt and returns the time to the next one: what the
// receiver asked for, else full jitter over a bound that doubles.
func (b *backoff) next(dest string, p phase, err error) time.Duration {
	now := time.Now()
	if b.since.IsZero() {
		b.since = now
	}
	if more, due := b.log.due(now); due {
		log.Warningf("delivery to %s failed, retrying: %s%s", dest, text.Clean(err.Error()), more)
		b.logged = true
	}
	kind := failureOf(err)
	longest := longestPause[p][kind]
	attempts := b.attempts
	b.attempts++
	switch kind {
	case denied:
		return longest
	case later:
		wait := (*sink.Later)(nil)
		errors.As(err, &wait)
		return min(max(wait.After, firstBackoff), longest)
	}
	bound := firstBackoff << min(attempts, 16)
	return rand.N(min(bound, longest)) + time.Millisecond //nolint:gosec // jitter is no secret
}

// reset ends the backoff. The log has the recovery only if it has the failure.
func (b *backoff) reset(dest string) {
	if b.logged {
		log.Infof("delivery to %s recovered after %v", dest, time.Since(b.since).Round(time.Second))
	}
	*b = backoff{log: b.log}
	sinkUp.WithLabelValues(dest).Set(1)
}

// rateLimitedLog lets one message a minute into the log.
type rateLimitedLog struct {
	last time.Time
	held int
}

// due reports whether a message may go into the log now. If so, more says how
// many were held back before it.
func (l *rateLimitedLog) due(now time.Time) (more string, ok bool) {
	if now.Sub(l.last) < time.Minute {
		l.held++
		return "", false
	}
	if l.held > 0 {
		more = fmt.Sprintf(" (and %d times since the last such message)", l.held)
	}
	l.last, l.held = now, 0
	return more, true
}
