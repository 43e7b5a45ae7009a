package lookalike

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/miekg/dns"
)

const (
	defaultVerify        = time.Second
	minVerify, maxVerify = 10 * time.Millisecond, 4 * time.Second // mail servers wait for 5 s

	verifyGrace   = time.Second      // for lookups, at the end
	lookupTimeout = 10 * time.Second // of a lookup, which goes on when nobody waits any more

	// An attacker chooses the names. However many he asks for, upstream gets no
	// more lookups than these, and memory holds no more results.
	lookupsAtOnce    = 64
	lookupsPerSecond = 20
	lookupsInBurst   = 100
	maxResults       = 10_000

	keepExisting = time.Hour
	keepAbsent   = 5 * time.Minute
	keepFailure  = 10 * time.Second
)

// verifier finds out whether names exist, by asking the server that it runs in.
// There is one lookup at a time for a name, and results are kept. It owns the
// goroutines of its lookups, which end at stop. It is safe for concurrent use.
type verifier struct {
	wait  time.Duration // that a query is held up
	now   func() time.Time
	begin context.Context // of all lookups; ends with stop
	end   context.CancelFunc

	mu       sync.Mutex
	results  map[string]*result
	lookups  int       // under way
	tokens   float64   // lookups that may begin at once
	refilled time.Time // when tokens were last counted
	running  sync.WaitGroup
}

// result is what is known of a name. Only done may be read before it is closed.
type result struct {
	done   chan struct{}
	exists bool
	err    error
	until  time.Time
}

func (r *result) finished() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// Why a name is not verified. Their texts label the metric.
var (
	errLimited = errors.New("limited")
	errTimeout = errors.New("timeout")
	errFailure = errors.New("failure")
)

func newVerifier(wait time.Duration) *verifier {
	v := &verifier{wait: wait, now: time.Now, results: make(map[string]*result), tokens: lookupsInBurst}
	v.begin, v.end = context.WithCancel(context.Background()) //nolint:gosec // stop calls end
	return v
}

// stop ends the lookups that are under way and waits a moment for them. One
// that does not heed its context ends by itself soon after.
func (v *verifier) stop() {
	v.end()
	done := make(chan struct{})
	go func() {
		v.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(verifyGrace):
	}
}

// asker asks one question and returns the answer, or nil without one.
type asker func(ctx context.Context, name string, qtype uint16) *dns.Msg

// exists reports whether name, in presentation form, has an MX or an address
// record. It waits until ctx ends.
func (v *verifier) exists(ctx context.Context, name string, ask asker) (bool, error) {
	r := v.lookup(name, ask)
	if r == nil {
		return false, errLimited
	}
	select {
	case <-r.done:
		return r.exists, r.err
	default:
	}
	select {
	case <-r.done:
		return r.exists, r.err
	case <-ctx.Done():
	}
	return false, errTimeout
}

// known reports whether name has been found to exist.
func (v *verifier) known(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, ok := v.results[name]
	return ok && r.finished() && r.exists && v.now().Before(r.until)
}

// lookup returns the result for name, which may still be on its way. It begins
// a lookup where there is none; nil where none may begin now.
func (v *verifier) lookup(name string, ask asker) *result {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	if r, ok := v.results[name]; ok && (!r.finished() || now.Before(r.until)) {
		return r
	}
	if v.begin.Err() != nil || v.lookups >= lookupsAtOnce || !v.take(now) || !v.makeRoom(now) {
		return nil
	}
	r := &result{done: make(chan struct{})}
	v.results[name] = r
	v.lookups++
	v.running.Go(func() { v.run(name, r, ask) })
	return r
}

// take takes one of the lookups that may begin by now.
func (v *verifier) take(now time.Time) bool {
	if elapsed := now.Sub(v.refilled).Seconds(); elapsed > 0 {
		v.tokens = min(v.tokens+elapsed*lookupsPerSecond, lookupsInBurst)
		v.refilled = now
	}
	if v.tokens < 1 {
		return false
	}
	v.tokens--
	return true
}

// makeRoom drops a result where there are too many, an outdated one if it comes
// across one soon.
func (v *verifier) makeRoom(now time.Time) bool {
	if len(v.results) < maxResults {
		return true
	}
	const look = 16
	victim, seen := "", 0
	for name, r := range v.results {
		if seen++; seen > look && victim != "" {
			break
		}
		if !r.finished() {
			continue
		}
		victim = name
		if !now.Before(r.until) {
			break
		}
	}
	delete(v.results, victim)
	return victim != ""
}

// run looks name up and publishes what it finds.
func (v *verifier) run(name string, r *result, ask asker) {
	ctx, cancel := context.WithTimeout(v.begin, lookupTimeout)
	defer cancel()
	exists, err := lookUp(ctx, name, ask)
	keep := keepAbsent
	switch {
	case err != nil:
		keep = keepFailure
	case exists:
		keep = keepExisting
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lookups--
	r.exists, r.err, r.until = exists, err, v.now().Add(keep)
	close(r.done)
}

// lookUp asks for the records that mail could follow.
func lookUp(ctx context.Context, name string, ask asker) (exists bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			failuresTotal.WithLabelValues("verify").Inc()
			log.Errorf("Recovered from a failure in the lookup of %s: %v", name, r)
			err = errFailure
		}
	}()
	for _, qtype := range []uint16{dns.TypeMX, dns.TypeA, dns.TypeAAAA} {
		m := ask(ctx, dns.Fqdn(name), qtype)
		switch {
		case ctx.Err() != nil:
			return false, errTimeout
		case m == nil, m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
			return false, errFailure
		case m.Rcode == dns.RcodeNameError:
			return false, nil
		case m.Truncated, slices.ContainsFunc(m.Answer, func(rr dns.RR) bool { return rr.Header().Rrtype == qtype }):
			return true, nil // what is too large for a datagram exists
		}
	}
	return false, nil
}

// verify decides about a name that resembles nothing listed: where a policy
// wants to know, and its counterpart under a protected TLD exists, it is a
// lookalike of that.
func (l *Lookalike) verify(ctx context.Context, w dns.ResponseWriter, q dns.Question) (Decision, bool) {
	for _, p := range l.policies {
		if p.verifier == nil || !p.Index().Watched(q.Name) {
			continue
		}
		if ctx.Value(verifyKey{}) != nil || !p.covers(addrPort(w.RemoteAddr()).Addr()) || p.Allowed(q.Name) {
			continue
		}
		if d, ok := l.verifyUnder(ctx, p, w, q.Name); ok {
			return d, true
		}
	}
	return Decision{}, false
}

// verifyUnder looks for the counterparts of qname that p knows. However many
// there are, it waits no longer than p says.
func (l *Lookalike) verifyUnder(ctx context.Context, p *Policy, w dns.ResponseWriter, qname string) (Decision, bool) {
	ctx, cancel := context.WithTimeout(ctx, p.verifier.wait)
	defer cancel()
	ask := l.asker(ctx, w)
	// All lookups begin before the first is waited for.
	for _, v := range p.Index().Counterparts(qname) {
		p.verifier.lookup(v.Matches[0].Protected, ask)
	}
	return p.verified(qname, func(name string) bool {
		exists, err := p.verifier.exists(ctx, name, ask)
		switch {
		case err != nil:
			verificationsTotal.WithLabelValues(err.Error()).Inc()
		case exists:
			verificationsTotal.WithLabelValues("exists").Inc()
		default:
			verificationsTotal.WithLabelValues("absent").Inc()
		}
		return exists
	})
}

// verified returns the decision about a name whose counterpart exists.
func (p *Policy) verified(qname string, exists func(name string) bool) (Decision, bool) {
	a := p.responders.reachable(p.Action(detect.TLDSwap, detect.High))
	if a.kind == actionOff {
		return Decision{}, false
	}
	for _, v := range p.Index().Counterparts(qname) {
		if exists(v.Matches[0].Protected) {
			return Decision{Policy: p, Verdict: v, Action: a}, true
		}
	}
	return Decision{}, false
}

// verifyKey marks the context of our own lookups, which are not verified.
type verifyKey struct{}

// asker returns what asks the server that the query came to, as the client
// would, or the plugins below this one where there is no server.
func (l *Lookalike) asker(ctx context.Context, w dns.ResponseWriter) asker {
	server, _ := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	local, remote := w.LocalAddr(), w.RemoteAddr()
	return func(ctx context.Context, name string, qtype uint16) *dns.Msg {
		ctx = context.WithValue(ctx, verifyKey{}, true)
		answer := &capture{local: local, remote: remote}
		r := new(dns.Msg).SetQuestion(name, qtype).SetEdns0(dns.DefaultMsgSize, false)
		if server == nil {
			plugin.NextOrFailure(l.Name(), l.Next, ctx, answer, r)
			return answer.msg
		}
		ctx = context.WithValue(ctx, dnsserver.Key{}, server)
		ctx = context.WithValue(ctx, dnsserver.LoopKey{}, 0)
		server.ServeDNS(ctx, answer, r)
		return answer.msg
	}
}

// capture is a dns.ResponseWriter for our own questions.
type capture struct {
	local, remote net.Addr
	msg           *dns.Msg
}

func (c *capture) LocalAddr() net.Addr       { return c.local }
func (c *capture) RemoteAddr() net.Addr      { return c.remote }
func (c *capture) WriteMsg(m *dns.Msg) error { c.msg = m; return nil }
func (c *capture) Close() error              { return nil }
func (c *capture) TsigStatus() error         { return nil }
func (c *capture) TsigTimersOnly(bool)       {}
func (c *capture) Hijack()                   {}
func (c *capture) Write(b []byte) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil {
		return 0, fmt.Errorf("an answer that cannot be read: %w", err)
	}
	c.msg = m
	return len(b), nil
}
