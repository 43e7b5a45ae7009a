package lists

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// clock is one that tests set.
type clock struct{ atomic.Pointer[time.Time] }

func (c *clock) now() time.Time       { return *c.Load() }
func (c *clock) set(now time.Time)    { c.Store(&now) }
func (c *clock) move(d time.Duration) { c.set(c.now().Add(d)) }

// TestEnds sets the clock, one look after the other, and holds what is told at
// each, and what the exception does then.
func TestEnds(t *testing.T) {
	const ended, within = "exceptions that have ended let nothing pass: ", "exceptions end within "
	type look struct {
		at     string
		want   string // of a warning; empty: there is none
		passes bool
	}
	tests := []struct {
		name, line string
		looks      []look
	}{
		{"the notices of a day", "partner.ml until=2026-12-31 owner=mail@example.net", []look{
			{"2026-12-01T23:59:59Z", "", true},
			{"2026-12-02T00:00:00Z", within + "30 days: partner.ml (until 2026-12-31, owner mail@example.net, FILE:1): give those that are still needed a later until", true},
			{"2026-12-02T00:00:01Z", "", true},
			{"2026-12-24T23:59:59Z", "", true},
			{"2026-12-25T00:00:00Z", within + "7 days: partner.ml", true},
			{"2026-12-30T23:59:59Z", "", true},
			{"2026-12-31T00:00:00Z", within + "a day: partner.ml", true},
			{"2026-12-31T23:59:59Z", "", true},
			{"2027-01-01T00:00:00Z", ended + "partner.ml (until 2026-12-31, owner mail@example.net, FILE:1): remove them, or give them a later until", false},
			{"2027-01-01T00:00:01Z", "", false},
		}},
		{"a clock in another zone", "partner.ml until=2026-12-31", []look{
			{"2027-01-01T01:59:59+02:00", "", true},
			{"2027-01-01T02:00:00+02:00", ended + "partner.ml (until 2026-12-31, FILE:1)", false},
		}},
		{"a clock that jumps over all", "partner.ml until=2026-12-31", []look{
			{"2026-11-26T12:00:00Z", "", true},
			{"2027-06-01T00:00:00Z", ended, false},
			{"2027-06-01T00:00:01Z", "", false},
		}},
		{"a clock that jumps over some", "partner.ml until=2026-12-31", []look{
			{"2026-11-26T12:00:00Z", "", true},
			{"2026-12-28T12:00:00Z", within + "7 days", true},
			{"2026-12-28T12:00:01Z", "", true},
		}},
		{"a clock that is set back", "partner.ml until=2026-12-31", []look{
			{"2026-12-31T12:00:00Z", "", true},
			{"2027-01-01T12:00:00Z", ended, false},
			{"2026-12-31T23:59:00Z", "", true},
			{"2026-12-31T23:59:01Z", "", true},
			{"2027-01-01T00:00:00Z", ended, false},
		}},
		{"a time", "partner.ml until=2026-12-31T12:00:00Z", []look{
			{"2026-12-31T11:59:59Z", "", true},
			{"2026-12-31T12:00:00Z", ended + "partner.ml (until 2026-12-31T12:00:00Z", false},
		}},
		{"none", "partner.ml owner=mail@example.net", []look{
			{"2026-12-31T11:59:59Z", "", true},
			{"2099-12-31T12:00:00Z", "", true},
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "allow.txt")
			write(t, file, tc.line+"\n")
			var c clock
			last := at(t, tc.looks[0].at).Add(-time.Second)
			c.set(last)
			l := New(Config{TLDs: []string{"ml"}, Allow: spec(t, file), Where: "Corefile:1", Now: c.now})
			if err := l.Load(); err != nil {
				t.Fatal(err)
			}
			for _, look := range tc.looks {
				now := at(t, look.at)
				c.set(now)
				got := strings.ReplaceAll(strings.Join(l.news(last, now), "\n"), file, "FILE")
				if look.want == "" && got != "" || !strings.HasPrefix(strings.TrimPrefix(got, "Corefile:1: "), look.want) {
					t.Errorf("%s: got %q, want %q", look.at, got, look.want)
				}
				if e, passes := l.Exception("mx.partner.ml.", netip.Addr{}, detect.Typo); passes != look.passes || e == nil {
					t.Errorf("%s: %v passes: %v", look.at, e, passes)
				}
				last = now
			}
		})
	}
}

// TestEndsAtLoad holds what is said of a list that is read: at start, after a
// reload and by the tool.
func TestEndsAtLoad(t *testing.T) {
	tests := []struct {
		name, list string
		summary    string
		want       []string // parts of the doubts
	}{
		{"nothing ends", "a.ml\nb.ml owner=x\n", "2 allowed names", nil},
		{"far away", "a.ml until=2027-11-26\n", "1 allowed name", nil},
		{"soon", "a.ml until=2026-12-01\nb.ml until=2026-12-20\nc.ml\n", "3 allowed names (2 exceptions end within 30 days)",
			[]string{"within 30 days: a.ml (until 2026-12-01, FILE:1) and b.ml (until 2026-12-20, FILE:2): give those"}},
		{"today", "a.ml until=2026-11-26\n", "1 allowed name (1 exception ends within 30 days)", []string{"within a day: a.ml"}},
		{"ended", "a.ml until=2026-11-25\n", "1 allowed name", []string{"have ended let nothing pass: a.ml (until 2026-11-25, FILE:1): remove them"}},
		{"ended, soon and twice", "a.ml until=2026-11-25\nb.ml until=2026-11-30\nb.ml\n", "2 allowed names (1 exception ends within 30 days)",
			[]string{"have ended", "within 7 days: b.ml", "FILE:3: b.ml is listed at FILE:2, too"}},
		{"many", strings.Repeat("a.ml until=2026-11-25\n", 7), "1 allowed name", []string{"FILE:4) and 3 more: remove", "", "", "", "", "", "1 more"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "allow.txt")
			write(t, file, tc.list)
			now := func() time.Time { return at(t, "2026-11-26T12:00:00Z") }
			l := New(Config{TLDs: []string{"ml"}, Allow: spec(t, file), Where: "Corefile:1", Now: now})
			if err := l.Load(); err != nil {
				t.Fatal(err)
			}
			if got := l.Exceptions(); got != tc.summary {
				t.Errorf("Got %q, want %q", got, tc.summary)
			}
			got := l.Doubts()
			if len(got) != len(tc.want) {
				t.Fatalf("Got %q, want %q", got, tc.want)
			}
			for i, want := range tc.want {
				if !strings.Contains(strings.ReplaceAll(got[i], file, "FILE"), want) {
					t.Errorf("Got %q, want it to contain %q", got[i], want)
				}
			}
		})
	}
}

// TestExpiresMetric holds that the metric shows the next end of a directive while
// it runs, counts down by the clock, and is gone behind the last end and the last
// server.
func TestExpiresMetric(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.txt")
	write(t, file, "a.ml until=2000-01-01T00:00:10Z\nb.ml until=2000-01-01T00:00:30Z\nc.ml\n")
	synctest.Test(t, func(t *testing.T) {
		c := Config{TLDs: []string{"ml"}, Allow: spec(t, file), Where: "Corefile:1", Block: t.Name()}
		l := New(c)
		if err := l.Load(); err != nil {
			t.Fatal(err)
		}
		l.Start()
		Publish(l)
		told := make(chan struct{}, 1)
		defer l.Subscribe(told)()
		for _, want := range []struct {
			at      time.Duration
			seconds float64 // 0: there is no metric
		}{{0, 10}, {4 * time.Second, 6}, {10 * time.Second, 20}, {29 * time.Second, 1}, {30 * time.Second, 0}} {
			time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(want.at)))
			synctest.Wait()
			shown := testutil.CollectAndCount(allowExpires)
			if want.seconds == 0 && shown != 0 || want.seconds > 0 && testutil.ToFloat64(allowExpires.WithLabelValues(c.Block, c.Where)) != want.seconds {
				t.Errorf("After %v got %d metrics, of %v seconds, want %v", want.at, shown, testutil.ToFloat64(allowExpires.WithLabelValues(c.Block, c.Where)), want.seconds)
			}
		}
		if got := slices.Collect(l.AllowedNames()); len(told) != 1 || !slices.Equal(got, []string{"c.ml"}) {
			t.Errorf("Got %q, told %d times", got, len(told))
		}
		l.Stop()
		if n := testutil.CollectAndCount(allowExpires); n != 0 {
			t.Errorf("Got %d metrics of servers that have stopped", n)
		}
	})
}

// TestUsesOutliveReloads uses an exception before a reload of its list, after it,
// in the server that takes over, and after a restart.
func TestUsesOutliveReloads(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "allow.txt")
	write(t, file, "partner.ml\nother.ml owner=x\n")
	var c clock
	c.set(at(t, "2026-11-26T12:00:00Z"))
	begin := func() *Lists {
		l := New(Config{TLDs: []string{"ml"}, Protect: spec(t, "army.mil"), Allow: spec(t, file), Uses: dir, Now: c.now})
		if err := l.Load(); err != nil {
			t.Fatal(err)
		}
		l.Start()
		return l
	}
	use := func(l *Lists) {
		for _, name := range []string{"mx.partner.ml.", "partner.ml.", "other.ml."} {
			if _, passes := l.Exception(name, netip.Addr{}, detect.Typo); !passes {
				t.Errorf("%s does not pass", name)
			}
		}
		c.move(24 * time.Hour)
	}
	first := begin()
	use(first)
	write(t, file, "other.ml owner=x # moved\npartner.ml\n")
	if err := reloadList(&first.allow); err != nil {
		t.Fatal(err)
	}
	use(first)
	second := begin()
	use(second)
	first.Stop()
	use(second)
	second.Stop()
	third := begin()
	use(third)
	third.Stop()
	got, err := exception.ReadUses(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"partner.ml", "other.ml"} {
		if want := (exception.Used{First: "2026-11-26", Last: "2026-11-30", Days: 5}); got.Of(name) != want {
			t.Errorf("Got %+v of %s, want %+v", got.Of(name), name, want)
		}
	}
}

// TestFailedReloadKeepsExceptions: a list that breaks the rules of its file changes
// nothing.
func TestFailedReloadKeepsExceptions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.txt")
	write(t, file, "partner.ml owner=x until=2027-01-01\n")
	s := spec(t)
	var err error
	if s.Rules, err = exception.ParseRules("Corefile:2", rules("require owner until", "max 365d")); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(file, "Corefile:2"); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return at(t, "2026-11-26T12:00:00Z") }
	l := start(t, Config{TLDs: []string{"ml"}, Protect: spec(t, "army.mil"), Allow: s, Now: now})[0]
	for _, tc := range []struct{ list, want string }{
		{"other.ml\n", ":1: \"other.ml\": lacks words that Corefile:2 requires"},
		{"partner.ml owner=x until=2027-01-01\nother.ml owner=x until=2027-11-27\n", ":2: \"other.ml owner=x until=2027-11-27\": until=2027-11-27 exceeds the 365 days"},
		{"other.ml owner=x until=2027-02-30\n", "not a calendar day"},
	} {
		write(t, file, tc.list)
		if err := reloadList(&l.allow); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Got error %v, want it to contain %q", err, tc.want)
		}
		names := []string{"partner.ml.", "other.ml."}
		passing := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			_, passes := l.Exception(name, netip.Addr{}, detect.Typo)
			return !passes
		})
		if !slices.Equal(passing, names[:1]) {
			t.Errorf("%v pass, want the list before to stay", passing)
		}
	}
}
