package group

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/test/proof"
)

// TestPhases plays queries and the passing of time, and tells each record.
func TestPhases(t *testing.T) {
	const minute, second = time.Minute, time.Second
	ask := func(at time.Duration) time.Duration { return at }
	tests := []struct {
		name string
		asks []time.Duration // of one client for one name, after the start
		want []string        // records, with the second they came at
	}{
		{"one query", []time.Duration{0}, []string{
			"0 first 192.0.2.25 army.ml 1/1", "600 final 192.0.2.25 army.ml 0/1",
		}},
		{"MX, A and AAAA of one delivery", []time.Duration{0, second, second}, []string{
			"0 first 192.0.2.25 army.ml 1/1", "60 update 192.0.2.25 army.ml 2/3", "601 final 192.0.2.25 army.ml 0/3",
		}},
		{"a retry after the first interval is told at once", []time.Duration{0, ask(5 * minute)}, []string{
			"0 first 192.0.2.25 army.ml 1/1", "300 update 192.0.2.25 army.ml 1/2", "900 final 192.0.2.25 army.ml 0/2",
		}},
		{"intervals double", []time.Duration{0, 30 * second, 90 * second, 100 * second, 200 * second}, []string{
			"0 first 192.0.2.25 army.ml 1/1", "60 update 192.0.2.25 army.ml 1/2",
			"180 update 192.0.2.25 army.ml 2/4", "420 update 192.0.2.25 army.ml 1/5", "800 final 192.0.2.25 army.ml 0/5",
		}},
		{"the final record has what is left", []time.Duration{
			0, 30 * second, 100 * second, 200 * second, 430 * second,
		}, []string{
			"0 first 192.0.2.25 army.ml 1/1", "60 update 192.0.2.25 army.ml 1/2", "180 update 192.0.2.25 army.ml 1/3",
			"420 update 192.0.2.25 army.ml 1/4", "900 update 192.0.2.25 army.ml 1/5", "1030 final 192.0.2.25 army.ml 0/5",
		}},
		{"a new incident after the end of the old", []time.Duration{0, 11 * minute}, []string{
			"0 first 192.0.2.25 army.ml 1/1", "600 final 192.0.2.25 army.ml 0/1",
			"660 first 192.0.2.25 army.ml 1/1", "1260 final 192.0.2.25 army.ml 0/1",
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			tab := New(func() {})
			var got []string
			for at := time.Duration(0); at <= 30*minute; at += second {
				for _, ask := range tc.asks {
					if ask == at {
						tab.Observe(recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch.Add(at)))
					}
				}
				for _, r := range sweep(tab, recordtest.Epoch.Add(at)) {
					got = append(got, fmt.Sprintf("%d %s", int(at.Seconds()), story(r.Record)))
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("Got records\n%q, want\n%q", got, tc.want)
			}
			if n := tab.Groups(); n != 0 {
				t.Errorf("Got %d groups left, want none", n)
			}
		})
	}
}

// TestIntervalCeiling holds that a group that never rests is told of at least
// once an hour, with exact deltas.
func TestIntervalCeiling(t *testing.T) {
	tab := New(func() {})
	var ends []time.Duration
	var sum uint64
	for at := time.Duration(0); at < 8*time.Hour; at += 10 * time.Second {
		tab.Observe(recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch.Add(at)))
		for _, r := range sweep(tab, recordtest.Epoch.Add(at)) {
			ends = append(ends, at)
			sum += r.Count
		}
	}
	longest := time.Duration(0)
	for i := 1; i < len(ends); i++ {
		longest = max(longest, ends[i]-ends[i-1])
	}
	if longest != time.Hour {
		t.Errorf("Got %v between two records, want an hour", longest)
	}
	if sum += tab.Pending(); sum != 8*360 {
		t.Errorf("Got %d detections, want %d", sum, 8*360)
	}
}

// TestKeys says which detections are one group.
func TestKeys(t *testing.T) {
	base := func() *record.Detection {
		return recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch)
	}
	tests := []struct {
		name   string
		change func(*record.Detection)
		same   bool
	}{
		{"the same again", func(*record.Detection) {}, true},
		{"another type", func(d *record.Detection) { d.Qtype = 1 }, true},
		{"another port", func(d *record.Detection) { d.Client = netip.AddrPortFrom(d.Client.Addr(), 1) }, true},
		{"a name below", func(d *record.Detection) { d.Verdict.Name = "mx.army.ml" }, true},
		{"another client", func(d *record.Detection) { d.Client = netip.MustParseAddrPort("192.0.2.26:41532") }, false},
		{"an IPv6 client", func(d *record.Detection) { d.Client = netip.MustParseAddrPort("[2001:db8::25]:41532") }, false},
		{"another class", func(d *record.Detection) { d.Verdict.Class = detect.Typo }, false},
		{"another registrable name", func(d *record.Detection) { d.Verdict.Registrable = "navy.ml" }, false},
		{"another action", func(d *record.Detection) { d.Action = record.Monitor }, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			tab := New(func() {})
			tab.Observe(base())
			d := base()
			tc.change(d)
			tab.Observe(d)
			if got := len(tab.Announcements()) == 1; got != tc.same {
				t.Errorf("Got same group %v, want %v", got, tc.same)
			}
		})
	}
}

// TestChains forces every group onto one hash.
func TestChains(t *testing.T) {
	s := &shard{groups: make(map[uint64]*group)}
	all := make([]*group, 0, 4)
	for i := range 4 {
		g := &group{State: State{key: key{Name: fmt.Sprint(i)}}, hash: 7}
		s.insert(g)
		all = append(all, g)
	}
	for _, remove := range []int{1, 3, 0, 2} {
		s.remove(all[remove])
		all[remove] = nil
		for i, g := range all {
			k := key{Name: fmt.Sprint(i)}
			if got := s.find(7, &k); got != g {
				t.Errorf("Got %v for group %d, want %v", got, i, g)
			}
		}
	}
	if len(s.groups) != 0 {
		t.Errorf("Got %d chains left, want none", len(s.groups))
	}
}

func TestAnnouncementLimits(t *testing.T) {
	tests := []struct {
		name    string
		clients int
		rate    int // queries a second, each for a name of its own
		seconds int
		most    int    // first records
		rollup  string // whom the roll-ups are about
	}{
		{"one client, burst", 1, 100, 1, 100, ""},
		{"one client, flood", 1, 1000, 20, AnnounceBurst + 20*announcePerClient, "192.0.2.0"},
		{"many clients, flood", 5000, 1000, 20, AnnounceBurst + 20*AnnouncePerSecond, record.Any},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			tab := New(func() {})
			firsts, storms, asked := 0, 0, 0
			var sum uint64
			for s := range tc.seconds {
				for i := range tc.rate {
					at := recordtest.Epoch.Add(time.Duration(s)*time.Second + time.Duration(i)*time.Second/time.Duration(tc.rate))
					name := fmt.Sprintf("a%d-%d.ml", s, i)
					d := recordtest.Detection("192.0.2.0", name, name, at)
					if tc.clients > 1 {
						d.Client = netip.AddrPortFrom(recordtest.Client(asked%tc.clients), 1)
					}
					tab.Observe(d)
					asked++
				}
				for _, r := range sweep(tab, recordtest.Epoch.Add(time.Duration(s+1)*time.Second)) {
					sum += r.Count
					switch r.Phase {
					case record.First:
						firsts++
					case record.Storm:
						storms++
						who := record.Any
						if r.Client.IsValid() {
							who = r.Client.String()
						}
						if who != tc.rollup {
							t.Errorf("Got a storm of %s, want of %q", who, tc.rollup)
						}
						checkStorm(t, r.Record)
					}
				}
			}
			if firsts > tc.most || firsts < tc.most*9/10 {
				t.Errorf("Got %d first records, want %d or a few less", firsts, tc.most)
			}
			if wantStorm := tc.rollup != ""; (storms > 0) != wantStorm || storms > 4 {
				t.Errorf("Got %d storm records, want some: %v", storms, wantStorm)
			}
			if sum += tab.Pending(); sum != uint64(asked) {
				t.Errorf("Got %d detections, want %d", sum, asked)
			}
		})
	}
}

func checkStorm(t *testing.T, r *record.Record) {
	t.Helper()
	if r.Registrable != record.Any || len(r.Samples) == 0 || len(r.Samples) > maxSamples {
		t.Errorf("Got storm of %q with samples %q, want %q and a few", r.Registrable, r.Samples, record.Any)
	}
	if off := float64(r.DistinctNames)/float64(r.Count) - 1; off > 0.25 || off < -0.25 {
		t.Errorf("Got %d names in %d detections of different names", r.DistinctNames, r.Count)
	}
	if r.Client.IsValid() == (r.DistinctClients > 0) {
		t.Errorf("Got %d clients in a storm of %s", r.DistinctClients, r.Client)
	}
}

// TestTableFull holds that a full table rolls up and loses nothing.
func TestTableFull(t *testing.T) {
	tab := New(func() {})
	const asked = 2 * maxUrgentGroups
	for i := range asked {
		// Slow enough to be announced one by one, too fast to go idle.
		at := recordtest.Epoch.Add(time.Duration(i) * time.Second / AnnouncePerSecond)
		name := fmt.Sprintf("a%d.ml", i)
		d := recordtest.Detection("192.0.2.1", name, name, at)
		d.Client = netip.AddrPortFrom(recordtest.Client(i%2000), 1)
		tab.Observe(d)
		if n := tab.Groups(); n > maxUrgentGroups {
			t.Fatalf("Got %d groups, want at most %d", n, maxUrgentGroups)
		}
	}
	if n := tab.budgets[1].clientRollups.Load(); n != maxClientRollups {
		t.Errorf("Got %d roll-ups of clients, want %d", n, maxClientRollups)
	}
	if got := sumCounts(tab.Close(recordtest.Epoch.Add(time.Hour))); got != asked {
		t.Errorf("Got %d detections, want %d", got, asked)
	}
	if tab.Observe(recordtest.Detection("192.0.2.1", "army.ml", "army.ml", recordtest.Epoch)) {
		t.Error("Got a detection counted in a closed table")
	}
}

func TestEnvelopes(t *testing.T) {
	tab := New(func() {})
	mail := recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch.Add(2*time.Second))
	mail.SMTP = &record.SMTP{From: "alice@example.org", To: "bob@army.ml"}
	tab.Observe(recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch))
	tab.Observe(mail)
	var got []string
	for s := range 20 {
		for _, r := range sweep(tab, recordtest.Epoch.Add(time.Duration(s)*time.Second)) {
			got = append(got, fmt.Sprintf("%d %s %v", s, story(r.Record), r.SMTP))
		}
	}
	want := []string{
		"0 first 192.0.2.25 army.ml 1/1 []",
		"7 update 192.0.2.25 army.ml 0/1 [{alice@example.org bob@army.ml }]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Got records %q, want %q", got, want)
	}
	alone := New(func() {})
	alone.Observe(mail)
	r := alone.Announcements()
	if len(r) != 1 || r[0].Count != 0 || len(r[0].SMTP) != 1 || r[0].Qtype != "" {
		t.Errorf("Got records %+v of a message without a query, want one that counts none", r)
	}
}

// TestEnvelopeFlood holds that no refused message goes unheard of: its
// envelope comes out while the flusher keeps up, and is counted when not.
func TestEnvelopeFlood(t *testing.T) {
	const messages = 1000
	tests := []struct {
		name     string
		names    int
		prompt   bool // the flusher runs when it is woken
		leftOut  bool
		restarts bool // the window goes through a checkpoint
	}{
		{"to one name", 1, true, false, false},
		{"each to a name of its own", messages, true, false, false},
		{"to one name, the flusher is stuck", 1, false, true, false},
		{"to many names, the flusher is stuck", messages, false, true, false},
		{"the flusher is stuck until a crash", 1, false, true, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			woken := false
			tab := New(func() { woken = true })
			before := value(t, envelopesLeftOut)
			var records []Entry
			for i := range messages {
				name := fmt.Sprintf("a%d.ml", i%tc.names)
				d := recordtest.Detection("192.0.2.25", name, name, recordtest.Epoch.Add(time.Duration(i)*2*time.Millisecond))
				d.SMTP = &record.SMTP{From: fmt.Sprintf("%d@example.org", i), To: "bob@" + name}
				tab.Observe(d)
				if woken && tc.prompt {
					records = append(records, tab.Announcements()...)
				}
			}
			if tc.restarts {
				records = append(records, tab.Announcements()...)
				again := New(func() {})
				for _, state := range tab.Checkpoint() {
					if _, _, err := again.Restore(encode(t, state)); err != nil {
						t.Fatal(err)
					}
				}
				tab = again
			}
			records = append(records, tab.Close(recordtest.Epoch.Add(time.Minute))...)
			seen := make(map[string]bool)
			var more uint64
			for _, r := range records {
				more += r.SMTPMore
				for _, e := range r.SMTP {
					if seen[e.From] {
						t.Errorf("Got the message of %s twice", e.From)
					}
					seen[e.From] = true
				}
				if len(r.SMTP) > maxEnvelopes {
					t.Errorf("Got %d envelopes in a record, want at most %d", len(r.SMTP), maxEnvelopes)
				}
			}
			if got := uint64(len(seen)) + more; got != messages {
				t.Errorf("Got %d envelopes and %d left out, want %d in all", len(seen), more, messages)
			}
			if (more > 0) != tc.leftOut {
				t.Errorf("Got %d left out, want some: %v", more, tc.leftOut)
			}
			if got := value(t, envelopesLeftOut) - before; got != float64(more) {
				t.Errorf("Got %v left out in the metric, %d in records", got, more)
			}
		})
	}
}

// storms are what an attacker, a broken mail server or a spammer can do.
var storms = []struct {
	name string
	ask  func(i int, d *record.Detection) // makes the i-th detection
}{
	{"one client and name", func(int, *record.Detection) {}},
	{"random subdomains of one lookalike", func(_ int, d *record.Detection) {
		d.Verdict.Name = fmt.Sprintf("x%d.army.ml", rand.Uint32())
	}},
	{"random lookalikes", func(_ int, d *record.Detection) {
		d.Verdict.Name = fmt.Sprintf("army%d.ml", rand.Uint32())
		d.Verdict.Registrable = d.Verdict.Name
	}},
	{"random clients", func(_ int, d *record.Detection) {
		d.Client = netip.AddrPortFrom(recordtest.Client(int(rand.Uint32())), 1)
		d.Verdict.Name = fmt.Sprintf("army%d.ml", rand.Uint32())
		d.Verdict.Registrable = d.Verdict.Name
	}},
}

// TestStorms asserts the identity detections = reported + pending, a million
// times each, or fewer in a quick test, against a flusher that runs at the same time.
func TestStorms(t *testing.T) {
	const goroutines = 4
	each := proof.N(4_000, 250_000)
	all := uint64(goroutines * each)
	for _, tc := range storms {
		t.Run(tc.name, func(t *testing.T) {
			tab := New(func() {})
			var observers, flusher sync.WaitGroup
			stop := make(chan struct{})
			var records []Entry
			flusher.Go(func() {
				for at := recordtest.Epoch; ; at = at.Add(20 * time.Second) {
					records = append(records, sweep(tab, at)...)
					select {
					case <-stop:
						return
					default:
					}
				}
			})
			for g := range goroutines {
				observers.Go(func() {
					d := recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch)
					for i := range each {
						v := *d.Verdict
						d.Verdict = &v
						d.Time = recordtest.Epoch.Add(time.Duration(i) * 100 * time.Microsecond)
						tc.ask(g*each+i, d)
						if !tab.Observe(d) {
							t.Error("Got a detection refused")
							return
						}
					}
				})
			}
			observers.Wait()
			close(stop)
			flusher.Wait()
			if got := sumCounts(records) + tab.Pending(); got != all {
				t.Errorf("Got %d reported and pending, want %d", got, all)
			}
			records = append(records, tab.Close(recordtest.Epoch.Add(time.Hour))...)
			if got := sumCounts(records); got != all {
				t.Errorf("Got %d reported in the end, want %d", got, all)
			}
			if got := tab.Pending(); got != 0 {
				t.Errorf("Got %d pending in the end, want none", got)
			}
		})
	}
}

func TestDistinct(t *testing.T) {
	for _, n := range []uint64{0, 1, 10, 100, 1000, 100_000} {
		var s sketch
		r := rand.New(rand.NewPCG(1, n))
		for range n {
			h := r.Uint64()
			s.add(h)
			s.add(h)
		}
		if got := float64(s.estimate()); got < 0.8*float64(n) || got > 1.2*float64(n) {
			t.Errorf("Got about %v different, want %d", got, n)
		}
	}
}

// BenchmarkObserve counts in a table that has met all its detections before.
func BenchmarkObserve(b *testing.B) {
	const announced, flood = time.Second / AnnouncePerSecond, 0
	client := func(i int) netip.AddrPort { return netip.AddrPortFrom(recordtest.Client(i), 1) }
	named := func(i int, d *record.Detection) {
		d.Verdict.Name = fmt.Sprintf("army%d.ml", i)
		d.Verdict.Registrable = d.Verdict.Name
	}
	tests := []struct {
		name  string
		n     int           // different detections
		pace  time.Duration // from each to the next at first
		pause time.Duration // until they come again
		ask   func(i int, d *record.Detection)
	}{
		{"hot key", 1, announced, 0, func(int, *record.Detection) {}},
		{"hot key, a verdict each", 64, announced, 0, func(int, *record.Detection) {}},
		{"hot key, names and types", 6, announced, 0, func(i int, d *record.Detection) {
			d.Verdict.Name = [...]string{"army.ml", "mx.army.ml"}[i%2]
			d.Qtype = [...]uint16{dns.TypeMX, dns.TypeA, dns.TypeAAAA}[i%3]
		}},
		{"10000 keys", 10_000, announced, 0, func(i int, d *record.Detection) { d.Client = client(i) }},
		{"overflow by one client", 10_000, flood, 0, named},
		{"overflow by one client, beyond its own limit", 10_000, flood, 3 * time.Second, named},
		{"overflow by many clients", 10_000, flood, 0, func(i int, d *record.Detection) {
			d.Client = client(i)
			named(i, d)
		}},
	}
	for _, tc := range tests {
		b.Run(tc.name, func(b *testing.B) {
			tab := New(func() {})
			all := make([]*record.Detection, tc.n)
			for i := range all {
				all[i] = recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch.Add(time.Duration(i)*tc.pace))
				tc.ask(i, all[i])
				tab.Observe(all[i])
			}
			tab.Announcements()
			for _, d := range all {
				d.Time = recordtest.Epoch.Add(time.Duration(tc.n)*tc.pace + tc.pause)
				tab.Observe(d)
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := rand.IntN(tc.n); pb.Next(); i++ {
					tab.Observe(all[i%tc.n])
				}
			})
		})
	}
}

// TestFacts holds that a record tells what all its detections were about, and
// nothing that none of them was.
func TestFacts(t *testing.T) {
	type change = func(*record.Detection)
	about := func(context string) change { return func(d *record.Detection) { d.Context = context } }
	named := func(name, protected, mean string) change {
		return func(d *record.Detection) {
			v := *d.Verdict
			v.Name, v.Matches = name, []detect.Match{{Protected: protected, DidYouMean: mean}}
			d.Verdict = &v
		}
	}
	mail := func(d *record.Detection) { d.SMTP = &record.SMTP{From: "a@example.org", To: "b@army.ml"} }
	tests := []struct {
		name    string
		changes []change // of the detections after the first
		want    string
	}{
		{"nothing told", []change{about(""), about("")}, "contexts [] protocols [dns] views [] blocks [dns://.:53] protected [army.mil] meant [army.mil]"},
		{"a check", []change{about(""), about("spf"), about("spf")}, "contexts [spf] protocols [dns] views [] blocks [dns://.:53] protected [army.mil] meant [army.mil]"},
		{"both directions", []change{about("spf"), about("tlsa")}, "contexts [spf tlsa] protocols [dns] views [] blocks [dns://.:53] protected [army.mil] meant [army.mil]"},
		{"mail that was refused", []change{about(""), mail}, "contexts [delivery] protocols [dns] views [] blocks [dns://.:53] protected [army.mil] meant [army.mil]"},
		{"mail before a query", []change{mail, about("spf"), about("spf")}, "contexts [delivery spf] protocols [dns] views [] blocks [dns://.:53] protected [army.mil] meant [army.mil]"},
		{"several ways in", []change{about(""), func(d *record.Detection) { d.Protocol, d.View, d.ServerBlock = "tls", "inner", "tls://.:853" }},
			"contexts [] protocols [dns tls] views [inner] blocks [dns://.:53 tls://.:853] protected [army.mil] meant [army.mil]"},
		{"several names", []change{named("mail.army.ml", "army.mil", "mail.army.mil"), named("mx.army.ml", "army.mil", "mx.army.mil"), named("mail.army.ml", "army.mil", "mail.army.mil")},
			"contexts [] protocols [dns] views [] blocks [dns://.:53] protected [army.mil] meant [mail.army.mil mx.army.mil]"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			tab := New(func() {})
			tab.Observe(recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch))
			tab.Announcements()
			for _, change := range tc.changes {
				d := recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch)
				change(d)
				tab.Observe(d)
			}
			records := sweep(tab, recordtest.Epoch.Add(2*time.Minute))
			if len(records) != 1 {
				t.Fatalf("Got %d records, want one", len(records))
			}
			r := records[0]
			if got := fmt.Sprint("contexts ", r.Contexts, " protocols ", r.Protocols, " views ", r.Views, " blocks ", r.ServerBlocks, " protected ", r.Protected, " meant ", r.DidYouMean); got != tc.want {
				t.Errorf("Got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestTypes holds that types are few, whatever is asked for.
func TestTypes(t *testing.T) {
	tests := []struct {
		name  string
		types []uint16
		want  []string
	}{
		{"of a delivery", []uint16{15, 1, 28, 15, 1}, []string{"MX", "A", "AAAA"}},
		{"unknown ones", []uint16{15, 2000, 2001, 2089, 65000}, []string{"MX", "other"}},
		{"only unknown ones", []uint16{2000}, []string{"other"}},
		{"type 0, which is reserved", []uint16{0, 1}, []string{"A", "other"}},
		{"many known ones", []uint16{1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 43}, []string{"A", "NS", "CNAME", "SOA", "PTR", "MX", "TXT", "AAAA", "other"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var w window
			for _, q := range tc.types {
				w.addType(q)
			}
			if got := w.types(); !slices.Equal(got, tc.want) {
				t.Errorf("Got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestVias has the domains of several partners have a lookalike for their mail
// server: each is told of within seconds, once.
func TestVias(t *testing.T) {
	tab := New(func() {})
	ask := func(via string, at time.Duration) {
		d := recordtest.Detection("192.0.2.25", "mx.army.ml", "army.ml", recordtest.Epoch.Add(at))
		d.Via = via
		tab.Observe(d)
	}
	var got []string
	for at := time.Duration(0); at < 30*time.Second; at += time.Second {
		switch at / time.Second {
		case 0:
			ask("one.example", at)
		case 1:
			ask("two.example", at)
			ask("three.example", at)
			ask("four.example", at)
		case 10: // nothing new
			ask("one.example", at)
			ask("four.example", at)
		case 20:
			for i := range 6 {
				ask(fmt.Sprintf("%d.example", i), at)
			}
			ask("0.example", at)
			ask("5.example", at)
		}
		for _, r := range sweep(tab, recordtest.Epoch.Add(at)) {
			got = append(got, fmt.Sprint(int(at.Seconds()), " ", r.Phase, " ", r.Count, " ", r.Vias, " ", r.ViasMore))
		}
	}
	want := []string{"0 first 1 [one.example] 0", "6 update 3 [two.example three.example four.example] 0",
		"25 update 10 [one.example four.example 0.example 1.example 2.example] 4"}
	if !slices.Equal(got, want) {
		t.Errorf("Got  %q\nwant %q", got, want)
	}
}

// TestEndedException has a client ask for a name whose exception ends, among
// others that are lookalikes anyway: the next record comes soon, and names it.
func TestEndedException(t *testing.T) {
	exception := &record.Exception{Name: "mail.army.ml", Until: "2026-11-22", Owner: "mail-team@example.net"}
	tests := []struct {
		name  string
		ended []time.Duration // when the client asks for the one whose exception has ended; else for the other
		want  string          // second, phase and whether the exception is named, of each record
	}{
		{"never", nil, "0 first false, 60 update false, 180 update false"},
		{"in the first query", []time.Duration{0}, "0 first true, 60 update false, 180 update false"},
		{"later", []time.Duration{20 * time.Second}, "0 first false, 25 update true, 145 update false"},
		{"again", []time.Duration{20 * time.Second, 40 * time.Second}, "0 first false, 25 update true, 145 update true"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			tab := New(func() {})
			var got []string
			for at := time.Duration(0); at < 4*time.Minute; at += time.Second {
				now := recordtest.Epoch.Add(at)
				if at%(20*time.Second) == 0 {
					d := recordtest.Detection("192.0.2.25", "army.ml", "army.ml", now)
					if slices.Contains(tc.ended, at) {
						d.Exception = exception
					}
					tab.Observe(d)
				}
				records, _ := tab.Sweep(now)
				for _, r := range records {
					got = append(got, fmt.Sprintf("%d %s %v", int(at.Seconds()), r.Phase, r.Exception == exception))
				}
			}
			if got := strings.Join(got, ", "); got != tc.want {
				t.Errorf("Got %s, want %s", got, tc.want)
			}
		})
	}
}

// TestKnownVias holds that a domain of wildcards cannot make a record a query.
func TestKnownVias(t *testing.T) {
	tab := New(func() {})
	records := 0
	for i := range 600 {
		d := recordtest.Detection("192.0.2.25", "mx.army.ml", "army.ml", recordtest.Epoch.Add(time.Duration(i)*time.Second))
		d.Via = fmt.Sprintf("%d.example", i)
		tab.Observe(d)
		records += len(sweep(tab, recordtest.Epoch.Add(time.Duration(i)*time.Second)))
	}
	if records > 12 {
		t.Errorf("Got %d records in ten minutes, want few", records)
	}
}

// TestBudgets has a noise of monitored names take all that it can, while ten
// servers ask for a hundred blocked ones: each of those is told of on its own, as
// is what is high and only reported.
func TestBudgets(t *testing.T) {
	tests := []struct {
		name       string
		action     record.Action
		confidence detect.Confidence
		single     int
	}{
		{"blocked", record.NXDomain, detect.Medium, 100},
		{"high", record.Monitor, detect.High, 100},
		{"neither", record.Monitor, detect.Medium, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			tab := New(func() {})
			at := recordtest.Epoch
			noise := func(n int) {
				for i := range n {
					d := recordtest.Detection("192.0.2.1", "", "", at)
					d.Client = netip.AddrPortFrom(recordtest.Client(i%20), 1)
					d.Action, d.Verdict.Class, d.Verdict.Confidence = record.Monitor, detect.Typo, detect.Medium
					d.Verdict.Name = fmt.Sprintf("noise%d-%d.ml", at.UnixNano(), i)
					d.Verdict.Registrable = d.Verdict.Name
					tab.Observe(d)
				}
			}
			single := 0
			count := func(entries []Entry) {
				for _, e := range entries {
					if e.Phase == record.First && e.Class == detect.TLDSwap {
						single++
					}
				}
			}
			for i := range 100 {
				at = at.Add(20 * time.Millisecond)
				noise(100) // 5,000 a second
				d := recordtest.Detection("192.0.2.1", fmt.Sprintf("base%d.ml", i), fmt.Sprintf("base%d.ml", i), at)
				d.Client = netip.AddrPortFrom(recordtest.Client(1000+i%10), 1)
				d.Action, d.Verdict.Confidence = tc.action, tc.confidence
				tab.Observe(d)
				count(tab.Announcements())
			}
			if single < tc.single || tc.single == 0 && single > 50 {
				t.Errorf("Got %d of 100 told of on their own, want %d", single, tc.single)
			}
		})
	}
}

// TestBudgetOfGroups holds that what is blocked has room when others have filled
// theirs.
func TestBudgetOfGroups(t *testing.T) {
	tab := New(func() {})
	at := recordtest.Epoch
	add := func(i int, action record.Action, confidence detect.Confidence) {
		at = at.Add(21 * time.Millisecond)
		d := recordtest.Detection("192.0.2.1", fmt.Sprintf("n%d.ml", i), fmt.Sprintf("n%d.ml", i), at)
		d.Client = netip.AddrPortFrom(recordtest.Client(i), 1)
		d.Action, d.Verdict.Confidence = action, confidence
		tab.Observe(d)
	}
	for i := range maxOtherGroups + 1000 {
		add(i, record.Monitor, detect.Low)
	}
	if n := tab.Groups(); n != maxOtherGroups {
		t.Fatalf("Got %d groups of noise, want %d", n, maxOtherGroups)
	}
	add(1<<19, record.NXDomain, detect.Low)
	if n := tab.Groups(); n != maxOtherGroups+1 {
		t.Errorf("Got %d groups, want one more for what is blocked", n)
	}
}
