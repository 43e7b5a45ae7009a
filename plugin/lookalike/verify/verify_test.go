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
	if isRandom(name) {
		return &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}}
	}
	u.lookups++
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: u.rcode}}
	if u.records {
		m.Answer = []dns.RR{test.MX(name + " 60 IN MX 10 mx." + name)}
	}
	return m
}

// isRandom reports whether a name was made up to find out about wildcards.
func isRandom(name string) bool { return len(dns.SplitDomainName(name)[0]) == 26 }

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
	i, _ := v.Existing(t.Context(), []string{name}, ask)
	return i == 0
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
		if got, undecided := v.Existing(t.Context(), names, silent); got != -1 || undecided == nil {
			t.Errorf("Name %d exists, undecided: %v", got, undecided)
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
		if i, _ := v.Existing(t.Context(), []string{"late.mil"}, silent); i != -1 || len(asked) != lookupsAtOnce {
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

// TestAnswers has what an upstream may answer about a name, and about one that
// nobody has registered.
func TestAnswers(t *testing.T) {
	mx := []string{"a.mil. 60 IN MX 10 mx.a.mil."}
	tests := []struct {
		name    string
		answer  dns.Msg
		records []string
		random  int // RCODE for a random name; with records where it exists
		exists  bool
		label   string
	}{
		{"exists", dns.Msg{}, mx, dns.RcodeNameError, true, "exists"},
		{"does not exist", dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}}, nil, dns.RcodeNameError, false, "absent"},
		{"has no records", dns.Msg{}, nil, dns.RcodeNameError, false, "absent"},
		{"fails", dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeServerFailure}}, nil, dns.RcodeNameError, false, "failure"},
		{"is cut, and nothing is left", dns.Msg{MsgHdr: dns.MsgHdr{Truncated: true}}, nil, dns.RcodeNameError, false, "failure"},
		{"is cut, and a part is left", dns.Msg{MsgHdr: dns.MsgHdr{Truncated: true}}, mx, dns.RcodeNameError, true, "exists"},
		{"every name exists", dns.Msg{}, mx, dns.RcodeSuccess, false, "wildcard"},
		{"whether every name exists cannot be found out", dns.Msg{}, mx, dns.RcodeServerFailure, false, "failure"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			v := New(time.Second)
			at(t, v)
			for _, rr := range tc.records {
				tc.answer.Answer = append(tc.answer.Answer, test.MX(rr))
			}
			ask := func(_ context.Context, name string, _ uint16) *dns.Msg {
				if !isRandom(name) {
					return &tc.answer
				}
				m := &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: tc.random}}
				if tc.random == dns.RcodeSuccess {
					m.Answer = tc.answer.Answer
				}
				return m
			}
			counted := func() float64 { return testutil.ToFloat64(verificationsTotal.WithLabelValues(tc.label)) }
			before := counted()
			i, undecided := v.Existing(t.Context(), []string{"a.mil"}, ask)
			if (i == 0) != tc.exists || v.Known("a.mil") != tc.exists || counted()-before != 1 {
				t.Errorf("Got %d, known %v, counted %v as %s", i, v.Known("a.mil"), counted()-before, tc.label)
			}
			if want := tc.label == "failure"; (undecided != nil) != want {
				t.Errorf("Undecided: %v, want %v", undecided, want)
			}
		})
	}
}

// TestLate has a lookup end when nobody waits any more.
func TestLate(t *testing.T) {
	for _, tc := range []struct {
		name string
		late *dns.Msg // the answer; nil: none until Close
		want int      // calls
	}{
		{"exists", &dns.Msg{Answer: []dns.RR{test.MX("a.mil. 60 IN MX 10 mx.a.mil.")}}, 1},
		{"does not exist", &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}}, 0},
		{"no answer", nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := New(time.Second)
				ask := func(ctx context.Context, name string, _ uint16) *dns.Msg {
					if isRandom(name) {
						return &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}}
					}
					if tc.late == nil {
						<-ctx.Done()
						return nil
					}
					time.Sleep(3 * time.Second)
					return tc.late
				}
				i, undecided := v.Existing(t.Context(), []string{"a.mil"}, ask)
				if i != -1 || undecided == nil {
					t.Fatalf("Got %d, %v", i, undecided)
				}
				calls := 0
				undecided.Late(func(int) { calls++ })
				time.Sleep(5 * time.Second)
				v.Close()
				synctest.Wait()
				if calls != tc.want {
					t.Errorf("Told %d times, want %d", calls, tc.want)
				}
			})
		})
	}
}

// TestBelow asks plugins for what does not fit into a datagram.
func TestBelow(t *testing.T) {
	var networks []string
	next := test.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		if !IsOwn(ctx) {
			t.Error("The question is not marked")
		}
		m := new(dns.Msg).SetReply(r)
		networks = append(networks, w.RemoteAddr().Network())
		if w.RemoteAddr().Network() == "udp" {
			m.Truncated = true
		} else {
			m.Answer = []dns.RR{test.MX("a.mil. 60 IN MX 10 mx.a.mil.")}
		}
		return dns.RcodeSuccess, w.WriteMsg(m)
	})
	ask := Below(t.Context(), &test.ResponseWriter{}, next)
	m := ask(t.Context(), "a.mil.", dns.TypeMX)
	if m == nil || len(m.Answer) != 1 || m.Truncated {
		t.Errorf("Got %v", m)
	}
	if len(networks) != 2 || networks[0] != "udp" || networks[1] != "tcp" {
		t.Errorf("Asked over %v", networks)
	}
}
