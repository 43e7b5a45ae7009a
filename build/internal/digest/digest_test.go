package digest

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/test/proof"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// alert returns an alert of the n-th number of a server's sequence, at noon of a
// day of November (of October, where it is negative), about count queries for
// army.ml by a host.
func alert(n uint64, day int, host string, count uint64) *alertlog.Record {
	at := time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC)
	if day < 0 {
		at = time.Date(2026, 10, -day, 12, 0, 0, 0, time.UTC)
	}
	return &alertlog.Record{File: "alerts.json", Line: int(n), Record: record.Record{
		ID: fmt.Sprint(n), Epoch: "e", Sequence: n, Phase: record.Update, Group: host + " army.ml", Start: at, End: at, FirstSeen: at,
		Class: detect.TLDSwap, Confidence: detect.High, Action: record.NXDomain, Reason: "only the TLD differs", Rcode: "NXDOMAIN",
		Client: netip.MustParseAddr(host), Name: "army.ml", Registrable: "army.ml", Protected: []string{"army.mil"}, DidYouMean: []string{"army.mil"},
		Count: count, Total: count, Qtypes: []string{"MX", "A"}, Sensor: "ns1", Version: "1.0.0",
	}}
}

// but changes an alert.
func but(r *alertlog.Record, change func(*alertlog.Record)) *alertlog.Record {
	change(r)
	return r
}

func build(tb testing.TB) *Builder {
	tb.Helper()
	hide, err := report.NewHider(report.Full)
	if err != nil {
		tb.Fatal(err)
	}
	return New(now, hide)
}

func TestBuilder(t *testing.T) {
	const a, b = "192.0.2.25", "192.0.2.26"
	tests := []struct {
		name     string
		alerts   []*alertlog.Record
		headline string
		figures  string // blocked, reported, messages, incidents
		note     string // a part of the notes and of those of the figures
	}{
		{"nothing", nil, "In November 2026, no query for a lookalike was reported.", "0 0 0 0", "no data for October"},
		{
			"one", []*alertlog.Record{alert(1, 3, a, 1)},
			"In November 2026, 1 host asked once for 1 lookalike name, in 1 incident. 1 query was blocked, 0 only reported.", "1 0 1 1", "a mail server sends 1 to 9 queries",
		},
		{
			"updates of one incident", []*alertlog.Record{alert(1, 3, a, 1), alert(2, 3, a, 9), alert(3, 4, a, 20)},
			"In November 2026, 1 host asked 30 times for 1 lookalike name, in 1 incident. 30 queries were blocked, 0 only reported.", "30 0 4-30 1", "",
		},
		{
			"two hosts, one only reported", []*alertlog.Record{alert(1, 3, a, 5), but(alert(2, 3, b, 7), func(r *alertlog.Record) { r.Action = record.Monitor })},
			"In November 2026, 2 hosts asked 12 times for 1 lookalike name, in 2 incidents. 5 queries were blocked, 7 only reported.", "5 7 2-12 2", "",
		},
		{
			"the month before", []*alertlog.Record{alert(1, -3, a, 40), alert(2, 3, a, 30)},
			"In November 2026, 1 host asked 30 times for 1 lookalike name, in 1 incident. 30 queries were blocked, 0 only reported.", "30 0 4-30 1", "25 % fewer queries than in October",
		},
		{
			"other months", []*alertlog.Record{but(alert(1, 1, a, 5), func(r *alertlog.Record) { r.End = r.End.AddDate(0, 1, 0) }), but(alert(2, 1, a, 5), func(r *alertlog.Record) { r.End = r.End.AddDate(0, -2, 0) })},
			"In November 2026, no query for a lookalike was reported.", "0 0 0 0", "",
		},
		{
			"twice, by two files", []*alertlog.Record{alert(1, 3, a, 5), alert(2, 3, a, 5), but(alert(1, 3, a, 5), func(r *alertlog.Record) { r.File = "copy.json" })},
			"In November 2026, 1 host asked 10 times for 1 lookalike name, in 1 incident. 10 queries were blocked, 0 only reported.", "10 0 2-10 1", "1 alert was in more than one file",
		},
		{
			"mail that came in was checked", []*alertlog.Record{but(alert(1, 3, a, 5), func(r *alertlog.Record) { r.Contexts = []string{"spf"} })},
			"In November 2026, 1 host asked 5 times for 1 lookalike name, in 1 incident. 5 queries were blocked, 0 only reported.", "5 0 0 1", "",
		},
		{
			"no mail server", []*alertlog.Record{but(alert(1, 3, a, 5), func(r *alertlog.Record) { r.Qtypes = []string{"A", "AAAA"} })},
			"In November 2026, 1 host asked 5 times for 1 lookalike name, in 1 incident. 5 queries were blocked, 0 only reported.", "5 0 0 1", "",
		},
		{
			"a storm", []*alertlog.Record{but(alert(1, 3, a, 500), func(r *alertlog.Record) { r.Phase, r.Registrable = record.Storm, record.Any })},
			"In November 2026, 1 host asked 500 times for 0 lookalike names, in 1 incident. 500 queries were blocked, 0 only reported.", "500 0 0 1", "500 queries were rolled up over many names",
		},
		{
			"a test", []*alertlog.Record{but(alert(0, 3, a, 0), func(r *alertlog.Record) { r.Phase = record.Test })},
			"In November 2026, no query for a lookalike was reported.", "0 0 0 0", "1 alert was of the test command",
		},
		{
			"refused by the SMTP responder", []*alertlog.Record{but(alert(1, 3, a, 2), func(r *alertlog.Record) {
				r.SMTP, r.SMTPMore = []record.SMTP{{From: "alice@example.net", To: "bob@army.ml"}}, 2
			})},
			"In November 2026, 1 host asked 2 times for 1 lookalike name, in 1 incident. 2 queries were blocked, 0 only reported.", "2 0 1-2 1", "The SMTP responder refused 3 messages.",
		},
		{
			"groups and single queries", []*alertlog.Record{alert(1, 3, a, 1), but(alert(0, 3, a, 1), func(r *alertlog.Record) { r.Phase = record.Query })},
			"In November 2026, 1 host asked 2 times for 1 lookalike name, in 1 incident. 2 queries were blocked, 0 only reported.", "2 0 1-2 1", "use files of one kind",
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := build(t)
			for _, r := range tc.alerts {
				b.Add(r)
			}
			p := b.Page(now)
			if p.Headline != tc.headline {
				t.Errorf("Got headline\n%s, want\n%s", p.Headline, tc.headline)
			}
			var figures, notes []string
			for _, f := range p.Figures {
				n := fmt.Sprint(f.Value)
				if f.Upper > 0 {
					n += fmt.Sprintf("-%d", f.Upper)
				}
				figures, notes = append(figures, n), append(notes, f.Note)
			}
			if got := strings.Join(figures, " "); got != tc.figures {
				t.Errorf("Got figures %s, want %s", got, tc.figures)
			}
			if all := strings.Join(append(notes, p.Notes...), "\n"); !strings.Contains(all, tc.note) {
				t.Errorf("Got notes %q, want %q", all, tc.note)
			}
		})
	}
}

// TestHealth: what a server numbered and did not come is missing, and what it
// says was lost is told.
func TestHealth(t *testing.T) {
	b := build(t)
	for _, n := range []uint64{1, 2, 5, 6, 4, 9} {
		b.Add(alert(n, 3, "192.0.2.25", 1))
	}
	b.Add(but(alert(40, 3, "192.0.2.25", 1), func(r *alertlog.Record) { r.Epoch = "f" }))
	b.Add(but(alert(0, 3, "192.0.2.25", 0), func(r *alertlog.Record) {
		r.Phase, r.Lost = record.Lost, &record.Gap{From: 7, To: 8, Records: 2, Detections: 11, Reason: "queue_full"}
	}))
	p := b.Page(now)
	if s := p.Sensors[0]; s.Name != "ns1" || s.Records != 7 || s.Missing != 3 || s.Starts != 2 {
		t.Errorf("Got sensor %+v", s)
	}
	if d := p.Destinations[0]; d.File != "alerts.json" || d.Records != 7 || d.Lost != 2 || d.Detections != 11 || !slices.Equal(d.Reasons, []report.Why{{Reason: "queue_full", Records: 2}}) {
		t.Errorf("Got destination %+v", d)
	}
}

func TestSequence(t *testing.T) {
	tests := []struct {
		name    string
		numbers []uint64
		again   int // numbers that are not new
		spans   int
		missing uint64
	}{
		{"one after the other", []uint64{1, 2, 3}, 0, 1, 0},
		{"backwards", []uint64{3, 2, 1}, 0, 1, 0},
		{"a hole", []uint64{1, 2, 5}, 0, 2, 2},
		{"a hole that is filled", []uint64{1, 3, 2}, 0, 1, 0},
		{"the same again", []uint64{1, 2, 2, 1, 7, 7}, 3, 2, 4},
		{"not from the beginning", []uint64{100, 101}, 0, 1, 0},
		{"the greatest", []uint64{1<<64 - 1, 1<<64 - 2}, 0, 1, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b, s, again := build(t), new(sequence), 0
			for _, n := range tc.numbers {
				if !s.add(n, &b.spans) {
					again++
				}
			}
			if again != tc.again || len(s.spans) != tc.spans || s.missing() != tc.missing {
				t.Errorf("Got %d again, spans %v, %d missing", again, s.spans, s.missing())
			}
		})
	}
}

// TestRun reads files, and counts what is no alert.
func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alerts.json")
	var content []byte
	for n := range uint64(3) {
		content = append(format.ECS().Append(content, &alert(n+1, 3, "192.0.2.25", 2).Record), '\n')
	}
	content = append(content, "to=<bob@example.ml> is no alert\n"...)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	hide, err := report.NewHider(report.None)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	p, damaged, err := Run(t.Context(), []string{file}, nil, &Options{Month: now, Now: now, Hide: hide, Alert: func(r *alertlog.Record) error {
		if got := Row(r); len(got) != len(Columns) {
			t.Errorf("Got %d cells for %d columns", len(got), len(Columns))
		}
		rows++
		return nil
	}})
	if err != nil || len(damaged) > 0 || rows != 3 {
		t.Fatalf("Got %d rows, damage %v, error %v", rows, damaged, err)
	}
	f := p.Read.Files[0]
	if f.Lines != 4 || f.Used != 3 || f.Unknown != 1 || len(f.Samples) != 1 || !strings.HasSuffix(f.Samples[0], "to=<…@example.ml> is no alert") {
		t.Errorf("Got %+v", f)
	}
	if n := p.Names[0]; n.Queries != 6 || len(n.Slips) != 1 || n.Messages[0].Line != 1 {
		t.Errorf("Got %+v", n)
	}
}

// TestMemory gives ever new groups, names, hosts and holes: memory stays bounded.
func TestMemory(t *testing.T) {
	b := build(t)
	b.limits = limits{names: 200, entries: 2000, days: 1000, messages: 300, spans: 100}
	n := proof.N(20_000, 1_000_000)
	var before, after runtime.MemStats
	for i := range n {
		if i == n/10 {
			runtime.GC()
			runtime.ReadMemStats(&before)
		}
		b.Add(but(alert(uint64(2*i), 1+i%27, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String(), 1), func(r *alertlog.Record) {
			r.Name = fmt.Sprintf("army-%d.ml", i)
			r.Registrable, r.Group = r.Name, r.Name
		}))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("Got %d bytes more after %d alerts than after %d", grown, n, n/10)
	}
	if p := b.Page(now); p.Total.Queries != uint64(n) || len(p.Names) != 200 {
		t.Errorf("Got %d queries, %d names", p.Total.Queries, len(p.Names))
	}
}
