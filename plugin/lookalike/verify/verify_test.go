package verify

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/plugin/test"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// upstream is an Asker that counts its questions.
type upstream struct {
	lookups int
	rcode   int
	records bool
}

func (u *upstream) ask(_ context.Context, name string, _ uint16) *dns.Msg {
	u.lookups++
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: u.rcode}}
	if u.records {
		m.Answer = []dns.RR{test.MX(name + " 60 IN MX 10 mx." + name)}
	}
	return m
}

// at gives v a clock that the test moves.
func at(t *testing.T, v *Verifier) *time.Time {
	t.Helper()
	clock := time.Unix(1, 0)
	v.now = func() time.Time { return clock }
	t.Cleanup(v.Close)
	return &clock
}

// exists reports what v finds out about one name.
func (v *Verifier) exists(t *testing.T, name string, ask Asker) bool {
	t.Helper()
	return v.Existing(t.Context(), []string{name}, ask) == 0
}

func TestForgets(t *testing.T) {
	v := New(time.Second)
	clock := at(t, v)
	u := &upstream{rcode: dns.RcodeNameError}
	for range 2 {
		if v.exists(t, "a.mil", u.ask) || u.lookups != 1 {
			t.Errorf("Exists, or %d lookups", u.lookups)
		}
	}
	u.rcode, u.records = dns.RcodeSuccess, true
	*clock = clock.Add(keepAbsent)
	if !v.exists(t, "a.mil", u.ask) || u.lookups != 2 {
		t.Errorf("Does not exist, or %d lookups", u.lookups)
	}
	*clock = clock.Add(keepExisting - time.Second)
	if !v.Known("a.mil") {
		t.Error("Forgotten too early")
	}
	*clock = clock.Add(time.Second)
	if v.Known("a.mil") {
		t.Error("Kept for too long")
	}
	for i := range maxResults + 100 {
		*clock = clock.Add(time.Second / lookupsPerSecond)
		v.exists(t, fmt.Sprintf("b%d.mil", i), u.ask)
	}
	if n := v.results.Len(); n > maxResults || n < maxResults/2 {
		t.Errorf("%d results are kept, want %d at most", n, maxResults)
	}
}

// TestStorm asks for random names, as many as an attacker likes.
func TestStorm(t *testing.T) {
	v := New(MaxWait)
	clock := at(t, v)
	u := &upstream{rcode: dns.RcodeNameError}
	const storm = 2000
	for i := range storm {
		v.exists(t, fmt.Sprintf("random%d.mil", i), u.ask)
	}
	if u.lookups != lookupsInBurst {
		t.Errorf("%d lookups at once, want %d", u.lookups, lookupsInBurst)
	}
	*clock = clock.Add(time.Second)
	for i := range storm {
		v.exists(t, fmt.Sprintf("another%d.mil", i), u.ask)
	}
	if u.lookups != lookupsInBurst+lookupsPerSecond {
		t.Errorf("%d lookups after a second, want %d", u.lookups, lookupsInBurst+lookupsPerSecond)
	}
}

// TestSlots has an upstream that does not answer: more names than there are
// slots are not looked up, and Close ends the lookups that are.
func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := New(time.Second)
		asked := make(chan string, 2*lookupsAtOnce)
		silent := func(ctx context.Context, name string, _ uint16) *dns.Msg {
			asked <- name
			<-ctx.Done()
			return nil
		}
		names := make([]string, lookupsAtOnce+10)
		for i := range names {
			names[i] = fmt.Sprintf("n%d.mil", i)
		}
		begin := time.Now()
		if got := v.Existing(t.Context(), names, silent); got != -1 {
			t.Errorf("Name %d exists", got)
		}
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("Waited for %v, want 1s", waited)
		}
		if len(asked) != lookupsAtOnce {
			t.Errorf("%d lookups, want %d", len(asked), lookupsAtOnce)
		}
		v.Close()
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("Close took %v", waited-time.Second)
		}
		if v.Existing(t.Context(), []string{"late.mil"}, silent) != -1 || len(asked) != lookupsAtOnce {
			t.Error("A lookup began after Close")
		}
	})
}

func TestPanicIsCounted(t *testing.T) {
	v := New(time.Second)
	at(t, v)
	before := testutil.ToFloat64(guard.Failures.WithLabelValues("verify"))
	if v.exists(t, "a.mil", func(context.Context, string, uint16) *dns.Msg { panic("in a test") }) {
		t.Error("Exists")
	}
	if got := testutil.ToFloat64(guard.Failures.WithLabelValues("verify")) - before; got != 1 {
		t.Errorf("Got %v failures, want 1", got)
	}
}
