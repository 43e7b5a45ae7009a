package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/deliver"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/group"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool"
	"github.com/lookalike-dns/lookalike/test/wait"
)

func TestParseSpool(t *testing.T) {
	tests := []struct {
		args  string
		limit int64
		err   string
	}{
		{"/var/spool/lookalike", 256 << 20, ""},
		{"spool 1MiB", 1 << 20, ""},
		{"/s 2g", 2 << 30, ""},
		{"/s 500MB", 500e6, ""},
		{"/s 100000000", 1e8, ""},
		{"", 0, "want DIRECTORY [SIZE]"},
		{"/s 1 2", 0, "want DIRECTORY [SIZE]"},
		{"/s 1023KiB", 0, "is not a size"},
		{"/s 2TiB", 0, "is not a size"},
		{"/s -5GiB", 0, "is not a size"},
		{"/s 99999999999GiB", 0, "is not a size"},
		{"/s big", 0, "is not a size"},
	}
	for _, tc := range tests {
		t.Run(tc.args, func(t *testing.T) {
			s, err := ParseSpool(strings.Fields(tc.args))
			switch {
			case tc.err != "":
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("Got error %v, want one with %q", err, tc.err)
				}
			case err != nil || s.limit != tc.limit || !filepath.IsAbs(s.dir):
				t.Errorf("Got %v and error %v, want %d bytes", s, err, tc.limit)
			}
		})
	}
}

// openSpooled opens a pipeline with a spool.
func openSpooled(t *testing.T, dir string, limit int64, destinations ...Destination) *Pipeline {
	t.Helper()
	p, err := Open(Config{
		Destinations: destinations, Sensor: "ns1.example.org", Version: "1.0.0", Spool: &Spool{dir: dir, limit: limit},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSpoolRestart stops with a sink that is down, and starts again.
func TestSpoolRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	r := &sinktest.Receiver{Fail: errors.New("down")}
	p := openSpooled(t, dir, minSpoolSize, destination(r, "restart"))
	for i := range 5 {
		p.Observe(now(fmt.Sprintf("a%d.ml", i)))
		wait.Until(t, "record", func() bool { n, _ := p.outlets[0].Backlog(); return n == i+1 })
	}
	shut(t, p)
	if got := r.All(); len(got) != 0 {
		t.Fatalf("Got %d records at a sink that is down", len(got))
	}
	r.Set(func() { r.Fail = nil })
	p = openSpooled(t, dir, minSpoolSize, destination(r, "restart"))
	wait.Until(t, "old records", r.Has(10))
	p.Observe(now("army.ml"))
	wait.Until(t, "new record", r.Has(11))
	got := phases(t, r.All())
	slices.Sort(got[5:10]) // the final ones, of one moment
	for i, g := range got {
		if seq, _, _ := strings.Cut(g, " "); i < 5 && seq != fmt.Sprint(i+1) {
			t.Errorf("Got record %q at %d", g, i)
		}
	}
	if got[10] != "11 first 1" {
		t.Errorf("Got record %q after the restart, want the sequence to go on", got[10])
	}
	epoch := decode(t, r.All()[0].Body)["agent.ephemeral_id"]
	if last := decode(t, r.All()[10].Body)["agent.ephemeral_id"]; last != epoch {
		t.Errorf("Got epoch %v after the restart, want %v", last, epoch)
	}
	shut(t, p)
	sinkIdentity(t, "restart")
}

// TestSpoolCountedOnce holds that records are counted as meant for a sink once
// in a process, however often the spool is opened, and also those that another
// pipeline has written meanwhile.
func TestSpoolCountedOnce(t *testing.T) {
	dir := t.TempDir()
	const name = "https://counted.example.org"
	down, other := &sinktest.Receiver{Fail: errors.New("down")}, &sinktest.Receiver{Fail: errors.New("down")}
	before := metric(t, "sink_records_total{sink="+name+"}")
	p := openSpooled(t, dir, minSpoolSize, destination(down, name))
	p.Observe(now("army.ml"))
	shut(t, p)
	for range 3 {
		shut(t, openSpooled(t, dir, minSpoolSize, destination(down, name)))
	}
	if n := metric(t, "sink_records_total{sink="+name+"}") - before; n != 2 {
		t.Errorf("Got %v records of one detection in the metric, want 2", n)
	}
	p = openSpooled(t, dir, minSpoolSize, destination(other, "https://other.example.org"))
	p.Observe(now("navy.ml"))
	shut(t, p)
	p = openSpooled(t, dir, minSpoolSize, destination(down, name))
	n, _ := p.outlets[0].Backlog()
	shut(t, p)
	if got := metric(t, "sink_records_total{sink="+name+"}") - before; got != 4 || n != 4 {
		t.Errorf("Got %v records in the metric and %d in the backlog, want 4", got, n)
	}
}

// copySpool is what a crash leaves: the directory as it is at a moment.
func copySpool(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// contents sums up what a run after a crash finds in a spool: the detections in
// the records for a destination that did not take any, the groups, and the
// detections that these have counted and no record has carried.
func contents(t *testing.T, dir string) (told uint64, groups int, waiting uint64) {
	t.Helper()
	s, err := spool.Open(spool.Config{Dir: copySpool(t, dir), Limit: 1 << 30, Count: deliver.Counters{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := s.Attach("contents", "contents")
	for got := c.Take(1000); len(got) > 0; got = c.Take(1000) {
		for _, r := range got {
			told += r.Count
		}
		c.Settle(len(got))
	}
	tab := group.New(func() {})
	for _, state := range s.Adopt("contents") {
		if _, _, err := tab.Restore(state); err != nil {
			t.Fatal(err)
		}
		groups++
	}
	return told, groups, tab.Pending()
}

// TestSpoolCrash holds that groups go on after a crash with all that they had
// counted up to the last checkpoint.
func TestSpoolCrash(t *testing.T) {
	dir := t.TempDir()
	r := new(sinktest.Receiver)
	p := openSpooled(t, dir, minSpoolSize, destination(r, "crash"))
	defer shut(t, p)
	for range 5 {
		p.Observe(now("army.ml"))
	}
	wait.Until(t, "first record", r.Has(1))
	wait.Until(t, "checkpoint", func() bool {
		_, groups, waiting := contents(t, dir)
		return groups == 1 && waiting == 4
	})
	after := copySpool(t, dir)

	restored := value(t, restoredCount)
	r2 := new(sinktest.Receiver)
	p2 := openSpooled(t, after, minSpoolSize, destination(r2, "crash 2"))
	p2.Observe(now("army.ml"))
	if err := Close(t.Context(), p2); err != nil {
		t.Error(err)
	}
	if n := value(t, restoredCount) - restored; n != 4 {
		t.Errorf("Got %v detections restored in the metric, want 4", n)
	}
	if got := phases(t, r2.All()); !slices.Equal(got, []string{"2 final 5"}) {
		t.Errorf("Got records %q after the crash, want one that goes on", got)
	}
	flat := decode(t, r2.All()[0].Body)
	if flat["lookalike.total"] != 6.0 || flat["lookalike.class"] != "tld-swap" || fmt.Sprint(flat["lookalike.protected"]) != "[army.mil]" {
		t.Errorf("Got record %v after the crash", flat)
	}

	// What has ended does not come again.
	r3 := new(sinktest.Receiver)
	p3 := openSpooled(t, after, minSpoolSize, destination(r3, "crash 3"))
	shut(t, p3)
	if got := r3.All(); len(got) != 0 {
		t.Errorf("Got records %q of groups that had ended", phases(t, got))
	}
}

// TestSpoolSweep holds that a sweep is one commit, which has the records and what
// the other groups have counted: a crash after any of them reports nothing twice,
// and all that was counted before it.
func TestSpoolSweep(t *testing.T) {
	dir := t.TempDir()
	s, err := acquireSpool(Config{Spool: &Spool{dir: dir, limit: 64 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	s.Attach("contents", "contents") // keeps the records
	p := &Pipeline{spool: s, owner: record.NewID(), unsaved: make(spool.States), table: group.New(func() {})}
	asked, both := uint64(0), 0
	for i := range 100 {
		at := epoch.Add(time.Duration(i) * 20 * time.Second)
		for range rand.IntN(10) {
			name := fmt.Sprintf("a%d.ml", rand.IntN(1+i/2)) // groups that begin at other times
			p.table.Observe(detection("192.0.2.25", name, name, at))
			asked++
		}
		p.sweep(at)
		told, _, waiting := contents(t, dir)
		if told+waiting != asked {
			t.Fatalf("Got %d told and %d in the checkpoint, want %d", told, waiting, asked)
		}
		if told > 0 && waiting > 0 {
			both++
		}
	}
	if both == 0 {
		t.Error("Got no sweep with records and a checkpoint")
	}
	if err := p.spool.release(); err != nil {
		t.Error(err)
	}
}

func TestDeadLetters(t *testing.T) {
	dir := t.TempDir()
	r := &sinktest.Receiver{Fail: &sink.Refused{Err: errors.New("bad \"mapping\"\x00")}}
	p := openSpooled(t, dir, minSpoolSize, destination(r, "dead"))
	p.Observe(now("army.ml"))
	path := filepath.Join(dir, "dead.jsonl")
	wait.Until(t, "dead letter", func() bool { b, err := os.ReadFile(path); return err == nil && strings.HasSuffix(string(b), "\n") })
	shut(t, p)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	var letter struct {
		Sink, Reason string
		Record       struct{ Lookalike struct{ Phase string } }
	}
	if err := json.Unmarshal([]byte(first), &letter); err != nil || letter.Sink != "dead" || letter.Record.Lookalike.Phase != "first" || !strings.Contains(letter.Reason, "mapping") {
		t.Errorf("Got dead letter %+v and error %v", letter, err)
	}
}

func TestCheckSpools(t *testing.T) {
	config := func(dir string, lines ...string) Config {
		var c Config
		for _, line := range lines {
			d, err := ParseDestination(strings.Fields(line))
			if err != nil {
				t.Fatal(err)
			}
			c.Destinations = append(c.Destinations, d)
		}
		if dir != "" {
			c.Spool = &Spool{dir: dir, limit: minSpoolSize}
		}
		return c
	}
	tests := []struct {
		name string
		a, b Config
		want string // part of the error; empty: none
	}{
		{"the same", config("/s", "http://a.example", "syslog://b.example"), config("/s", "syslog://b.example", "http://a.example"), ""},
		{"files do not matter", config("/s", "http://a.example", "/a.json"), config("/s", "http://a.example", "stdout"), ""},
		{"no spool", config("", "http://a.example"), config("", "http://b.example"), ""},
		{"a spool each", config("/s", "http://a.example"), config("/t", "http://b.example"), ""},
		{"other destinations", config("/s", "http://a.example"), config("/s", "http://b.example"),
			"spool /s: two directives with different alert destinations or options cannot share it (http://a.example; http://b.example): give each a directory of its own"},
		{"one more", config("/s", "http://a.example"), config("/s", "http://a.example", "http://b.example"), "cannot share it"},
		{"other options", config("/s", "http://a.example"), config("/s", "http://a.example batch=2"), "cannot share it"},
		{"none", config("/s", "http://a.example"), config("/s", "/a.json"), "(http://a.example; none on the network)"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			err := CheckSpools(tc.a, tc.b)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("Got error %v, want %q", err, tc.want)
			}
		})
	}
}

// TestSpoolShared holds that a reload that adds a destination keeps the spool,
// and the connection of the sink that stays.
func TestSpoolShared(t *testing.T) {
	dir := t.TempDir()
	one, two := new(sinktest.Receiver), new(sinktest.Receiver)
	p := openSpooled(t, dir, minSpoolSize, destination(one, "shared 1"))
	p.Observe(now("army.ml"))
	wait.Until(t, "record", one.Has(1))
	q := openSpooled(t, dir, minSpoolSize, destination(one, "shared 1"), destination(two, "shared 2"))
	shut(t, p)
	q.Observe(now("navy.ml"))
	wait.Until(t, "record", two.Has(2))
	shut(t, q)
	if got, want := phases(t, one.All()), []string{"1 first 1", "2 final 0", "3 first 1", "4 final 0"}; !slices.Equal(got, want) {
		t.Errorf("Got records %q, want %q", got, want)
	}
	if one.Opened != 1 || one.Closed != 1 {
		t.Errorf("Got the shared sink opened %d and closed %d times, want once", one.Opened, one.Closed)
	}
}

// TestSpoolRemoved holds that a running server notices that its spool was
// removed, and makes it again.
func TestSpoolRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	r := new(sinktest.Receiver)
	p := openSpooled(t, dir, minSpoolSize, destination(r, t.Name()))
	p.Observe(now("army.ml"))
	wait.Until(t, "record", r.Has(1))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "a file", func() bool { files, _ := os.ReadDir(dir); return len(files) > 0 })
	shut(t, p)
	if got := phases(t, r.All()); len(got) != 2 {
		t.Errorf("Got records %q, want the first and the last one", got)
	}
}

// damages are what may happen to a spool's files under a running server.
var damages = map[string]func(f *os.File, size int64) error{
	"emptied":     func(f *os.File, _ int64) error { return f.Truncate(0) },
	"cut to half": func(f *os.File, size int64) error { return f.Truncate(size / 2) },
	"zeros":       func(f *os.File, size int64) error { return overwrite(f, size, 0) },
	"noise":       func(f *os.File, size int64) error { return overwrite(f, size, 0x5a) },
}

func overwrite(f *os.File, size int64, with byte) error {
	_, err := f.WriteAt(bytes.Repeat([]byte{with}, int(size)), 0)
	return err
}

// damageAll damages every file in a directory.
func damageAll(t *testing.T, dir string, damage func(f *os.File, size int64) error) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := os.OpenFile(filepath.Join(dir, file.Name()), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(damage(f, info.Size()), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSpoolDamaged damages the files under a whole pipeline, which delivers what
// comes later, and ends in time.
func TestSpoolDamaged(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := new(sinktest.Receiver)
			p := openSpooled(t, dir, minSpoolSize, destination(r, t.Name()))
			p.Observe(now("army.ml"))
			wait.Until(t, "record", r.Has(1))
			damageAll(t, dir, damage)
			for i := range 10 {
				p.Observe(now(fmt.Sprintf("a%d.ml", i)))
			}
			wait.Until(t, "records", r.Has(11))
			wait.Done(t, "the pipeline", func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if err := Close(ctx, p); err != nil {
					t.Error(err)
				}
			})
			if got := r.All(); len(got) < 22 {
				t.Errorf("Got records %q, want the first and the last one of 11 groups", phases(t, got))
			}
		})
	}
}

// TestSpoolDamagedGroups holds that a spool whose files were damaged has all
// groups again, also those that nothing has happened to since.
func TestSpoolDamagedGroups(t *testing.T) {
	dir := t.TempDir()
	s, err := acquireSpool(Config{Spool: &Spool{dir: dir, limit: minSpoolSize}})
	if err != nil {
		t.Fatal(err)
	}
	p := &Pipeline{spool: s, owner: record.NewID(), unsaved: make(spool.States), table: group.New(func() {})}
	for range 3 {
		p.table.Observe(detection("192.0.2.25", "army.ml", "army.ml", epoch))
	}
	p.sweep(epoch)
	damageAll(t, dir, damages["zeros"])
	p.table.Observe(detection("192.0.2.25", "navy.ml", "navy.ml", epoch))
	p.spool.Look(epoch) // as every second
	for range 2 {
		p.sweep(epoch)
	}
	if _, _, waiting := contents(t, dir); waiting != 2 {
		t.Errorf("Got %d waiting in the new files, want the 2 that no record had carried", waiting)
	}
	if err := p.spool.release(); err != nil {
		t.Error(err)
	}
}
