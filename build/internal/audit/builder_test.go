package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/test/proof"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// by returns a judge by a Corefile of one directive.
func by(tb testing.TB, directive string) *judge.Judge {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "Corefile")
	if err := os.WriteFile(path, []byte(". {\n"+directive+"\n}\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	file, err := lookalike.Load(path)
	if err != nil {
		tb.Fatal(err)
	}
	return judge.New(file, path)
}

const policy = `lookalike ml {
	protect army.mil navy.mil
	allow   ally.army.ml
	action  high nxdomain
	action  medium monitor
}`

func build(tb testing.TB, directive string, o Options, l limits) *Builder {
	tb.Helper()
	hide, err := report.NewHider(report.Full)
	if err != nil {
		tb.Fatal(err)
	}
	o.Zone, o.Now = time.UTC, now
	return newBuilder(judge.NewSwift(by(tb, directive)), hide, &o, l)
}

// day returns noon of a day of 2026.
func day(month time.Month, d int) time.Time { return time.Date(2026, month, d, 12, 0, 0, 0, time.UTC) }

func mail(at time.Time, from, to string, outcome event.Outcome) event.Event {
	return event.Event{Time: at, Logger: "mx1", Client: "192.0.2.77", Sender: from, Recipient: to, Outcome: outcome, Count: 1, File: "mail.log", Line: 7}
}

func query(at time.Time, client, name, qtype string) event.Event {
	return event.Event{Time: at, Client: client, Name: name, Qtype: qtype, Count: 1}
}

// figures writes the four numbers.
func figures(p *report.Page) string {
	var all []string
	for _, f := range p.Figures {
		n := fmt.Sprint(f.Value)
		if f.Upper > 0 {
			n += fmt.Sprintf("-%d", f.Upper)
		}
		all = append(all, n)
	}
	return strings.Join(all, " ")
}

// names writes what is said of each name.
func names(p *report.Page) string {
	var all []string
	for i := range p.Names {
		n := &p.Names[i]
		all = append(all, fmt.Sprintf("%s %s %d+%d", n.Name, n.Decision, p.Basis.Leaked(&n.Counts), p.Basis.Held(&n.Counts)))
	}
	return strings.Join(all, ", ")
}

func TestBuilder(t *testing.T) {
	const alice, bob = "alice@example.net", "bob@army.ml"
	tests := []struct {
		name     string
		events   []event.Event
		headline string
		figures  string
		names    string
		note     string // a part of one of the notes
	}{
		{"nothing at all", nil, "These logs contain no mail and no queries.", "0 0 0 0", "", ""},
		{
			"nothing found", []event.Event{mail(day(3, 2), alice, "bob@army.mil", event.Delivered), mail(day(3, 4), alice, "bob@example.org", event.Delivered)},
			"No mail to a lookalike name was found among 2 messages between 2 March and 4 March 2026.", "0 0 0 0", "", "Nothing was logged on 1 of 3 days.",
		},
		{
			"delivered and blocked", []event.Event{mail(day(3, 2), alice, bob, event.Delivered), mail(day(3, 2), "eve@example.net", "x@mail.army.ml", event.Delivered)},
			"2 messages from 2 senders left for 1 lookalike name on 2 March 2026. With this policy 2 would have been stopped.", "2 0 2 0", "army.ml blocked 2+0", "",
		},
		{
			"delivered and only reported", []event.Event{mail(day(3, 2), alice, "bob@amry.ml", event.Delivered)},
			"1 message from 1 sender left for 1 lookalike name on 2 March 2026. With this policy 0 would have been stopped; 1 needs a decision first.",
			"1 0 0 1", "amry.ml only reported 1+0", "",
		},
		{
			"came back", []event.Event{mail(day(3, 2), alice, bob, event.Bounced), mail(day(3, 2), alice, bob, event.Rejected), mail(day(3, 2), alice, bob, event.Deferred)},
			"No message reached a lookalike on 2 March 2026, but 3 messages for 1 lookalike name came back or never left.", "0 3 0 0", "army.ml blocked 0+3", "",
		},
		{
			"as typed, not as delivered", []event.Event{{Time: day(3, 2), Sender: alice, Recipient: "bob@example.org", Original: bob, Outcome: event.Delivered, Count: 1}},
			"1 message from 1 sender left for 1 lookalike name on 2 March 2026. With this policy 1 would have been stopped.", "1 0 1 0", "army.ml blocked 1+0", "",
		},
		{
			"repeated lines", []event.Event{{Time: day(3, 2), Sender: alice, Recipient: bob, Outcome: event.Delivered, Count: 3}},
			"3 messages from 1 sender left for 1 lookalike name on 2 March 2026. With this policy 3 would have been stopped.", "3 0 3 0", "army.ml blocked 3+0", "",
		},
		{
			"allowed", []event.Event{mail(day(3, 2), alice, "x@ally.army.ml", event.Delivered)},
			"Only names on the allow list were found on 2 March 2026.", "0 0 0 0", "army.ml allowed 0+0", "1 was let through by the allow list",
		},
		{
			"queries", []event.Event{query(day(3, 2), "192.0.2.25", "army.ml", "MX"), query(day(3, 2), "192.0.2.25", "army.ml", "A"), query(day(3, 3), "192.0.2.26", "amry.ml.", "A")},
			"3 queries from 2 hosts asked for 2 lookalike names between 2 March and 3 March 2026. With this policy 2 would have been stopped; 1 needs a decision first.",
			"3 1-2 2 1", "amry.ml only reported 1+0, army.ml blocked 0+2", "A mail server sends 1 to 9 queries",
		},
		{
			"mail comes first", []event.Event{mail(day(3, 2), alice, bob, event.Delivered), query(day(3, 2), "192.0.2.25", "navy.ml", "MX")},
			"1 message from 1 sender left for 1 lookalike name on 2 March 2026. With this policy 1 would have been stopped.", "1 0 1 0", "army.ml blocked 1+0", "contain 1 query for 1 lookalike name",
		},
		{
			"no time, or one that cannot be", []event.Event{mail(time.Time{}, alice, bob, event.Delivered), mail(time.Unix(0, 0), alice, bob, event.Delivered), mail(day(12, 24), alice, bob, event.Delivered)},
			"3 messages from 1 sender left for 1 lookalike name at unknown times. With this policy 3 would have been stopped.",
			"3 0 3 0", "army.ml blocked 3+0", "3 events without a time",
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := build(t, policy, Options{}, usual)
			for i := range tc.events {
				b.Add(&tc.events[i])
			}
			p := b.Page(now)
			if p.Headline != tc.headline {
				t.Errorf("Got headline\n%s, want\n%s", p.Headline, tc.headline)
			}
			if got := figures(p); got != tc.figures {
				t.Errorf("Got figures %s, want %s", got, tc.figures)
			}
			if got := names(p); got != tc.names {
				t.Errorf("Got names %q, want %q", got, tc.names)
			}
			if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, tc.note) {
				t.Errorf("Got notes %q, want %q in them", notes, tc.note)
			}
		})
	}
}

// TestMeantOnce: the name resembles two protected ones, and one name was meant.
func TestMeantOnce(t *testing.T) {
	b := build(t, "lookalike ml {\nprotect army.mil mail.army.mil\n}", Options{}, usual)
	e := mail(day(3, 2), "alice@example.net", "bob@mail.army.ml", event.Delivered)
	b.Add(&e)
	if n := b.Page(now).Names[0]; len(n.Protected) != 2 || !slices.Equal(n.DidYouMean, []string{"mail.army.mil"}) {
		t.Errorf("Got protected %q, meant %q", n.Protected, n.DidYouMean)
	}
}

// TestWithin asks for a time.
func TestWithin(t *testing.T) {
	b := build(t, policy, Options{Since: day(3, 2), Until: day(3, 4)}, usual)
	for d := 1; d <= 5; d++ {
		e := mail(day(3, d), "a@example.net", "b@army.ml", event.Delivered)
		b.Add(&e)
	}
	e := mail(time.Time{}, "a@example.net", "b@army.ml", event.Delivered)
	b.Add(&e)
	p := b.Page(now)
	if p.Total.Delivered != 2 || !strings.Contains(strings.Join(p.Notes, " "), "4 events outside the requested period were left out.") {
		t.Errorf("Got %+v, notes %q", p.Total, p.Notes)
	}
}

// TestCandidates: what speaks for a name, and what line comes of it.
func TestCandidates(t *testing.T) {
	went := func(name string, days ...int) (all []event.Event) {
		for _, d := range days {
			all = append(all, mail(day(1, d), "alice@example.net", "bob@"+name, event.Delivered))
		}
		return all
	}
	came := func(name string, days ...int) (all []event.Event) {
		for _, d := range days {
			all = append(all, mail(day(1, d), "bob@"+name, "alice@example.net", event.Delivered))
		}
		return all
	}
	var crowd, years []event.Event
	for i := range 6 {
		crowd = append(crowd, mail(day(1, 1), fmt.Sprintf("user%d@example.net", i), "bob@amry.ml", event.Delivered))
	}
	for i := range 12 {
		years = append(years, went("amry.ml", 1+10*i)...)
	}
	tests := []struct {
		name   string
		events [][]event.Event
		line   string // empty: nothing speaks for it
		decide report.Decision
	}{
		{"one message", [][]event.Event{went("amry.ml", 1)}, "", report.Reported},
		{"mail both ways", [][]event.Event{went("amry.ml", 1, 5), came("mail.amry.ml", 2, 9)},
			"amry.ml  # 2 messages came from it and 2 went there; resembles army.mil (typo)", report.Reported},
		{"both ways, but on one day", [][]event.Event{went("amry.ml", 1, 5), came("amry.ml", 2, 2)}, "", report.Reported},
		{"both ways with the closest of lookalikes", [][]event.Event{went("army.ml", 1, 5), came("army.ml", 2, 9)},
			"# army.ml  # ask who holds it: 2 messages came from it and 2 went there; resembles army.mil (tld-swap)", report.Ask},
		{"many senders", [][]event.Event{crowd}, "# amry.ml  # popularity is no proof: 6 senders; resembles army.mil (typo)", report.Reported},
		{"a long history", [][]event.Event{years}, "# amry.ml  # popularity is no proof: on 12 days over 110; resembles army.mil (typo)", report.Reported},
		{"only came", [][]event.Event{came("amry.ml", 1, 2, 3)}, "", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := build(t, policy, Options{}, usual)
			for _, events := range tc.events {
				for i := range events {
					b.Add(&events[i])
				}
			}
			p := b.Page(now)
			line := ""
			if len(p.Allow) > 0 {
				line = p.Allow[0].Line
			}
			if line != tc.line || len(p.Allow) > 1 {
				t.Errorf("Got %+v, want line %q", p.Allow, tc.line)
			}
			var decided report.Decision
			if len(p.Names) > 0 {
				decided = p.Names[0].Decision
			}
			if decided != tc.decide {
				t.Errorf("Got decision %q, want %q", decided, tc.decide)
			}
		})
	}
}

// TestMemory makes a log as long as one likes, with ever new names, senders,
// hosts and days: memory stays bounded, and the totals right.
func TestMemory(t *testing.T) {
	small := limits{names: 200, entries: 2000, days: 1000, messages: 300, others: 500}
	b := build(t, "lookalike ml {\nprotect army.mil\n}", Options{}, small)
	n := proof.N(20_000, 1_000_000)
	var before, after runtime.MemStats
	for i := range n {
		if i == n/10 {
			runtime.GC()
			runtime.ReadMemStats(&before)
		}
		e := mail(day(1, 1).Add(time.Duration(i)*time.Minute), fmt.Sprintf("user%d@h%d.example.net", i, i%5000), fmt.Sprintf("bob@army-%d.ml", i), event.Delivered)
		e.Client = fmt.Sprintf("192.0.2.%d", i)
		b.Add(&e)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("Got %d bytes more after %d events than after %d", grown, n, n/10)
	}
	p := b.Page(now)
	if p.Total.Delivered != uint64(n) || len(p.Names) != int(small.names) || p.Read.LeftOut != uint64(n-int(small.names)) {
		t.Errorf("Got %d delivered, %d names, %d left out", p.Total.Delivered, len(p.Names), p.Read.LeftOut)
	}
}

func BenchmarkAdd(b *testing.B) {
	builder := build(b, policy, Options{}, usual)
	for _, to := range []string{"bob@example.org", "bob@example.ml", "bob@army.ml"} {
		b.Run(to, func(b *testing.B) {
			e := mail(day(3, 2), "alice@example.net", to, event.Delivered)
			b.ReportAllocs()
			for b.Loop() {
				builder.Add(&e)
			}
		})
	}
}
