//go:build e2e

package test

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// largeSize is so many names that it takes seconds to load them.
const largeSize = 1_000_000

// switched are the names that are asked for while the list changes, and which
// of the two lists has them blocked. Those that pass have an MX upstream.
var switched = []struct {
	name         string
	small, large bool
}{
	{"army.ml", true, true},
	{"navy.ml", true, false},
	{"example.ml", false, true},
	{"us.af.ml", false, false},
	{"example.org", false, false},
}

const smallList = "army.mil\nnavy.mil\n"

// largeList begins with the names that [switched] goes by.
func largeList() string {
	var b strings.Builder
	b.WriteString("army.mil\nexample.mil\n")
	r := rand.New(rand.NewPCG(20, 21))
	for i := range largeSize - 2 {
		writeHost(&b, r, i)
	}
	return b.String()
}

// writeHost writes name i of a large organisation, of 10 to 24 characters. Its
// syllables are i in base 100, and it begins with a consonant and has six letters
// or more, so that it is unlike every name of [switched].
func writeHost(b *strings.Builder, r *rand.Rand, i int) {
	const onsets, vowels, codas = "bcdfghjklmnpqrstvwxz", "aeiou", "lmnrst"
	parents := [...]string{"", "", ".fort-belnor", ".depot", ".gard.us"}
	for _, digit := range [...]int{i / 10_000, i / 100 % 100, i % 100} {
		b.WriteByte(onsets[digit/5])
		b.WriteByte(vowels[digit%5])
		if r.IntN(2) == 0 {
			b.WriteByte(codas[r.IntN(len(codas))])
		}
	}
	b.WriteString(parents[r.IntN(len(parents))])
	b.WriteString(".mil\n")
}

// turn is one change of the list.
type turn struct {
	large          bool
	replaced, seen time.Time // when the file changed, and when the server was seen to have taken it
}

// TestLargeListReload puts a list of a million names in the place of a short one
// and back, twice, while queries come in. Each gets one answer, by the list
// before or the one after, and none waits until a list is loaded.
//
// It does not run beside other tests: it would take the machine from them for
// as long as they from it.
func TestLargeListReload(t *testing.T) {
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike {\n protect ./names.txt\n reload 1s\n }"),
		Files:    map[string]string{"names.txt": smallList},
		Upstream: harness.NewUpstream(t).Addr,
	})
	clients, stop := startClients(t, server)
	const rounds = 2
	large := largeList()
	turns := append(make([]turn, 0, 1+2*rounds), turn{large: false})
	used := make([]memory, 0, rounds)
	for range rounds {
		turns = append(turns, switchList(t, server, large, true))
		used = append(used, memory{float64(server.Memory(t, "VmRSS")), server.Metric(t, "go_memstats_next_gc_bytes")})
		turns = append(turns, switchList(t, server, smallList, false))
	}
	stop()
	for _, c := range clients {
		c.check(t, turns)
	}
	checkWaits(t, clients, turns)
	checkMemory(t, used[0], used[1])
}

// memory is what the server takes. What is resident depends on what the runtime
// happens to have given back, and the size to which the heap may grow on how far
// the load was when garbage was last collected.
type memory struct{ resident, heap float64 }

// checkMemory wants the second large list to have taken the place of the first:
// with both of them in memory, either figure would grow by more than half.
func checkMemory(t *testing.T, first, second memory) {
	t.Helper()
	const mib, most = 1 << 20, 1.5
	t.Logf("After each large list %.0f and %.0f MiB are resident, the heap may grow to %.0f and %.0f MiB",
		first.resident/mib, second.resident/mib, first.heap/mib, second.heap/mib)
	if second.resident > most*first.resident && second.heap > most*first.heap {
		t.Errorf("Memory grew with the second large list: %+v, then %+v", first, second)
	}
}

// switchList replaces the list and waits until it is in force.
func switchList(t *testing.T, server *harness.Server, list string, large bool) turn {
	t.Helper()
	replaced, size := replaceList(t, server, list), float64(strings.Count(list, "\n"))
	if !server.Wait(func() bool { return server.Metric(t, "coredns_lookalike_protected_names") == size }) {
		t.Fatalf("The list of %v names does not come into force", size)
	}
	done := turn{large, replaced, time.Now()}
	for name, want := range map[string]bool{"example.ml": large, "navy.ml": !large} {
		reply := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(name, dns.TypeMX))
		if got := isBlocked(reply); got != want {
			t.Errorf("%v names in force, and %s blocked: %t", size, name, got)
		}
	}
	return done
}

// client asks for one name again and again.
type client struct {
	name         string
	small, large bool // whether it is blocked by each list
	conn         *net.UDPConn
	answers      []answered
}

type answered struct {
	sent, came time.Time
	rcode      int
}

// pause between two queries of a client. Together the clients ask some 800
// times a second, which leaves the machine to the server.
const pause = 12 * time.Millisecond

// startClients starts two clients for each name. Their answers can be read when
// stop has returned.
func startClients(t *testing.T, server *harness.Server) (clients []*client, stop func()) {
	t.Helper()
	quit := make(chan struct{})
	var running sync.WaitGroup
	for _, s := range slices.Concat(switched, switched) {
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server.Addr("DNS")))
		if err != nil {
			t.Fatal(err)
		}
		c := &client{s.name, s.small, s.large, conn, nil}
		clients = append(clients, c)
		running.Go(func() { c.run(t, quit) })
	}
	stop = sync.OnceFunc(func() {
		close(quit)
		running.Wait()
	})
	t.Cleanup(stop)
	return clients, stop
}

// run asks until it is told to quit, or a query has no answer.
func (c *client) run(t *testing.T, quit <-chan struct{}) {
	t.Helper()
	defer c.conn.Close()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			if reply, err := c.read(lastMoment); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: after the last answer: %v, %v", c.name, reply, err)
			}
			return
		case <-tick.C:
		}
		if !c.ask(t) {
			return
		}
	}
}

// lastMoment is for how long a second answer to the last query is waited for.
// One to an earlier query would be taken for the answer to a later one.
const lastMoment = 150 * time.Millisecond

// ask sends one query and reads what comes back.
func (c *client) ask(t *testing.T) bool {
	t.Helper()
	q := harness.Query(c.name, dns.TypeMX)
	wire, err := q.Pack()
	if err != nil {
		t.Error(err)
		return false
	}
	a := answered{sent: time.Now()}
	if _, err := c.conn.Write(wire); err != nil {
		t.Error(err)
		return false
	}
	reply, err := c.read(harness.Patience)
	if err != nil {
		t.Errorf("%s: no answer: %v", c.name, err)
		return false
	}
	if reply.Id != q.Id {
		t.Errorf("%s: an answer to another query: %v", c.name, reply)
		return false
	}
	a.came, a.rcode = time.Now(), reply.Rcode
	c.answers = append(c.answers, a)
	return true
}

func (c *client) read(wait time.Duration) (*dns.Msg, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, dns.MaxMsgSize)
	n, err := c.conn.Read(buf)
	if err != nil {
		return nil, err
	}
	reply := new(dns.Msg)
	return reply, reply.Unpack(buf[:n])
}

// check wants each answer to be by a list that may have been in force, and none
// by a list that an earlier answer has shown to be gone.
func (c *client) check(t *testing.T, turns []turn) {
	t.Helper()
	at := 0
	for _, a := range c.answers {
		for at < len(turns) && (a.rcode != c.rcode(turns[at]) || at+1 < len(turns) && a.sent.After(turns[at+1].seen)) {
			at++
		}
		if at == len(turns) || a.came.Before(turns[at].replaced) {
			t.Errorf("%s, asked %v after the first list was replaced: %s", c.name, a.sent.Sub(turns[1].replaced), dns.RcodeToString[a.rcode])
			return
		}
	}
}

// rcode is what the client must be told while the list of this turn is in force.
func (c *client) rcode(by turn) int {
	if by.large && c.large || !by.large && c.small {
		return dns.RcodeNameError
	}
	return dns.RcodeSuccess
}

// checkWaits wants no answer during a load of the large list to have taken a third
// of the time of that load. A query that waits for the load takes nearly all of
// it, which lacks only the second at most until the server looks at the file. A
// machine that is busy with something else makes both longer.
func checkWaits(t *testing.T, clients []*client, turns []turn) {
	t.Helper()
	for _, u := range turns {
		if !u.large {
			continue
		}
		load, waits := u.seen.Sub(u.replaced), waitsOf(clients, u.overlaps)
		if n := len(waits); n < 100 {
			t.Fatalf("%d answers during a load of %v: too few to tell", n, load)
		}
		slowest := waits[len(waits)-1]
		t.Logf("A load took %v; %d answers during it: median %v, slowest %v (%s)", load, len(waits), waits[len(waits)/2].took, slowest.took, slowest.name)
		if slowest.took > load/3 {
			t.Errorf("An answer about %s took %v while a list was loaded in %v", slowest.name, slowest.took, load)
		}
	}
	if waits := waitsOf(clients, func(a answered) bool {
		return !slices.ContainsFunc(turns, func(u turn) bool { return u.large && u.overlaps(a) })
	}); len(waits) > 0 {
		t.Logf("%d answers outside the loads: median %v, slowest %v", len(waits), waits[len(waits)/2].took, waits[len(waits)-1].took)
	}
}

// overlaps reports whether a query was under way while this list was loaded.
func (u turn) overlaps(a answered) bool { return a.came.After(u.replaced) && a.sent.Before(u.seen) }

// delay is how long an answer took.
type delay struct {
	took time.Duration
	name string
}

// waitsOf returns, slowest last, how long those answers took that are of interest.
func waitsOf(clients []*client, of func(answered) bool) (waits []delay) {
	for _, c := range clients {
		for _, a := range c.answers {
			if of(a) {
				waits = append(waits, delay{a.came.Sub(a.sent), c.name})
			}
		}
	}
	slices.SortFunc(waits, func(a, b delay) int { return cmp.Compare(a.took, b.took) })
	return waits
}
