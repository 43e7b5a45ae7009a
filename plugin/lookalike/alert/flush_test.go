package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

// open opens a pipeline to receivers.
func open(t *testing.T, destinations ...Destination) *Pipeline {
	t.Helper()
	p, err := Open(Config{Destinations: destinations, Sensor: "ns1.example.org", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shut closes a pipeline, which has to succeed.
func shut(t *testing.T, p *Pipeline) {
	t.Helper()
	if err := Close(t.Context(), p); err != nil {
		t.Error(err)
	}
}

// phases lists phase, count and sequence of what a receiver got.
func phases(t *testing.T, messages []sink.Message) []string {
	t.Helper()
	all := make([]string, 0, len(messages))
	for _, m := range messages {
		var r struct {
			Event     struct{ Sequence uint64 }
			Lookalike struct {
				Phase string
				Count uint64
			}
		}
		if err := json.Unmarshal(m.Body, &r); err != nil {
			t.Fatalf("%v in %s", err, m.Body)
		}
		all = append(all, fmt.Sprintf("%d %s %d", r.Event.Sequence, r.Lookalike.Phase, r.Lookalike.Count))
	}
	return all
}

func want(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("Got %s %q, want %q", what, got, want)
	}
}

func now(name string) *Detection { return detection("192.0.2.25", name, name, time.Now()) }

func TestPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(sinktest.Receiver)
		p := open(t, destination(r, "one"))
		p.Observe(now("army.ml"))
		synctest.Wait()
		want(t, "records at once", phases(t, r.All()), []string{"1 first 1"})
		p.Observe(now("army.ml"))
		p.Observe(now("army.ml"))
		time.Sleep(2 * time.Minute)
		want(t, "records later", phases(t, r.All()), []string{"1 first 1", "2 update 2"})
		p.Observe(now("army.ml"))
		time.Sleep(time.Millisecond)
		p.Observe(now("navy.ml"))
		shut(t, p)
		want(t, "records in the end", phases(t, r.All()), []string{
			"1 first 1", "2 update 2", "3 first 1", "4 final 1", "5 final 0",
		})
		if r.Closed != 1 {
			t.Errorf("Got the sink closed %d times, want once", r.Closed)
		}
	})
}

// TestReload opens and closes as CoreDNS does: the new instance before the old.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := new(sinktest.Receiver), new(sinktest.Receiver)
		old := open(t, destination(one, "one"))
		old.Observe(now("army.ml"))
		synctest.Wait()

		same := open(t, destination(one, "one"))
		shut(t, old)
		same.Observe(now("army.ml"))
		synctest.Wait()
		want(t, "records after a reload of an equal configuration", phases(t, one.All()), []string{"1 first 1"})

		wider := open(t, destination(two, "two"), destination(one, "one"))
		shut(t, same)
		wider.Observe(now("navy.ml"))
		synctest.Wait()
		want(t, "records after a sink was added", phases(t, one.All()), []string{"1 first 1", "2 final 1", "1 first 1"})
		want(t, "records at the sink that was added", phases(t, two.All()), []string{"1 first 1"})
		if one.Opened != 1 || one.Closed != 0 {
			t.Errorf("Got the unchanged sink opened %d and closed %d times, want 1 and 0", one.Opened, one.Closed)
		}
		shut(t, wider)
		if one.Closed != 1 || two.Closed != 1 {
			t.Errorf("Got sinks closed %d and %d times, want once each", one.Closed, two.Closed)
		}
	})
}

func TestOpenFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := new(sinktest.Receiver)
		bad := destination(nil, "zzz")
		bad.open = func(sink.Env) (sink.Sink, error) { return nil, errors.New("cannot be") }
		if _, err := Open(Config{Destinations: []Destination{destination(good, "good"), bad}}); err == nil {
			t.Fatal("Got no error")
		}
		if good.Closed != 1 {
			t.Errorf("Got the other sink closed %d times, want once", good.Closed)
		}
		nothingLeft(t)
	})
}

// TestSinkDown holds that a sink that fails gets everything, in order, when it
// comes back, and that another one has it meanwhile.
func TestSinkDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, up := &sinktest.Receiver{Fail: errors.New("down")}, new(sinktest.Receiver)
		p := open(t, destination(down, "down"), destination(up, "up"))
		all := make([]string, 0, 30)
		for i := range 30 {
			p.Observe(now(fmt.Sprintf("a%d.ml", i)))
			all = append(all, fmt.Sprintf("%d first 1", i+1))
			time.Sleep(2 * time.Second)
			if v := metric(t, "sink_up{sink=down}"); i < 10 && v != 0 {
				t.Errorf("Got sink_up %v, want 0", v)
			}
			if i == 10 {
				down.Set(func() { down.Taken = 2 }) // half a batch a time
			}
		}
		want(t, "records at the sink that is up", phases(t, up.All())[:30], all)
		down.Set(func() { down.Fail = nil })
		time.Sleep(2 * time.Minute)
		want(t, "records at the sink that was down", phases(t, down.All())[:30], all)
		if v := metric(t, "sink_up{sink=down}"); v != 1 {
			t.Errorf("Got sink_up %v, want 1", v)
		}
		shut(t, p)
		sinkIdentity(t, "down")
		sinkIdentity(t, "up")
	})
}

// TestStormsAreTold has every detection of a storm in what a receiver gets, and
// in the metrics.
func TestStormsAreTold(t *testing.T) {
	const goroutines, each = 4, 25_000
	storms := []struct {
		name string
		ask  func(i int, d *Detection) // makes the i-th detection
	}{
		{"one client and name", func(int, *Detection) {}},
		{"lookalikes", func(i int, d *Detection) {
			d.Verdict.Name = fmt.Sprintf("army%d.ml", i)
			d.Verdict.Registrable = d.Verdict.Name
		}},
		{"clients", func(i int, d *Detection) { d.Client = netip.AddrPortFrom(clientAddr(i), 1) }},
	}
	for _, tc := range storms {
		t.Run(tc.name, func(t *testing.T) {
			r := new(sinktest.Receiver)
			name := "storm of " + tc.name
			before := value(t, reportedCount)
			p := open(t, destination(r, name))
			var observers sync.WaitGroup
			for g := range goroutines {
				observers.Go(func() {
					for i := range each {
						d := now("army.ml")
						tc.ask(g*each+i, d)
						p.Observe(d)
					}
				})
			}
			observers.Wait()
			shut(t, p)
			var told uint64
			for _, m := range r.All() {
				var alert struct{ Lookalike struct{ Count uint64 } }
				if err := json.Unmarshal(m.Body, &alert); err != nil {
					t.Fatalf("%v in %s", err, m.Body)
				}
				told += alert.Lookalike.Count
			}
			if told != goroutines*each {
				t.Errorf("Got %d detections told, want %d", told, goroutines*each)
			}
			if got := value(t, reportedCount) - before; got != goroutines*each {
				t.Errorf("Got %v detections reported in the metric, want %d", got, goroutines*each)
			}
			sinkIdentity(t, name)
		})
	}
}

// sinkIdentity asserts records = delivered + lost of a sink that is closed.
func sinkIdentity(t *testing.T, name string) {
	t.Helper()
	records, sum := 0.0, 0.0
	for k, v := range gathered(t) {
		switch {
		case k == "sink_records_total{sink="+name+"}":
			records = v
		case k == "sink_delivered_total{sink="+name+"}", strings.HasPrefix(k, "sink_lost_total{") && strings.HasSuffix(k, ",sink="+name+"}"):
			sum += v
		}
	}
	if records != sum || records == 0 {
		t.Errorf("Got %v records for %s, %v delivered or lost", records, name, sum)
	}
}

// nothingLeft asserts that all that pipelines have in common has been given up.
func nothingLeft(t *testing.T) {
	t.Helper()
	n := len(running.all) + len(outlets.byKey)
	pipelines.Each(func(string, *Pipeline) { n++ })
	spools.Each(func(string, *sharedSpool) { n++ })
	if n != 0 {
		t.Errorf("Got %d things left, want none", n)
	}
}

// TestSinkHangs holds that a sink that hangs costs neither the others nor the
// shutdown more than their time.
func TestSinkHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, up := &sinktest.Receiver{Hang: true}, new(sinktest.Receiver)
		p := open(t, destination(hung, "hung"), destination(up, "up2"))
		p.Observe(now("army.ml"))
		time.Sleep(time.Minute)
		want(t, "records at the sink that is up", phases(t, up.All()), []string{"1 first 1"})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if err := Close(ctx, p); err == nil {
			t.Error("Got no error, want one that says what is lost")
		}
		if d := time.Since(began); d < 4*time.Second || d > 5*time.Second {
			t.Errorf("Got closed after %v, want 4 to 5 s", d)
		}
		want(t, "records in the end", phases(t, up.All()), []string{"1 first 1", "2 final 0"})
		sinkIdentity(t, "hung")
	})
}

// TestDirectGrace holds that a sink on this host gets its final records also
// when somebody else has used up the time, and that it cannot use up more than
// its grace.
func TestDirectGrace(t *testing.T) {
	tests := []struct {
		name string
		sink *sinktest.Receiver
		want []string
		took time.Duration
		err  bool
	}{
		{"healthy", new(sinktest.Receiver), []string{"1 first 1", "2 final 0"}, 0, false},
		{"hung", &sinktest.Receiver{Hang: true}, []string{}, time.Second, true},
		{"failing", &sinktest.Receiver{Fail: errors.New("full")}, []string{}, time.Second, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := destination(tc.sink, "direct "+tc.name)
				d.to.Direct = true
				p := open(t, d)
				p.Observe(now("army.ml"))
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				began := time.Now()
				if err := Close(ctx, p); (err != nil) != tc.err {
					t.Errorf("Got error %v, want one: %v", err, tc.err)
				}
				if took := time.Since(began); took != inFlight+tc.took {
					t.Errorf("Got closed after %v, want %v", took, inFlight+tc.took)
				}
				want(t, "records in the end", phases(t, tc.sink.All()), tc.want)
			})
		})
	}
}

func TestRefusedAndDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &sinktest.Receiver{Fail: &sink.Refused{Err: errors.New("bad mapping")}, Bad: `"sequence":2,`}
		p := open(t, destination(r, "picky"))
		for i := range 3 {
			p.Observe(now(fmt.Sprintf("a%d.ml", i)))
		}
		synctest.Wait()
		want(t, "records", phases(t, r.All()), []string{"1 first 1", "3 first 1"})
		r.Set(func() { r.Fail, r.Bad = &sink.Denied{Err: errors.New("401")}, "" })
		p.Observe(now("army.ml"))
		synctest.Wait()
		r.Set(func() { r.Fail = nil })
		time.Sleep(5*time.Minute - time.Second)
		want(t, "records during the pause", phases(t, r.All()), []string{"1 first 1", "3 first 1"})
		time.Sleep(2 * time.Second)
		want(t, "records after it", phases(t, r.All()), []string{"1 first 1", "3 first 1", "4 first 1"})
		shut(t, p)
		sinkIdentity(t, "picky")
	})
}

// TestLate holds that a detection after the last flush is counted and told.
func TestLate(t *testing.T) {
	r := new(sinktest.Receiver)
	p := open(t, destination(r, "late"))
	shut(t, p)
	before := value(t, lateCount)
	for range 1000 {
		p.Observe(now("army.ml"))
	}
	if got := value(t, lateCount) - before; got != 1000 {
		t.Errorf("Got %v late detections counted, want 1000", got)
	}
	mail := now("army.ml")
	mail.SMTP = &SMTP{From: "alice@example.org", To: "bob@army.ml"}
	p.Observe(mail)
	if got := value(t, lateCount) - before; got != 1000 {
		t.Errorf("Got %v late detections counted after a message, which is none, want 1000", got)
	}
}

func TestObserveOddities(t *testing.T) {
	r := new(sinktest.Receiver)
	p := open(t, destination(r, "odd"))
	p.Observe(&Detection{})                                // no verdict: nothing to count
	p.Observe(&Detection{Verdict: now("army.ml").Verdict}) // nothing else known
	shut(t, p)
	want(t, "records", phases(t, r.All()), []string{"1 first 1", "2 final 0"})
}

func TestOneFileTwoFormats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts")
	var cfg Config
	for _, format := range []string{"ecs", "cef"} {
		d, err := ParseDestination([]string{path, format})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Destinations = append(cfg.Destinations, d)
	}
	if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), "a file takes one format and either groups or every=query, not cef and ecs") {
		t.Errorf("Got error %v, want that a file takes one format", err)
	}
}

func TestDefaultDestination(t *testing.T) {
	cfg, err := Config{}.complete()
	if err != nil || len(cfg.Destinations) != 1 || cfg.Destinations[0].String() != "stdout" || cfg.Sensor == "" {
		t.Errorf("Got %+v and error %v, want stdout", cfg, err)
	}
}

// TestRest holds that commits of new groups take a hundredth of the time, and
// that new groups never wait longer than the tick that tells of them anyway.
func TestRest(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0:                      leastRest,
		100 * time.Microsecond: leastRest,
		2 * time.Millisecond:   598 * time.Millisecond,
		20 * time.Millisecond:  tick,
		time.Minute:            tick,
	} {
		if got := rest(took); got != want {
			t.Errorf("Got a rest of %v after %v, want %v", got, took, want)
		}
	}
}
