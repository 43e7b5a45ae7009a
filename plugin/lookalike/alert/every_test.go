package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

func parse(t *testing.T, words string) Destination {
	t.Helper()
	d, err := ParseDestination(strings.Fields(words))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// read returns the records of a file: time of the detection, client, name, phase
// and count.
func read(t *testing.T, path string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var r struct {
			Timestamp time.Time `json:"@timestamp"`
			Source    struct{ IP string }
			Event     struct{ Sequence uint64 }
			DNS       struct{ Question struct{ Name, Type string } }
			Lookalike struct {
				Phase string
				Count uint64
				Lost  struct{ Records uint64 }
			}
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %d", r.Timestamp.Format("15:04:05"), r.Source.IP, r.DNS.Question.Name, r.DNS.Question.Type, r.Lookalike.Phase, r.Lookalike.Count+r.Lookalike.Lost.Records)))
	}
	return all
}

// TestEveryQuery traces a complaint to its minute: each query is a line of one
// file, while another one has the groups.
func TestEveryQuery(t *testing.T) {
	dir := t.TempDir()
	each, groups := filepath.Join(dir, "each.json"), filepath.Join(dir, "groups.json")
	p := open(t, parse(t, each+" every=query"), parse(t, groups))
	for i, name := range []string{"army.ml", "mail.army.ml", "army.ml", "army.ml"} {
		p.Observe(recordtest.Detection("192.0.2.25", name, "army.ml", recordtest.Epoch.Add(time.Duration(i)*17*time.Second)))
	}
	shut(t, p)
	want := []string{
		"08:40:00 192.0.2.25 army.ml MX query 1", "08:40:17 192.0.2.25 mail.army.ml MX query 1",
		"08:40:34 192.0.2.25 army.ml MX query 1", "08:40:51 192.0.2.25 army.ml MX query 1",
	}
	if got := read(t, each); !slices.Equal(got, want) {
		t.Errorf("Got  %q\nwant %q", got, want)
	}
	got := read(t, groups)
	if len(got) == 0 || slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "query") }) {
		t.Errorf("Got %q in the file of groups", got)
	}
}

// TestEveryFlood holds that a flood that is faster than the disk takes bounded
// memory, and is told of.
func TestEveryFlood(t *testing.T) {
	var e everyQuery
	d := recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch)
	for range mostQueries + 7 {
		e.add(d)
	}
	path := filepath.Join(t.TempDir(), "each.json")
	p := open(t, parse(t, path+" every=query"))
	p.every.mu.Lock()
	p.every.waiting, p.every.left = e.waiting[:3], e.left
	p.every.mu.Unlock()
	p.wakeUp()
	shut(t, p)
	got := read(t, path)
	if len(got) != 4 || !strings.HasSuffix(got[3], "lost 7") {
		t.Errorf("Got %q, want three queries and that 7 are lost", got)
	}
}

func TestEveryOption(t *testing.T) {
	for _, tc := range []struct{ words, want string }{
		{"stdout every=query", ""},
		{"./a.json cef every=query", ""},
		{"./a.json every=group", ""},
		{"./a.json every=minute", `option every: "minute" is none of group, query`},
		{"syslog://192.0.2.1 every=query", "option every is for files and stdout"},
		{"kafka://192.0.2.1/a every=query", "option every is for files and stdout"},
	} {
		_, err := ParseDestination(strings.Fields(tc.words))
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Got error %v for %s, want one with %q", err, tc.words, tc.want)
		}
	}
	path := filepath.Join(t.TempDir(), "a.json")
	_, err := Open(Config{Destinations: []Destination{parse(t, path), parse(t, path+" every=query")}})
	if err == nil || !strings.Contains(err.Error(), "either groups or every=query") {
		t.Errorf("Got error %v of one file for both", err)
	}
}

// BenchmarkEvery is what a line for each query costs the query.
func BenchmarkEvery(b *testing.B) {
	var e everyQuery
	d := recordtest.Detection("192.0.2.25", "army.ml", "army.ml", recordtest.Epoch)
	b.ReportAllocs()
	for i := range b.N {
		if i%1000 == 0 {
			e.take()
		}
		e.add(d)
	}
}
