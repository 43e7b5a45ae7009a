package console

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// alert returns the n-th record of the group of a client and a name.
func alert(n int, client, name string, change ...func(*record.Record)) *alertlog.Record {
	r := recordtest.First()
	r.ID = fmt.Sprintf("%s %s %d", client, name, n)
	r.Group = client + name
	r.Client = recordtest.Detection(client, name, name, recordtest.Epoch).Client.Addr()
	r.Name, r.Registrable, r.Samples = name, name, []string{name}
	r.Start = recordtest.Epoch.Add(time.Duration(n) * time.Minute)
	r.End = r.Start
	if n > 0 {
		r.Phase = record.Update
	}
	for _, f := range change {
		f(r)
	}
	return &alertlog.Record{Record: *r, Text: "an alert"}
}

// names returns those that the filter chooses.
func names(t *testing.T, s *store, query string) string {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFilter(q, recordtest.Epoch.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	s.Each(f, 0, 0, 10, func(i *incident) { all = append(all, i.Name) })
	return strings.Join(all, " ")
}

func TestFilter(t *testing.T) {
	s := newStore()
	s.Add(alert(0, "192.0.2.25", "army.ml"))
	s.Add(alert(1, "192.0.2.26", "navy.ml", func(r *record.Record) {
		r.Action, r.Class, r.Confidence, r.Protected = record.Monitor, detect.Typo, detect.Medium, []string{"navy.mil"}
	}))
	s.Add(alert(90, "2001:db8::25", "mail.army.ml", func(r *record.Record) {
		r.SMTP = []record.SMTP{{From: "alice@example.net", To: "Bob@mail.army.ml"}}
	}))
	tests := []struct{ name, query, want string }{
		{"all, the latest change first", "", "mail.army.ml navy.ml army.ml"},
		{"a client", "client=192.0.2.25", "army.ml"},
		{"a network", "client=192.0.2.0/24", "navy.ml army.ml"},
		{"a part of the name", "name=army", "mail.army.ml army.ml"},
		{"a part of the protected name", "name=NAVY.mil", "navy.ml"},
		{"a class", "class=typo", "navy.ml"},
		{"a confidence", "confidence=high", "mail.army.ml army.ml"},
		{"an action", "action=monitor", "navy.ml"},
		{"within the last hour", "within=hour", "mail.army.ml"},
		{"within the last day", "within=day", "mail.army.ml navy.ml army.ml"},
		{"words", "q=army+2001:db8", "mail.army.ml"},
		{"an envelope", "q=bob@mail", "mail.army.ml"},
		{"words of which one is nowhere", "q=army+xyz", ""},
		{"all at once", "q=army&class=tld-swap&client=192.0.2.25&action=nxdomain", "army.ml"},
		{"unknown words of a query", "colour=red", "mail.army.ml navy.ml army.ml"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := names(t, s, tc.query); got != tc.want {
				t.Errorf("Got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFilterRefused(t *testing.T) {
	for _, query := range []string{"client=here", "class=tipo", "action=block", "confidence=sure"} {
		q, _ := url.ParseQuery(query)
		if _, err := parseFilter(q, time.Now()); err == nil {
			t.Errorf("%s: no error", query)
		}
	}
}

func TestIncidents(t *testing.T) {
	from := func(sensor string) func(*record.Record) {
		return func(r *record.Record) { r.Sensor = sensor }
	}
	tests := []struct {
		name    string
		records []*alertlog.Record
		want    string // name, queries and resolvers of each, the latest change first
	}{
		{"a group", []*alertlog.Record{alert(0, "192.0.2.25", "army.ml"), alert(5, "192.0.2.25", "army.ml")}, "army.ml 2 1"},
		{"a record twice", []*alertlog.Record{alert(0, "192.0.2.25", "army.ml"), alert(0, "192.0.2.25", "army.ml")}, "army.ml 1 1"},
		{"two resolvers", []*alertlog.Record{
			alert(0, "192.0.2.25", "army.ml", from("ns1")), alert(1, "192.0.2.25", "army.ml", from("ns2")),
		}, "army.ml 2 2"},
		{"the group again, later", []*alertlog.Record{alert(0, "192.0.2.25", "army.ml"), alert(11, "192.0.2.25", "army.ml")}, "army.ml 1 1, army.ml 1 1"},
		{"the ended one once more", []*alertlog.Record{
			alert(0, "192.0.2.25", "army.ml"), alert(11, "192.0.2.25", "army.ml"), alert(0, "192.0.2.25", "army.ml"),
		}, "army.ml 2 1, army.ml 1 1"},
		{"what changed comes first", []*alertlog.Record{
			alert(0, "192.0.2.25", "army.ml"), alert(1, "192.0.2.25", "navy.ml"), alert(2, "192.0.2.25", "army.ml"),
		}, "army.ml 2 1, navy.ml 1 1"},
		{"tests are none", []*alertlog.Record{alert(0, "192.0.2.25", "army.ml", func(r *record.Record) { r.Phase = record.Test })}, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newStore()
			for _, r := range tc.records {
				s.Add(r)
			}
			var got []string
			s.Each(new(filter), 0, 0, 10, func(i *incident) {
				got = append(got, fmt.Sprintf("%s %d %d", i.Name, i.Queries, len(i.Sensors)))
			})
			if g := strings.Join(got, ", "); g != tc.want {
				t.Errorf("Got %s, want %s", g, tc.want)
			}
		})
	}
}

// What an incident keeps is bounded, and so is how many there are.
func TestBounds(t *testing.T) {
	s := newStore()
	for n := range 3 * mostEntries {
		s.Add(alert(n, "192.0.2.25", "army.ml"))
	}
	s.Each(new(filter), 0, 0, 1, func(i *incident) {
		if len(i.Entries) != mostEntries || i.Dropped != 2*mostEntries || i.Queries != 3*mostEntries {
			t.Errorf("%d records, %d dropped, %d queries", len(i.Entries), i.Dropped, i.Queries)
		}
	})
	s.most = 50
	for n := range s.most + 10 {
		s.Add(alert(0, "192.0.2.25", fmt.Sprintf("army%d.ml", n)))
	}
	if len(s.byID) != s.most || len(s.byGroup) != s.most || s.dropped != 11 {
		t.Errorf("%d incidents, %d groups, %d dropped", len(s.byID), len(s.byGroup), s.dropped)
	}
	for m := range 10 * mostMinutes {
		s.activity.add(recordtest.Epoch.Add(time.Duration(m)*time.Minute), 1, true, true)
	}
	if len(s.activity) > mostMinutes {
		t.Errorf("%d minutes", len(s.activity))
	}
}

func TestActivity(t *testing.T) {
	now := recordtest.Epoch
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	a := make(activity)
	a.add(now, 1, true, true)
	a.add(ago(30*time.Minute), 2, false, true)
	a.add(ago(2*time.Hour), 4, true, false)
	a.add(ago(3*24*time.Hour), 8, true, true)
	a.add(ago(8*24*time.Hour), 16, true, true)
	tests := []struct {
		window string
		want   counts
		bars   int
	}{
		{"hour", counts{2, 1, 2}, 60},
		{"day", counts{2, 5, 2}, 96},
		{"week", counts{3, 13, 2}, 84},
		{"nonsense, which is a day", counts{2, 5, 2}, 96},
	}
	for _, tc := range tests {
		buckets, got := a.series(windowOf(tc.window), now)
		if got != tc.want || len(buckets) != tc.bars {
			t.Errorf("%s: %+v in %d buckets, want %+v in %d", tc.window, got, len(buckets), tc.want, tc.bars)
		}
		var sum counts
		for _, b := range buckets {
			sum.add(&b)
		}
		if sum != got {
			t.Errorf("%s: the buckets have %+v", tc.window, sum)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	s := newStore()
	for n := range 100_000 {
		s.Add(alert(0, "192.0.2.25", fmt.Sprintf("army%d.ml", n)))
	}
	f := &filter{Words: []string{"army7.ml", "nowhere"}}
	for b.Loop() {
		s.Each(f, 0, 0, rowsShown, func(*incident) {})
	}
}
