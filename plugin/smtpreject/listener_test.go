package smtpreject

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

func endpointOf(p *policy) (found *endpoint) {
	endpoints.Each(func(address string, e *endpoint) {
		if address == p.addresses[0] {
			found = e
		}
	})
	return found
}

// open returns how many addresses are listened on.
func open() (n int) {
	endpoints.Each(func(string, *endpoint) { n++ })
	return n
}

// refuses holds one whole conversation with address.
func refuses(t *testing.T, address string) {
	t.Helper()
	c := dial(t, address)
	c.play(greeting + from + "C: RCPT TO:<bob@army.ml>\n" + army + goodbye)
	c.conn.Close()
}

func TestHandOver(t *testing.T) {
	first, oldDetector := newPolicy(t)
	second, newDetector := newPolicy(t)
	before, after := new(owner), new(owner)
	t.Cleanup(func() { before.Leave(); after.Leave() })

	if err := before.serve(first); err != nil {
		t.Fatal(err)
	}
	address := listeners(first)[0]
	c := dial(t, address)
	c.play(greeting + from)

	if err := after.serve(second); err != nil {
		t.Fatal(err)
	}
	if got := listeners(second)[0]; got != address {
		t.Fatalf("The listener moved from %s to %s", address, got)
	}
	refuses(t, address)
	before.Leave()
	if listening(first) || !listening(second) {
		t.Error("The old policy is still in force, or the new one is not")
	}
	refuses(t, address)
	c.play("C: RCPT TO:<bob@army.ml>\n" + army + goodbye) // the connection has lived through the reload
	if o, n := len(oldDetector.refusals()), len(newDetector.refusals()); o != 0 || n != 3 {
		t.Errorf("The old detector saw %d refusals, the new one %d; want 0 and 3", o, n)
	}
}

func TestFailedReloadLeaksNothing(t *testing.T) {
	p, _ := newPolicy(t)
	address := serve(t, p)[0]

	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()

	before := runtime.NumGoroutine()
	for range 20 {
		bad, _ := newPolicy(t)
		bad.addresses = []string{"127.0.0.1:0", "[::1]:0", busy.Addr().String()}
		failed := new(owner)
		if err := failed.serve(bad); err == nil {
			t.Fatal("Listening on an address in use succeeded")
		}
		failed.Leave()
		refuses(t, address)
	}
	if n := open(); n != 1 {
		t.Errorf("%d addresses are open, want 1", n)
	}
	wait.Until(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
}

func TestTwoBlocksWithOneAddress(t *testing.T) {
	p, _ := newPolicy(t)
	serve(t, p)
	mine := endpointOf(p).tenures[0].owner
	if err := mine.serve(p); err == nil || !strings.Contains(err.Error(), "another server block listens on") {
		t.Errorf("Got error %v", err)
	}
}

func TestStopEndsSlowSessions(t *testing.T) {
	p, _ := newPolicy(t)
	o := new(owner)
	if err := o.serve(p); err != nil {
		t.Fatal(err)
	}
	e := endpointOf(p)
	address := listeners(p)[0]
	c := dial(t, address)
	c.play(greeting + from)
	start := time.Now()
	o.Leave()
	if elapsed := time.Since(start); elapsed > grace+10*time.Second {
		t.Errorf("Took %s", elapsed)
	}
	c.play(closing)
	if n := len(e.sessions.all()); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("The address is still open")
	}
}

// TestSlowConnections opens 500 connections that send an octet a second and
// never read, and meanwhile holds conversations that must be answered.
func TestSlowConnections(t *testing.T) {
	for _, limit := range []int{100, defaultConnections} {
		t.Run(fmt.Sprintf("at most %d", limit), func(t *testing.T) { crowd(t, limit) })
	}
}

func crowd(t *testing.T, limit int) {
	t.Helper()
	const slow = 500
	p, _ := newPolicy(t)
	p.connections = limit
	address := serve(t, p)[0]
	e := endpointOf(p)

	quit := make(chan struct{})
	var wg sync.WaitGroup
	defer func() { wait.Done(t, "the crowd to leave", wg.Wait) }()
	defer close(quit)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range slow {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer conn.Close()
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				select {
				case <-quit:
					return
				case <-tick.C:
					if _, err := io.WriteString(conn, "x"); err != nil {
						return
					}
				}
			}
		})
	}
	wait.Until(t, "the crowd to be let in", func() bool { return len(e.sessions.all()) >= (limit+1)/2 })
	for range 100 {
		refuses(t, address)
		if n := len(e.sessions.all()); n > limit {
			t.Fatalf("%d sessions are open, more than %d", n, limit)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d slow connections: %d KiB of heap more", slow, (int64(after.HeapAlloc)-int64(before.HeapAlloc))/1024)
	if most := uint64(16 << 20); after.HeapAlloc > before.HeapAlloc+most {
		t.Errorf("The heap grew by more than %d octets", most)
	}
}

// TestEvictedAtOnce holds that a session which gives way is closed before the
// next one is served, without last words that its client might never read.
func TestEvictedAtOnce(t *testing.T) {
	for _, script := range []string{greeting, greeting + "C: STARTTLS\nS: 220 2.0.0 Go ahead\nTLS"} {
		p, _ := newPolicy(t)
		p.connections = 1
		address := serve(t, p)[0]
		old := dial(t, address)
		old.play(script)
		dial(t, address).play(greeting)
		if line, err := old.in.ReadString('\n'); err == nil {
			t.Errorf("Received %q on a connection that gave way", line)
		}
		if n := len(endpointOf(p).sessions.all()); n != 1 {
			t.Errorf("%d sessions are open, want 1", n)
		}
	}
}

// deadlines counts who sets a deadline for writes alone, as only TLS does.
type deadlines struct {
	net.Conn
	set int
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set++
	return d.Conn.SetWriteDeadline(t)
}

// TestPartingBounded holds that the end of TLS lasts no longer than the session
// may.
func TestPartingBounded(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	theirs.SetDeadline(time.Now().Add(wait.Limit))
	p, _ := newPolicy(t)
	raw := &deadlines{Conn: ours}
	s := newSession(newEndpoint("pipe", nil), p, raw)
	go func() {
		in := bufio.NewReader(theirs)
		fmt.Fprint(theirs, "STARTTLS\r\n")
		in.ReadString('\n')
		tls.Client(theirs, &tls.Config{InsecureSkipVerify: true}).Handshake()
		io.Copy(io.Discard, theirs)
	}()
	if err := s.command(); err != nil || !s.secure {
		t.Fatalf("No TLS: %v", err)
	}
	raw.SetDeadline(time.Unix(1, 0))
	s.drain()
	if raw.set != 0 {
		t.Errorf("TLS has set %d deadlines", raw.set)
	}
}

// TestWhoGivesWay shows which session ends when one more comes.
func TestWhoGivesWay(t *testing.T) {
	tests := []struct {
		name  string
		limit int
		open  string // the clients of the open sessions, the oldest first
		next  string // the client of the new one
		want  int    // index of the session that gives way, or -1
	}{
		{"there is room", 4, "abc", "d", -1},
		{"the client that has most loses its oldest", 5, "babbc", "d", 0},
		{"an old session of a client that has few stays", 5, "abbcd", "e", 1},
		{"a client has no more than half", 6, "bbb", "b", 0},
		{"others are not touched by that", 6, "abbb", "b", 1},
		{"a single connection", 1, "a", "b", 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			table := sessions{byClient: make(map[client]*queue)}
			var open []*session
			add := func(name rune, limit int) *session {
				s := &session{client: clientOf(netip.AddrFrom4([4]byte{192, 0, 2, byte(name)}))}
				open = append(open, s)
				return table.add(s, limit)
			}
			for _, name := range tc.open {
				if victim := add(name, 1000); victim != nil {
					t.Fatal("A session gave way too early")
				}
			}
			victim := add([]rune(tc.next)[0], tc.limit)
			for i, s := range open {
				if s == victim && i != tc.want || s != victim && i == tc.want {
					t.Errorf("Session %d: gave way %v", i, s == victim)
				}
			}
			for _, s := range open {
				table.remove(s)
			}
			if table.count != 0 || len(table.byClient) != 0 {
				t.Errorf("%d sessions of %d clients are left", table.count, len(table.byClient))
			}
		})
	}
}

func TestClientOf(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
	}
	for _, tc := range tests {
		a, b := clientOf(netip.MustParseAddr(tc.a)), clientOf(netip.MustParseAddr(tc.b))
		if (a == b) != tc.same {
			t.Errorf("%s and %s: got %v", tc.a, tc.b, a == b)
		}
	}
}

func BenchmarkRefusal(b *testing.B) {
	p, _ := newPolicy(b)
	address := serve(b, p)[0]
	c := dial(b, address)
	c.conn.SetDeadline(time.Time{})
	c.play(greeting + from)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n++; n == maxRecipients { // the connection is used up
			b.StopTimer()
			c.conn.Close()
			c = dial(b, address)
			c.play(greeting + from)
			n = 0
			b.StartTimer()
		}
		fmt.Fprint(c.conn, "RCPT TO:<bob@army.ml>\r\n")
		c.receive()
	}
}
