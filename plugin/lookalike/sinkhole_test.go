package lookalike

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// greeter is a host that greets every client with the same words.
type greeter struct {
	ln   net.Listener
	done chan struct{}
}

func greet(t *testing.T, address, words string) *greeter {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	g := &greeter{ln, make(chan struct{})}
	go func() {
		defer close(g.done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, words)
			conn.Close()
		}
	}()
	t.Cleanup(g.close)
	return g
}

func (g *greeter) close() { g.ln.Close(); <-g.done }

// answerOf says what is done with a query for army.ml.
func answerOf(l *Lookalike) string {
	d, ok := Decide(l.policies, "army.ml.")
	if !ok {
		return "nothing"
	}
	words := []string{d.Action.String()}
	for _, a := range d.Action.addresses {
		words = append(words, a.String())
	}
	return strings.Join(words, " ")
}

// loopback makes 192.0.2.x be 127.0.0.x: a Corefile with a sinkhole on loopback
// is refused.
func loopback(l *Lookalike) {
	r := l.policies[0].responders
	for _, host := range r.hosts {
		a := host.address.As4()
		host.address = netip.AddrFrom4([4]byte{127, 0, 0, a[3]})
	}
}

func TestSinkholeStaysDownOverAReload(t *testing.T) {
	t.Cleanup(lastKnown.Clear)
	const corefile = "lookalike {\n protect army.mil\n action sinkhole 192.0.2.25\n}"
	next := func() *Lookalike {
		policies, err := parsed(t, corefile)
		if err != nil {
			t.Fatal(err)
		}
		return &Lookalike{policies: policies}
	}
	host := func(l *Lookalike) *responder {
		return l.policies[0].responders.hosts[netip.MustParseAddr("192.0.2.25")]
	}
	gauge := sinkholeUp.WithLabelValues("192.0.2.25")

	before := next()
	for range checksToDown {
		host(before).note(io.EOF)
	}
	after := next()
	host(after).show()
	if got := answerOf(after); got != "nxdomain" || testutil.ToFloat64(gauge) != 0 {
		t.Errorf("After a reload: %s, up is %v", got, testutil.ToFloat64(gauge))
	}
	host(after).note(nil)
	if got := answerOf(after); got != "sinkhole 192.0.2.25" || testutil.ToFloat64(gauge) != 1 {
		t.Errorf("When it answers again: %s, up is %v", got, testutil.ToFloat64(gauge))
	}
	if got := answerOf(next()); got != "sinkhole 192.0.2.25" {
		t.Errorf("After another reload: %s", got)
	}
}

// TestSinkholeOfNobody holds that the metric of an address is there for as long
// as somebody watches it.
func TestSinkholeOfNobody(t *testing.T) {
	t.Cleanup(lastKnown.Clear)
	shown := func() int { return testutil.CollectAndCount(sinkholeUp) }
	before := shown()
	watching := func() *responders {
		policies, err := parsed(t, "lookalike {\n protect army.mil\n action sinkhole 192.0.2.28\n}")
		if err != nil {
			t.Fatal(err)
		}
		l := &Lookalike{policies: policies}
		loopback(l)
		r := policies[0].responders
		r.start()
		return r
	}
	old := watching()
	next := watching() // as in a reload: before the old one ends
	old.stop()
	old.stop()
	if got := shown() - before; got != 1 {
		t.Errorf("%d addresses shown while one is watched", got)
	}
	next.stop()
	if got := shown() - before; got != 0 {
		t.Errorf("%d addresses shown while none is watched", got)
	}
}

func TestPrivateSinkholes(t *testing.T) {
	policies, err := parsed(t, "lookalike {\n action high sinkhole 10.0.0.25 198.51.100.25 unchecked\n action low sinkhole fd00::25\n}\nlookalike")
	if err != nil {
		t.Fatal(err)
	}
	if got := policies[0].privateSinkholes(); !slices.Equal(got, []netip.Addr{netip.MustParseAddr("10.0.0.25"), netip.MustParseAddr("fd00::25")}) {
		t.Errorf("Got %v", got)
	}
	if got := policies[1].privateSinkholes(); len(got) > 0 {
		t.Errorf("Got %v without a sinkhole", got)
	}
}

func TestSinkholeIsDown(t *testing.T) {
	t.Cleanup(lastKnown.Clear)
	first := greet(t, "127.0.0.25:0", "220 ready\r\n")
	_, port, _ := net.SplitHostPort(first.ln.Addr().String())
	second := greet(t, "127.0.0.26:"+port, "220 ready\r\n")

	policies, err := parsed(t, "lookalike {\n protect army.mil\n action sinkhole 192.0.2.25 192.0.2.26\n}")
	if err != nil {
		t.Fatal(err)
	}
	l := &Lookalike{policies: policies}
	loopback(l)
	r := policies[0].responders
	r.port, r.interval = port, 5*time.Millisecond
	r.start()
	t.Cleanup(r.stop)

	is := func(want string) {
		t.Helper()
		wait.Until(t, want, func() bool { return answerOf(l) == want })
	}
	is("sinkhole 192.0.2.25 192.0.2.26")
	first.close()
	is("sinkhole 192.0.2.26")
	second.close()
	is("nxdomain")
	m, _, written := ask(t, l, new(dns.Msg).SetQuestion("mx.army.ml.", dns.TypeA))
	if written != 1 || m.Rcode != dns.RcodeNameError {
		t.Errorf("Got %v, written %d times", m, written)
	}
	greet(t, "127.0.0.25:"+port, "220 ready\r\n")
	is("sinkhole 192.0.2.25")
}

func TestSinkholeThatTurnsClientsAway(t *testing.T) {
	tests := []struct{ name, words string }{
		{"too busy", "421 too busy\r\n"},
		{"no mail here", "554 no mail here\r\n"},
		{"no SMTP", "HTTP/1.1 400 Bad Request\r\n"},
		{"closes at once", ""},
		{"an endless line", strings.Repeat("220", 1000)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			g := greet(t, "127.0.0.1:0", tc.words)
			if err := greets(t.Context(), g.ln.Addr().String()); err == nil {
				t.Error("The check succeeded")
			}
		})
	}
}

func TestUncheckedSinkhole(t *testing.T) {
	policies, err := parsed(t, "lookalike {\n protect army.mil\n action sinkhole 192.0.2.25 unchecked\n}")
	if err != nil {
		t.Fatal(err)
	}
	l := &Lookalike{policies: policies}
	if policies[0].responders != nil {
		t.Error("Its address is checked")
	}
	if got := answerOf(l); got != "sinkhole 192.0.2.25" {
		t.Errorf("Got %q", got)
	}
}
