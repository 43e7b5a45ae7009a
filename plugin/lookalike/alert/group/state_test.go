package group

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// TestGroupID holds that groups have the same name on every sensor.
func TestGroupID(t *testing.T) {
	k := key{Class: detect.TLDSwap, Client: netip.MustParseAddr("192.0.2.25"), Name: "army.ml", Action: record.NXDomain}
	if got, want := k.id(), "bc9cd430290f5905"; got != want {
		t.Errorf("Got %q, want %q", got, want)
	}
	other := k
	other.Action = record.Monitor
	if other.id() == k.id() {
		t.Error("Got one name for two groups")
	}
}

// TestRestoreJoins restores a group that has begun again meanwhile: what both
// counted is told.
func TestRestoreJoins(t *testing.T) {
	before, tab := New(func() {}), New(func() {})
	for range 5 {
		before.Observe(recordtest.Detection("192.0.2.25", "mx.army.ml", "army.ml", recordtest.Epoch))
	}
	before.Announcements()
	for range 3 {
		tab.Observe(recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch.Add(time.Minute)))
	}
	for _, state := range before.Checkpoint() {
		if _, _, err := tab.Restore(encode(t, state)); err != nil {
			t.Fatal(err)
		}
	}
	if n := tab.Pending(); n != 7 {
		t.Errorf("Got %d pending, want 3 and the 4 that no record had carried", n)
	}
	told, last := uint64(0), (*record.Record)(nil)
	for _, r := range tab.Close(recordtest.Epoch.Add(2 * time.Minute)) {
		told, last = told+r.Count, r.Record
	}
	if told != 7 || last.Total != 8 || !last.FirstSeen.Equal(recordtest.Epoch) || len(last.Samples) != 2 {
		t.Errorf("Got %d told, last record %+v", told, last)
	}
	if n := tab.Pending(); n != 0 {
		t.Errorf("Got %d pending in the end", n)
	}
}

// TestRestoreKnows restores a group that has begun again meanwhile: what its records
// told of before is no news the second time.
func TestRestoreKnows(t *testing.T) {
	at := func(seconds int) *record.Detection {
		return recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch.Add(time.Duration(seconds)*time.Second))
	}
	exception := &record.Exception{Name: "army.ml", Until: "2026-11-22"}
	tests := []struct {
		name string
		news func(d *record.Detection)
	}{
		{"a way to the name", func(d *record.Detection) { d.Via = "partner.example" }},
		{"an exception that has ended", func(d *record.Detection) { d.Exception = exception }},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			before, tab := New(func() {}), New(func() {})
			told, again := at(0), at(70)
			tc.news(told)
			tc.news(again)
			before.Observe(told)
			before.Announcements()
			before.MarkAllDirty()
			tab.Observe(at(60))
			tab.Announcements()
			for _, state := range before.Checkpoint() {
				if _, _, err := tab.Restore(encode(t, state)); err != nil {
					t.Fatal(err)
				}
			}
			tab.Observe(again)
			if records, _ := tab.Sweep(at(80).Time); len(records) > 0 {
				t.Errorf("Got record %+v, want none before its time", records[0].Record)
			}
			if records, _ := tab.Sweep(at(120).Time); len(records) != 1 || records[0].Count != 1 {
				t.Errorf("Got records %+v, want one of one query", records)
			}
		})
	}
}

// TestRecord holds that a record has everything that its group has.
func TestRecord(t *testing.T) {
	d := recordtest.Detection("192.0.2.25", "mail.xn--rmy-5cd.ml", "xn--rmy-5cd.ml", recordtest.Epoch)
	d.Verdict.Class = detect.IDNHomoglyph
	d.Verdict.Unicode = "mail.\u202eаrmy.ml" // with what turns text around
	d.Verdict.Matches = []detect.Match{{Protected: "army.mil", DidYouMean: "mail.army.mil"}, {Protected: "arm.mil", DidYouMean: "mail.arm.mil"}}
	d.Context, d.Via, d.View = "tlsa", "partner.example", "mail"
	d.Answers = []netip.Addr{netip.MustParseAddr("192.0.2.99")}
	d.Action = record.Sinkhole
	g := &group{State: State{
		key: keyOf(d), First: recordtest.Epoch, Last: recordtest.Epoch.Add(5 * time.Minute), Total: 57, Det: *d,
		Window: window{
			Count: 42, Start: recordtest.Epoch.Add(time.Minute),
			Qtypes:    [maxQtypes]uint16{15, 1, 28},
			Others:    true,
			Samples:   []string{"mail.xn--rmy-5cd.ml", "mx1.xn--rmy-5cd.ml"},
			Envelopes: []record.SMTP{{From: "alice@example.org", To: "bob@army.ml", HELO: "mx.example.org"}},
		},
	}}
	g.Window.addFacts(d)
	other := *d
	other.Via = "other.example"
	g.Window.addFacts(&other)
	want := recordtest.Sample()
	want.ID, want.Epoch, want.Sequence, want.Created, want.Sensor, want.Version = "", "", 0, time.Time{}, "", ""
	want.Group = g.id()
	if got := newRecord(g, record.Update); !reflect.DeepEqual(got, want) {
		t.Errorf("Got record\n%+v, want\n%+v", got, want)
	}
	// So has one of the group as it is after a restart.
	tab := New(func() {})
	if id, n, err := tab.Restore(encode(t, g.state())); id != g.id() || n != 42 || err != nil {
		t.Fatalf("Got group %s, %d detections and error %v, want %s and 42", id, n, err, g.id())
	}
	records := tab.Close(recordtest.Epoch)
	want.Phase = record.Final
	if len(records) != 1 || !reflect.DeepEqual(records[0].Record, want) {
		t.Errorf("Got records %+v after a restart, want\n%+v", records, want)
	}
}

// TestFirst holds that the record of a detection without a group is that of a
// group's first.
func TestFirst(t *testing.T) {
	d := recordtest.Detection("2001:db8::25", "army.ml", "army.ml", recordtest.Epoch)
	want := recordtest.First()
	got := First(d)
	got.ID, got.Sensor = want.ID, want.Sensor
	want.Group = got.Group
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Got record\n%+v, want\n%+v", got, want)
	}
}

func TestRestoreFails(t *testing.T) {
	tab := New(func() {})
	for _, state := range []string{"", "{", "{}", `{"Class":"typo"}`, `{"Class":"no-class","Det":{"Verdict":{}}}`} {
		if id, _, err := tab.Restore([]byte(state)); err == nil {
			t.Errorf("Got group %s of %q", id, state)
		}
	}
}
