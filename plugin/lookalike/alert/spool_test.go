package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
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
		{"/s 1023KiB", 0, "is no size"},
		{"/s 2TiB", 0, "is no size"},
		{"/s -5GiB", 0, "is no size"},
		{"/s 99999999999GiB", 0, "is no size"},
		{"/s big", 0, "is no size"},
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

// eventually waits for something to become true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for began := time.Now(); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("Got no %s in 20 s", what)
		}
	}
}

func (r *receiver) has(n int) func() bool { return func() bool { return len(r.all()) >= n } }

// TestSpoolRestart stops with a sink that is down, and starts again.
func TestSpoolRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	r := &receiver{fail: errors.New("down")}
	p := openSpooled(t, dir, minSpoolSize, r.destination("restart"))
	for i := range 5 {
		p.Observe(now(fmt.Sprintf("a%d.ml", i)))
		eventually(t, "record", func() bool { n, _ := p.runners[0].source.backlog(); return n == i+1 })
	}
	shut(t, p)
	if got := r.all(); len(got) != 0 {
		t.Fatalf("Got %d records at a sink that is down", len(got))
	}
	r.set(func() { r.fail = nil })
	p = openSpooled(t, dir, minSpoolSize, r.destination("restart"))
	eventually(t, "old records", r.has(10))
	p.Observe(now("army.ml"))
	eventually(t, "new record", r.has(11))
	got := phases(t, r.all())
	slices.Sort(got[5:10]) // the final ones, of one moment
	for i, g := range got {
		if seq, _, _ := strings.Cut(g, " "); i < 5 && seq != fmt.Sprint(i+1) {
			t.Errorf("Got record %q at %d", g, i)
		}
	}
	if got[10] != "11 first 1" {
		t.Errorf("Got record %q after the restart, want the sequence to go on", got[10])
	}
	epoch := decode(t, r.all()[0].Body)["agent.ephemeral_id"]
	if last := decode(t, r.all()[10].Body)["agent.ephemeral_id"]; last != epoch {
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
	down, other := &receiver{fail: errors.New("down")}, &receiver{fail: errors.New("down")}
	p := openSpooled(t, dir, minSpoolSize, down.destination(name))
	p.Observe(now("army.ml"))
	shut(t, p)
	for range 3 {
		shut(t, openSpooled(t, dir, minSpoolSize, down.destination(name)))
	}
	if n := value(t, sinkRecords.WithLabelValues(name)); n != 2 {
		t.Errorf("Got %v records of one detection in the metric, want 2", n)
	}
	p = openSpooled(t, dir, minSpoolSize, other.destination("https://other.example.org"))
	p.Observe(now("navy.ml"))
	shut(t, p)
	p = openSpooled(t, dir, minSpoolSize, down.destination(name))
	n, _ := p.runners[0].source.backlog()
	shut(t, p)
	if got := value(t, sinkRecords.WithLabelValues(name)); got != 4 || n != 4 {
		t.Errorf("Got %v records in the metric and %d in the backlog, want 4", got, n)
	}
}

// copySpool is what a crash leaves: the file as it is at a moment.
func copySpool(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	in, err := os.Open(filepath.Join(from, spoolFile))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(filepath.Join(to, spoolFile))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestSpoolCrash holds that groups go on after a crash with all that they had
// counted up to the last checkpoint.
func TestSpoolCrash(t *testing.T) {
	dir := t.TempDir()
	r := new(receiver)
	p := openSpooled(t, dir, minSpoolSize, r.destination("crash"))
	defer shut(t, p)
	for range 5 {
		p.Observe(now("army.ml"))
	}
	eventually(t, "first record", r.has(1))
	eventually(t, "checkpoint", func() bool {
		groups, waiting := 0, uint64(0)
		p.store.mu.Lock()
		defer p.store.mu.Unlock()
		if err := p.store.db.View(func(tx *bbolt.Tx) error {
			return tx.Bucket(groupBucket).ForEach(func(k, v []byte) error {
				state, err := decodeState(k, v)
				groups, waiting = groups+1, waiting+state.Window.Count
				return err
			})
		}); err != nil {
			t.Fatal(err)
		}
		return groups == 1 && waiting == 4
	})
	after := copySpool(t, dir)

	restored := value(t, restoredCount)
	r2 := new(receiver)
	p2 := openSpooled(t, after, minSpoolSize, r2.destination("crash 2"))
	p2.Observe(now("army.ml"))
	if err := p2.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := value(t, restoredCount) - restored; n != 4 {
		t.Errorf("Got %v detections restored in the metric, want 4", n)
	}
	if got := phases(t, r2.all()); !slices.Equal(got, []string{"2 final 5"}) {
		t.Errorf("Got records %q after the crash, want one that goes on", got)
	}
	flat := decode(t, r2.all()[0].Body)
	if flat["lookalike.total"] != 6.0 || flat["lookalike.class"] != "tld-swap" || fmt.Sprint(flat["lookalike.protected"]) != "[army.mil]" {
		t.Errorf("Got record %v after the crash", flat)
	}

	// What has ended does not come again.
	r3 := new(receiver)
	p3 := openSpooled(t, after, minSpoolSize, r3.destination("crash 3"))
	shut(t, p3)
	if got := r3.all(); len(got) != 0 {
		t.Errorf("Got records %q of groups that had ended", phases(t, got))
	}
}

// TestSpoolAdoptRefused holds that groups are adopted once, also when the disk
// refuses the first checkpoint.
func TestSpoolAdoptRefused(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
	if err != nil {
		t.Fatal(err)
	}
	tab := newTable(func() {})
	for range 3 {
		tab.observe(detection("192.0.2.25", "army.ml", "army.ml", epoch))
		tab.observe(detection("192.0.2.25", "navy.ml", "navy.ml", epoch))
	}
	s.checkpoint("first", tab.checkpoint())
	if err := s.close(); err != nil {
		t.Fatal(err)
	}

	if s, err = openStore(&Spool{dir: dir, limit: minSpoolSize}); err != nil {
		t.Fatal(err)
	}
	unsaved := make(map[string]*groupState)
	for _, state := range s.adopt("second") {
		unsaved[state.group()] = state
	}
	s.fail(syscall.ENOSPC)
	if s.checkpoint("second", unsaved) {
		t.Fatal("Got a checkpoint on a full disk")
	}
	s.retry = time.Time{}
	s.checkpoint("third", nil) // of another pipeline: the disk is good again
	army := unsaved["bc9cd430290f5905"]
	if army == nil {
		t.Fatalf("Got groups %v, want army.ml among them", unsaved)
	}
	r := sample()
	r.Group = army.group()
	if !s.append("second", []*Record{r}, unsaved) || !s.checkpoint("second", unsaved) {
		t.Fatalf("Got error %v", s.bad)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openStore(&Spool{dir: dir, limit: minSpoolSize}); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if n := len(s.orphans); n != 2 {
		t.Errorf("Got %d groups after a second crash, want 2", n)
	}
}

// TestSpoolOpensLate has a disk that cannot be read at the start, and can some
// time later: what is in the file is delivered as well, no number is used twice,
// and its groups go on.
func TestSpoolOpensLate(t *testing.T) {
	dir := t.TempDir()
	c := newClient(t, dir)
	tab := newTable(func() {})
	for range 5 {
		tab.observe(detection("192.0.2.25", "army.ml", "army.ml", epoch))
	}
	tab.announcements()
	c.s.checkpoint("first", tab.checkpoint())
	for range 3 {
		c.add()
	}
	if err := c.s.close(); err != nil {
		t.Fatal(err)
	}

	c.s = newStore(&Spool{dir: dir, limit: 1 << 30})
	c.s.fail(syscall.EIO)
	c.c = c.s.attach((&receiver{}).destination("disk"))
	records := value(t, sinkRecords.WithLabelValues("disk"))
	if orphans := c.s.adopt("second"); len(orphans) != 0 {
		t.Fatalf("Got groups %v of a file that was not read", orphans)
	}
	for range 3 {
		c.added++
		c.s.append("second", []*Record{sample()}, nil)
	}
	got := c.c.take(2)
	for _, r := range got {
		c.seen[fmt.Sprint(r.Epoch, r.Sequence)] = true
	}
	c.got += len(got)
	if !c.add() {
		t.Fatalf("Got error %v of a disk that is good again", c.s.bad)
	}
	c.c.settle(len(got))
	if c.s.sequence != 4 {
		t.Errorf("Got sequence %d, want 4: three are in the file", c.s.sequence)
	}
	c.deliver()
	if n := value(t, sinkRecords.WithLabelValues("disk")) - records; n != 4 {
		t.Errorf("Got %v records counted, want 4: the ones in the file were counted before", n)
	}
	if n, _ := c.c.backlog(); n != 0 {
		t.Errorf("Got a backlog of %d, want none", n)
	}
	orphans := c.s.adopt("second")
	if len(orphans) != 1 || orphans[0].Window.Count != 4 {
		t.Fatalf("Got groups %v, want the one in the file", orphans)
	}
	c.s.checkpoint("second", map[string]*groupState{orphans[0].group(): orphans[0]})
	if err := c.s.close(); err != nil {
		t.Fatal(err)
	}

	again := newClient(t, dir)
	again.deliver() // nothing is left
	if n := len(again.s.orphans); n != 1 {
		t.Errorf("Got %d groups after a second crash, want 1", n)
	}
	if err := again.s.close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolOpensLateCorrupt holds that a file that turns out to be corrupt
// takes nothing of what came before it was read.
func TestSpoolOpensLateCorrupt(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, spoolFile), bytes.Repeat([]byte("no"), 20_000), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &client{T: t, s: newStore(&Spool{dir: dir, limit: 1 << 30}), seen: make(map[string]bool)}
	c.s.fail(syscall.EIO)
	c.c = c.s.attach((&receiver{}).destination("disk"))
	c.added++
	c.s.append("owner", []*Record{sample()}, nil)
	if !c.add() {
		t.Fatalf("Got error %v of a new file", c.s.bad)
	}
	c.deliver()
	if err := c.s.close(); err != nil {
		t.Error(err)
	}
}

// TestRestoreJoins restores a group that has begun again meanwhile: what both
// counted is told.
func TestRestoreJoins(t *testing.T) {
	before, tab := newTable(func() {}), newTable(func() {})
	for range 5 {
		before.observe(detection("192.0.2.25", "mx.army.ml", "army.ml", epoch))
	}
	before.announcements()
	for range 3 {
		tab.observe(detection("192.0.2.25", "army.ml", "army.ml", epoch.Add(time.Minute)))
	}
	for _, state := range before.checkpoint() {
		if !tab.restore(state) {
			t.Fatal("Got a state refused")
		}
	}
	if n := tab.pending(); n != 7 {
		t.Errorf("Got %d pending, want 3 and the 4 that no record had carried", n)
	}
	told, last := uint64(0), (*Record)(nil)
	for _, r := range tab.close(epoch.Add(2 * time.Minute)) {
		told, last = told+r.Count, r.Record
	}
	if told != 7 || last.Total != 8 || !last.FirstSeen.Equal(epoch) || len(last.Samples) != 2 {
		t.Errorf("Got %d told, last record %+v", told, last)
	}
	if n := tab.pending(); n != 0 {
		t.Errorf("Got %d pending in the end", n)
	}
}

// TestSpoolCheckpointExact holds that a record takes its counts out of the
// checkpoint: a crash right after it reports nothing twice.
func TestSpoolCheckpointExact(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
	if err != nil {
		t.Fatal(err)
	}
	tab := newTable(func() {})
	sum := uint64(0)
	asked := 0
	for i := range 50 {
		at := epoch.Add(time.Duration(i) * 20 * time.Second)
		for range rand.IntN(4) {
			tab.observe(detection("192.0.2.25", "army.ml", "army.ml", at))
			asked++
		}
		s.checkpoint("owner", tab.checkpoint())
		if entries := tab.sweep(at); len(entries) > 0 {
			records, states := split(entries)
			s.append("owner", records, states)
			sum += counts(entries)
		}
		_, waiting := inFile(t, s)
		if sum+waiting != uint64(asked) {
			t.Fatalf("Got %d reported and %d in the checkpoint, want %d", sum, waiting, asked)
		}
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolEndsBad holds that groups whose last records were written late, when
// the spool was closed, do not come again.
func TestSpoolEndsBad(t *testing.T) {
	dir := t.TempDir()
	for i, left := range []int{2, 0} { // killed; then stopped on a disk that is bad for a while
		s, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
		if err != nil {
			t.Fatal(err)
		}
		s.attach((&receiver{}).destination("ends"))
		p := &Pipeline{store: s, owner: record.NewID(), unsaved: make(map[string]*groupState), table: newTable(func() {})}
		p.adopt(s.adopt(p.owner))
		if i == 0 {
			for range 3 {
				p.table.observe(detection("192.0.2.25", "army.ml", "army.ml", epoch))
				p.table.observe(detection("192.0.2.25", "navy.ml", "navy.ml", epoch))
			}
			p.sweep(epoch)
		} else {
			s.fail(syscall.ENOSPC)
			p.emit(p.table.close(epoch))
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		if s, err = openStore(&Spool{dir: dir, limit: minSpoolSize}); err != nil {
			t.Fatal(err)
		}
		if n := len(s.orphans); n != left {
			t.Errorf("Got %d groups in run %d, want %d", n, i, left)
		}
		if told, waiting := inFile(t, s); told+waiting != 6 {
			t.Errorf("Got %d told and %d waiting in run %d, want 6", told, waiting, i)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRetryAfter holds that attempts to write to a bad disk take two thousandths
// of the time, and that a disk that is well again is noticed within a minute.
func TestRetryAfter(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0:                      minRetry,
		time.Millisecond:       minRetry,
		40 * time.Millisecond:  19960 * time.Millisecond,
		300 * time.Millisecond: maxRetry,
		time.Hour:              maxRetry,
	} {
		if got := retryAfter(took); got != want {
			t.Errorf("Got %v to the next attempt after one of %v, want %v", got, took, want)
		}
	}
}

// TestSpoolSweep holds that a sweep is one transaction, which has the records and
// what the other groups have counted: a crash after any of them reports nothing
// twice, and all that was counted before it.
func TestSpoolSweep(t *testing.T) {
	s, err := openStore(&Spool{dir: t.TempDir(), limit: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	s.attach((&receiver{}).destination("sweep")) // keeps the records
	p := &Pipeline{store: s, owner: record.NewID(), unsaved: make(map[string]*groupState), table: newTable(func() {})}
	asked, both := uint64(0), 0
	for i := range 100 {
		at := epoch.Add(time.Duration(i) * 20 * time.Second)
		for range rand.IntN(10) {
			name := fmt.Sprintf("a%d.ml", rand.IntN(1+i/2)) // groups that begin at other times
			p.table.observe(detection("192.0.2.25", name, name, at))
			asked++
		}
		before := s.sequence
		from := transaction(t, s)
		p.sweep(at)
		if n := transaction(t, s) - from; n > 1 {
			t.Fatalf("Got %d transactions in a sweep", n)
		}
		told, waiting := inFile(t, s)
		if told+waiting != asked {
			t.Fatalf("Got %d told and %d in the checkpoint, want %d", told, waiting, asked)
		}
		if waiting > 0 && s.sequence > before {
			both++
		}
	}
	if both == 0 {
		t.Error("Got no sweep with records and a checkpoint")
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

func transaction(t *testing.T, s *store) int {
	t.Helper()
	id := 0
	if err := s.db.View(func(tx *bbolt.Tx) error { id = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return id
}

// inFile sums up the counts of all records and groups in the file.
func inFile(t *testing.T, s *store) (told, waiting uint64) {
	t.Helper()
	if err := s.db.View(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(recordBucket).ForEach(func(k, v []byte) error {
			r, err := decodeRecord(k, v)
			if err == nil {
				told += r.Count
			}
			return err
		}); err != nil {
			return err
		}
		return tx.Bucket(groupBucket).ForEach(func(k, v []byte) error {
			state, err := decodeState(k, v)
			if err == nil {
				waiting += state.Window.Count
			}
			return err
		})
	}); err != nil {
		t.Fatal(err)
	}
	return told, waiting
}

// TestSpoolFull fills a small spool: the oldest records are lost to the sink
// that is down, exactly those that it is told of, and none to the other.
func TestSpoolFull(t *testing.T) {
	down, up := &receiver{fail: errors.New("down")}, new(receiver)
	s, err := openStore(&Spool{dir: t.TempDir(), limit: minSpoolSize})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	lagging, prompt := s.attach(down.destination("lagging")), s.attach(up.destination("prompt"))
	const batches, each = 100, 20
	sent := 0
	for range batches {
		records := make([]*Record, each)
		for i := range records {
			records[i] = sample()
			records[i].ID, records[i].Count = record.NewID(), 3
		}
		if !s.append("owner", records, nil) {
			t.Fatalf("Got records refused: %v", s.bad)
		}
		for got := prompt.take(7); len(got) > 0; got = prompt.take(7) {
			for _, r := range got {
				if sent++; r.Sequence != uint64(sent) {
					t.Fatalf("Got sequence %d, want %d", r.Sequence, sent)
				}
			}
			prompt.settle(len(got))
		}
	}
	if sent != batches*each {
		t.Errorf("Got %d records at the prompt sink, want %d", sent, batches*each)
	}
	var gap *Gap
	next := uint64(0)
	rest := 0
	for got := lagging.take(50); len(got) > 0; got = lagging.take(50) {
		for _, r := range got {
			if r.Phase == Lost {
				gap = r.Lost
				next = gap.To
				continue
			}
			if next++; r.Sequence != next {
				t.Fatalf("Got sequence %d, want %d", r.Sequence, next)
			}
			rest++
		}
		lagging.settle(len(got))
	}
	if gap == nil || gap.From != 1 || gap.Records != gap.To || gap.Detections != 3*gap.Records || gap.Reason != "spool_full" || gap.Epoch != s.epoch {
		t.Fatalf("Got gap %+v", gap)
	}
	if int(gap.Records)+rest != batches*each || rest == 0 {
		t.Errorf("Got %d lost and %d delivered, want %d", gap.Records, rest, batches*each)
	}
	if lost := value(t, sinkLost.WithLabelValues("lagging", "spool_full")); lost != float64(gap.Records) {
		t.Errorf("Got %v lost in the metric, %d in the record", lost, gap.Records)
	}
	if n, _ := lagging.backlog(); n != 0 {
		t.Errorf("Got %d in the backlog, want none", n)
	}
	records, delivered := value(t, sinkRecords.WithLabelValues("lagging")), float64(rest+1)
	if records != delivered+float64(gap.Records) {
		t.Errorf("Got %v records, %v delivered, %d lost", records, delivered, gap.Records)
	}
}

// TestSpoolSize holds that the file is as large as README says, when a sink is
// down for long: what the records may take, and 5 KB for each group, all of which
// change all the time.
func TestSpoolSize(t *testing.T) {
	for _, n := range []int{0, 1600} {
		t.Run(fmt.Sprint(n, " groups"), func(t *testing.T) {
			s, err := openStore(&Spool{dir: t.TempDir(), limit: minSpoolSize})
			if err != nil {
				t.Fatal(err)
			}
			s.attach((&receiver{}).destination(t.Name()))
			s.db.NoSync = true // for speed
			groups := manyGroups(n)
			for range 20 {
				for range 5 {
					records := make([]*Record, 20)
					for i := range records {
						records[i] = sample()
					}
					s.append("owner", records, nil)
				}
				if !s.checkpoint("owner", groups) {
					t.Fatalf("Got error %v", s.bad)
				}
			}
			if s.stored.from == 0 {
				t.Error("Got a spool that is not full")
			}
			info, err := os.Stat(s.path())
			if err != nil {
				t.Fatal(err)
			}
			if most := int64(minSpoolSize + n*5000); info.Size() > most {
				t.Errorf("Got a file of %d bytes, want at most %d", info.Size(), most)
			}
			if err := s.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// manyGroups are groups that have as much to keep as is usual in an attack.
func manyGroups(n int) map[string]*groupState {
	groups := make(map[string]*groupState, n)
	for i := range n {
		name := fmt.Sprintf("some-long-name-%d.ml", i)
		d := detection(clientAddr(i).String(), "mail."+name, name, epoch)
		g := &group{key: key{class: d.Verdict.Class, client: d.Client.Addr(), name: name, action: d.Action}, first: epoch, last: epoch, det: *d}
		g.window = window{count: 5, start: epoch, end: epoch}
		for j := range maxSamples {
			g.window.addType(uint16(j))
			g.window.samples = append(g.window.samples, fmt.Sprintf("mx%d.%s", j, name))
		}
		groups[groupID(&g.key)] = g.state()
	}
	return groups
}

func TestSpoolSetAside(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, spoolFile), []byte(strings.Repeat("x", 10_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	aside, err := filepath.Glob(filepath.Join(dir, spoolFile+".corrupt-*"))
	if err != nil || len(aside) != 1 {
		t.Errorf("Got %q set aside and error %v, want one file", aside, err)
	}
	if !s.append("owner", []*Record{sample()}, nil) {
		t.Errorf("Got error %v of a new spool", s.bad)
	}
}

// TestSpoolCorrupt holds that no file, whatever is in it, stops the server.
func TestSpoolCorrupt(t *testing.T) {
	whole := usedSpool(t)
	damage := map[string]func([]byte) []byte{
		"garbage":           func([]byte) []byte { return []byte(strings.Repeat("not a database ", 1000)) },
		"empty":             func([]byte) []byte { return nil },
		"one byte":          func([]byte) []byte { return []byte{0} },
		"half":              func(b []byte) []byte { return b[:len(b)/2] },
		"two pages":         func(b []byte) []byte { return b[:2*os.Getpagesize()] },
		"zeros":             func(b []byte) []byte { clear(b); return b },
		"zeros in it":       func(b []byte) []byte { clear(b[3*os.Getpagesize():]); return b },
		"a record broken":   func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"Sequence":`), []byte(`"Sequence:"`)) },
		"another digit":     func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"Confidence":3`), []byte(`"Confidence":9`)) },
		"another bucket":    func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("groups"), []byte("grouqs")) },
		"no bucket of ours": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("cursors"), []byte("cursorz")) },
	}
	for range 50 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		damage[fmt.Sprintf("bytes changed, seed %d", seed)] = func(b []byte) []byte {
			for range 1 + r.IntN(200) {
				b[r.IntN(len(b))] = byte(r.Uint32())
			}
			return b
		}
		damage[fmt.Sprintf("numbers changed, seed %d", seed)] = func(b []byte) []byte {
			scratch(r, b, os.Getpagesize())
			return b
		}
		damage[fmt.Sprintf("digits changed, seed %d", seed)] = func(b []byte) []byte {
			for range 1000 {
				if i := r.IntN(len(b)); b[i] >= '0' && b[i] <= '9' {
					b[i] = '0' + byte(r.IntN(10))
				}
			}
			return b
		}
	}
	for name, f := range damage {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, spoolFile), f(slices.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			use(t, dir)
		})
	}
}

// usedSpool is the file of a spool with records, cursors and groups.
func usedSpool(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	s, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
	if err != nil {
		t.Fatal(err)
	}
	s.attach((&receiver{}).destination("x"))
	y := s.attach((&receiver{}).destination("y"))
	tab := newTable(func() {})
	for i := range 20 {
		name := fmt.Sprintf("a%d.ml", i)
		for range 3 {
			tab.observe(detection("192.0.2.25", name, name, epoch))
		}
		s.append("owner", []*Record{sample()}, tab.checkpoint())
	}
	y.take(5)
	y.widen(sample(), "spool_full")
	y.settle(3)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, spoolFile))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// use does with a spool, whatever is in its file, all that a server does.
func use(t *testing.T, dir string) {
	t.Helper()
	s, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
	if err != nil {
		t.Fatal(err)
	}
	s.db.NoSync = true // for speed
	p := &Pipeline{store: s, owner: record.NewID(), unsaved: make(map[string]*groupState), table: newTable(func() {})}
	p.adopt(s.adopt(p.owner))
	for _, name := range []string{"x", "y"} {
		c := s.attach((&receiver{}).destination(name))
		for range 3 { // works, with what can be read of the old
			s.retry = time.Time{} // no waiting
			s.append(p.owner, []*Record{sample()}, p.unsaved)
			got := c.take(100)
			for _, r := range got {
				for _, f := range formats {
					message(f, r)
				}
			}
			c.settle(len(got))
		}
	}
	p.sweep(time.Now())
	p.emit(p.table.close(time.Now()))
	s.retry = time.Time{}
	if !s.append(p.owner, []*Record{sample()}, nil) {
		t.Errorf("Got error %v after many records", s.bad)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolSetAsideCrash holds that a file that takes the place of a corrupt
// one has the sequence from the beginning: a crash right after it uses no
// number twice.
func TestSpoolSetAsideCrash(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.append("owner", []*Record{sample()}, nil)
	}
	if err := s.setAside(errCorrupt); err != nil {
		t.Fatal(err)
	}
	if err := s.reopen(); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Close(); err != nil { // nothing has been committed
		t.Fatal(err)
	}
	again, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
	if err != nil {
		t.Fatal(err)
	}
	defer again.close()
	r := sample()
	again.append("owner", []*Record{r}, nil)
	if r.Epoch == s.epoch && r.Sequence != 4 {
		t.Errorf("Got sequence %d after the crash, want 4", r.Sequence)
	}
}

func TestSpoolOpenFails(t *testing.T) {
	dir := t.TempDir()
	used := filepath.Join(dir, "used")
	if err := os.Mkdir(used, 0o750); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(filepath.Join(used, spoolFile), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{used: "another process uses it", file: "not a directory"} {
		if s, err := openStore(&Spool{dir: path, limit: minSpoolSize}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Got spool %v and error %v for %s, want one with %q", s, err, path, want)
		}
	}
}

// client drives a store as a pipeline and one sink do, and looks for numbers
// that come twice.
type client struct {
	*testing.T
	s          *store
	c          *cursor
	seen       map[string]bool
	added, got int
}

func newClient(t *testing.T, dir string) *client {
	t.Helper()
	s, err := openStore(&Spool{dir: dir, limit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	return &client{T: t, s: s, c: s.attach((&receiver{}).destination("disk")), seen: make(map[string]bool)}
}

// add appends a record at once, however long the disk has been bad.
func (c *client) add() bool {
	c.added++
	c.s.retry = time.Time{}
	r := sample()
	r.ID = record.NewID()
	return c.s.append("owner", []*Record{r}, nil)
}

func (c *client) deliver() {
	c.Helper()
	for got := c.c.take(100); len(got) > 0; got = c.c.take(100) {
		for _, r := range got {
			k := fmt.Sprint(r.Epoch, r.Sequence)
			if c.seen[k] {
				c.Errorf("Got sequence %s twice", k)
			}
			c.seen[k] = true
		}
		c.got += len(got)
		c.c.settle(len(got))
	}
	if c.got != c.added {
		c.Errorf("Got %d of %d records", c.got, c.added)
	}
}

// TestSpoolDiskFull fills the disk and makes room again: everything is
// delivered meanwhile, and no number is used twice.
func TestSpoolDiskFull(t *testing.T) {
	dir := sinktest.SmallDisk(t, "2m")
	c := newClient(t, dir)
	for range 10 {
		if !c.add() {
			t.Fatalf("Got error %v of a good disk", c.s.bad)
		}
	}
	c.deliver()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Got error %v, want a full disk", err)
	}
	for c.add() && c.added < 3000 { // until the file has no room of its own
	}
	if c.s.bad == nil {
		t.Fatal("Got no error of a full disk")
	}
	for range 50 {
		c.add()
	}
	c.deliver()
	for range 50 {
		c.add()
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if !c.add() {
		t.Errorf("Got error %v of a disk that has room again", c.s.bad)
	}
	c.deliver()
	if err := c.s.close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolReadOnly starts on a read-only disk: what is in the spool is
// delivered, and what comes is kept until the disk can be written.
func TestSpoolReadOnly(t *testing.T) {
	dir := sinktest.SmallDisk(t, "2m")
	c := newClient(t, dir)
	for range 10 {
		c.add()
	}
	if err := c.s.close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	added := c.added
	c = newClient(t, dir)
	c.added = added
	c.deliver()
	for range 10 {
		if c.add() {
			t.Error("Got a record written to a read-only disk")
		}
	}
	c.deliver()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	if !c.add() {
		t.Errorf("Got error %v of a disk that can be written again", c.s.bad)
	}
	c.deliver()
	if err := c.s.close(); err != nil {
		t.Error(err)
	}
	c2 := newClient(t, dir)
	c2.deliver() // nothing is left
	if err := c2.s.close(); err != nil {
		t.Error(err)
	}
}

// TestSpoolNoRoom starts on a disk that has no room for a spool.
func TestSpoolNoRoom(t *testing.T) {
	dir := sinktest.SmallDisk(t, "2m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Got error %v, want a full disk", err)
	}
	c := newClient(t, dir)
	if c.add() {
		t.Error("Got a record written to a full disk")
	}
	c.deliver()
	c.add()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if !c.add() {
		t.Errorf("Got error %v of a disk that has room again", c.s.bad)
	}
	c.deliver()
	if err := c.s.close(); err != nil {
		t.Error(err)
	}
}

func TestDeadLetters(t *testing.T) {
	dir := t.TempDir()
	r := &receiver{fail: &sink.Refused{Err: errors.New("bad \"mapping\"\x00")}}
	p := openSpooled(t, dir, minSpoolSize, r.destination("dead"))
	p.Observe(now("army.ml"))
	path := filepath.Join(dir, deadFile)
	eventually(t, "dead letter", func() bool { b, err := os.ReadFile(path); return err == nil && strings.HasSuffix(string(b), "\n") })
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

// optioned is a destination with options in its key, as ParseDestination makes
// it.
func (r *receiver) optioned(name, options string) Destination {
	d := r.destination(name)
	d.key = name + " ecs " + options
	return d
}

// longAgo makes all detached cursors old.
func (s *store) longAgo(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.cursors {
		c.detached = c.detached.Add(-d)
	}
}

// TestSpoolOptionsChange holds that what waited for a destination is delivered
// after its options were changed, once, and that it is counted when the
// destination is gone altogether.
func TestSpoolOptionsChange(t *testing.T) {
	backlog := func(t *testing.T, dir, name string) {
		t.Helper()
		down := &receiver{fail: errors.New("down")}
		p := openSpooled(t, dir, minSpoolSize, down.optioned(name, "batch=1"))
		p.Observe(now("army.ml"))
		eventually(t, "record", func() bool { n, _ := p.runners[0].source.backlog(); return n == 1 })
		shut(t, p)
	}
	t.Run("options changed", func(t *testing.T) {
		dir := t.TempDir()
		const name = "https://options.example.org"
		backlog(t, dir, name)
		up := new(receiver)
		for i := range 3 { // the second and third time nothing waits any more
			p := openSpooled(t, dir, minSpoolSize, up.optioned(name, fmt.Sprintf("batch=%d", 2+i)))
			p.store.longAgo(inheritAfter)
			p.Observe(now("navy.ml"))
			eventually(t, "records", up.has(3+2*i))
			shut(t, p)
		}
		if got, want := phases(t, up.all()), []string{
			"1 first 1", "2 final 0", "3 first 1", "4 final 0", "5 first 1", "6 final 0", "7 first 1", "8 final 0",
		}; !slices.Equal(got, want) {
			t.Errorf("Got records %q, want %q", got, want)
		}
	})
	t.Run("both options are configured", func(t *testing.T) {
		dir := t.TempDir()
		const name = "https://both.example.org"
		backlog(t, dir, name)
		one, two := new(receiver), new(receiver)
		p := openSpooled(t, dir, minSpoolSize, two.optioned(name, "batch=2"), one.optioned(name, "batch=1"))
		eventually(t, "record", one.has(2))
		shut(t, p)
		if got := phases(t, two.all()); len(got) != 0 {
			t.Errorf("Got records %q at the other destination", got)
		}
	})
	t.Run("no longer configured", func(t *testing.T) {
		dir := t.TempDir()
		const name = "https://gone.example.org"
		backlog(t, dir, name)
		s, err := openStore(&Spool{dir: dir, limit: minSpoolSize})
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		s.longAgo(cursorGrace)
		if !s.checkpoint("owner", nil) {
			t.Fatalf("Got error %v", s.bad)
		}
		if n := value(t, sinkLost.WithLabelValues(name, "unconfigured")); n != 2 {
			t.Errorf("Got %v lost, want 2", n)
		}
		if n := len(s.cursors); n != 0 {
			t.Errorf("Got %d cursors left, want none", n)
		}
	})
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
	one, two := new(receiver), new(receiver)
	p := openSpooled(t, dir, minSpoolSize, one.destination("shared 1"))
	p.Observe(now("army.ml"))
	eventually(t, "record", one.has(1))
	q := openSpooled(t, dir, minSpoolSize, one.destination("shared 1"), two.destination("shared 2"))
	shut(t, p)
	q.Observe(now("navy.ml"))
	eventually(t, "record", two.has(2))
	shut(t, q)
	if got, want := phases(t, one.all()), []string{"1 first 1", "2 final 0", "3 first 1", "4 final 0"}; !slices.Equal(got, want) {
		t.Errorf("Got records %q, want %q", got, want)
	}
	if one.opened != 1 || one.closed != 1 {
		t.Errorf("Got the shared sink opened %d and closed %d times, want once", one.opened, one.closed)
	}
}

func BenchmarkSpoolAppend(b *testing.B) {
	for _, n := range []int{1, 50} {
		b.Run(fmt.Sprint(n, " records"), func(b *testing.B) {
			s, err := openStore(&Spool{dir: b.TempDir(), limit: 64 << 20})
			if err != nil {
				b.Fatal(err)
			}
			defer s.close()
			c := s.attach((&receiver{}).destination("bench"))
			for b.Loop() {
				records := make([]*Record, n)
				for i := range records {
					records[i] = sample()
				}
				if !s.append("owner", records, nil) {
					b.Fatal(s.bad)
				}
				c.settle(len(c.take(1000)))
			}
		})
	}
}
