package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lookalike-dns/lookalike/test/proof"
)

const testLimit = 64 << 10

// writer drives a journal as the spool does, and knows what it should hold.
type writer struct {
	*Journal
	found Found
	rand  *rand.Rand

	records map[uint64][]string        // what was to be written at each position, the last one last
	acked   uint64                     // end of the last commit that went well
	states  []map[string]string        // after each commit that went well, and after the one that did not, if any
	wrote   map[string]map[string]bool // every value that a key was to have
	lost    map[uint64]bool            // positions of a commit that was refused, and may be anything
	kept    uint64                     // records below may be gone
	next    int                        // number of the next record
}

func newWriter(tb testing.TB, d disk, r *rand.Rand) *writer {
	tb.Helper()
	w := &writer{rand: r, records: make(map[uint64][]string), acked: 1, lost: make(map[uint64]bool), states: []map[string]string{{}}, wrote: make(map[string]map[string]bool)}
	w.open(tb, d)
	return w
}

func (w *writer) open(tb testing.TB, d disk) {
	tb.Helper()
	var err error
	if w.Journal, w.found, err = open(d, testLimit); err != nil {
		tb.Fatal(err)
	}
}

// step makes a commit: a few records, a few keys, now and then with the oldest
// segments dropped.
func (w *writer) step() error {
	var c Commit
	for range w.rand.IntN(4) {
		w.next++
		record := fmt.Sprintf(`{"n":%d,"pad":"%0*d"}`, w.next, w.rand.IntN(800), 0)
		at := w.end + uint64(len(c.Records))
		w.records[at] = append(w.records[at], record)
		c.Records = append(c.Records, json.RawMessage(record))
	}
	state := maps.Clone(w.states[0])
	c.Keys = make(map[string]json.RawMessage)
	for range w.rand.IntN(4) {
		key := fmt.Sprint("group/x/", w.rand.IntN(20))
		if c.Keys[key] = nil; w.rand.IntN(3) > 0 {
			w.next++
			c.Keys[key] = json.RawMessage(fmt.Sprintf(`{"n":%d,"pad":"%0*d"}`, w.next, w.rand.IntN(300), 0))
		}
		w.set(state, key, c.Keys[key])
	}
	key := "commits"
	c.Keys[key] = json.RawMessage(fmt.Sprint(w.next))
	w.set(state, key, c.Keys[key])
	if c.Keep = 0; w.rand.IntN(3) == 0 {
		c.Keep = w.Oldest(testLimit)
		w.kept = max(w.kept, c.Keep)
	}
	if err := w.Commit(c); err != nil {
		w.states = append(w.states, state)
		return err
	}
	w.acked, w.states = w.end, []map[string]string{state}
	return nil
}

func (w *writer) set(state map[string]string, key string, value json.RawMessage) {
	if w.wrote[key] == nil {
		w.wrote[key] = make(map[string]bool)
	}
	if value == nil {
		delete(state, key)
		return
	}
	state[key] = string(value)
	w.wrote[key][string(value)] = true
}

// read reads all records, nil for those that cannot be read.
func (w *writer) read(tb testing.TB) (records []json.RawMessage) {
	tb.Helper()
	for at := uint64(1); at < w.end; at++ {
		r, err := w.Record(at)
		if err != nil {
			tb.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// content reads all of the state.
func (w *writer) content(tb testing.TB) map[string]string {
	tb.Helper()
	state := make(map[string]string)
	for key := range w.keys {
		value, err := w.Value(key)
		if err != nil || value == nil {
			tb.Fatalf("Got value %q of %s and error %v", value, key, err)
		}
		state[key] = string(value)
	}
	return state
}

// check compares what is in the journal with what should be: everything of the
// commits that went well, and of those that did not all or nothing.
func (w *writer) check(tb testing.TB) {
	tb.Helper()
	if w.end < w.acked {
		tb.Errorf("Got an end at %d, want %d at least", w.end, w.acked)
	}
	state := w.content(tb)
	whole := slices.ContainsFunc(w.states, func(s map[string]string) bool { return maps.Equal(s, state) })
	if !whole && (w.end > w.acked && !w.found.Doubt || !w.mixed(state)) {
		tb.Errorf("Got another state than after any commit: %s", differences(state, w.states))
	}
	w.checkRecords(tb, func(position uint64) {
		if position >= w.kept && position < w.acked && !w.lost[position] {
			tb.Errorf("Got no record at %d, which is below the end", position)
		}
	})
}

// mixed reports whether each key has a value that it may have: a commit without
// records that was refused may be there in part.
func (w *writer) mixed(state map[string]string) bool {
	if len(w.states) == 1 {
		return false
	}
	for key := range w.wrote {
		value, there := state[key]
		if !slices.ContainsFunc(w.states, func(s map[string]string) bool { v, ok := s[key]; return v == value && ok == there }) {
			return false
		}
	}
	return true
}

// differences says in which keys a state is unlike others.
func differences(state map[string]string, others []map[string]string) (s string) {
	for _, other := range others {
		s += "\n  commit " + other["commits"] + ":"
		for _, key := range slices.Sorted(maps.Keys(state)) {
			if state[key] != other[key] {
				s += fmt.Sprintf(" %s %.12s (%.12s)", key, state[key], other[key])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(other)) {
			if _, ok := state[key]; !ok {
				s += fmt.Sprintf(" no %s", key)
			}
		}
	}
	return s
}

// checkRecords holds that what can be read was written there last, and reports
// what cannot be read.
func (w *writer) checkRecords(tb testing.TB, missing func(position uint64)) {
	tb.Helper()
	for i, r := range w.read(tb) {
		position := uint64(i) + 1
		wrote := w.records[position]
		switch {
		case r == nil:
			missing(position)
		case position >= w.kept && position < w.acked && string(r) != wrote[len(wrote)-1], position >= w.kept && !slices.Contains(wrote, string(r)):
			tb.Errorf("Got record %.10s at %d, want %.10s", r, position, wrote)
		}
	}
}

// goOn takes what is there as given, whatever came of the commits that failed.
func (w *writer) goOn(tb testing.TB) {
	tb.Helper()
	w.acked, w.states = w.end, append([]map[string]string{w.content(tb)}, w.states...) // until the next commit, those may come again
	for i, r := range w.read(tb) {
		if r != nil {
			w.records[uint64(i)+1] = []string{string(r)}
		} else {
			w.lost[uint64(i)+1] = true
		}
	}
}

// TestJournalReopens commits, and opens the journal again and again.
func TestJournalReopens(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	d := newSim(1)
	w := newWriter(t, d, r)
	for range 40 {
		for range 20 {
			if err := w.step(); err != nil {
				t.Fatal(err)
			}
		}
		w.check(t)
		w.open(t, d.copied())
		w.check(t)
		if w.found.Damaged > 0 || w.found.Doubt {
			t.Fatalf("Got %+v of a journal that is as it was written", w.found)
		}
		if n := len(w.Journal.records.segments); n > 2*segmentsOf {
			t.Fatalf("Got %d segments", n)
		}
		w.open(t, d)
	}
	if w.First() == 1 {
		t.Error("Got a journal that was never full")
	}
}

// TestJournalFaults has operations fail, and room run out and come again. What the
// journal has taken is there, also for another process, and what it has refused is
// there as a whole or not.
func TestJournalFaults(t *testing.T) {
	for seed := range uint64(proof.N(8, 300)) {
		r := rand.New(rand.NewPCG(seed, 3))
		d := newSim(seed)
		w := newWriter(t, d, r)
		refused := 0
		for range 60 {
			d.faults, d.room = 0, 0
			switch r.IntN(4) {
			case 0:
				d.faults = 0.2
			case 1:
				d.room = d.used() + r.IntN(4000)
			}
			for range 5 {
				if w.step() != nil {
					refused++
				}
				w.checkInProcess(t)
			}
			d.faults, d.room = 0, 0
			if r.IntN(5) == 0 {
				w.open(t, d.copied())
				w.check(t)
				w.open(t, d)
				w.check(t)
				w.goOn(t)
			}
			if t.Failed() {
				t.Fatalf("with seed %d", seed)
			}
		}
		if err := w.step(); err != nil || refused == 0 {
			t.Errorf("Got error %v of a good disk, and %d commits refused before", err, refused)
		}
	}
}

// checkInProcess is check for the process that has it: what was refused is
// not there.
func (w *writer) checkInProcess(tb testing.TB) {
	tb.Helper()
	if w.end != w.acked {
		tb.Errorf("Got an end at %d, want %d", w.end, w.acked)
	}
	states := w.states
	w.states = states[:1]
	w.check(tb)
	w.states = states // another process may find one that was refused
}

// TestPowerCut cuts the power anywhere. What the journal has taken is there
// afterwards, on a disk that keeps names only when the directory is synced, too.
func TestPowerCut(t *testing.T) {
	for _, strict := range []bool{false, true} {
		for seed := range uint64(proof.N(30, 1000)) {
			if bad := powerCut(t, seed, func(d *simDisk) { d.strict = strict }); bad != "" {
				t.Fatalf("Got %s with seed %d, strict %v", bad, seed, strict)
			}
		}
	}
}

// TestPowerCutBites holds that the test above would find a sync that is missing.
func TestPowerCutBites(t *testing.T) {
	for name, without := range map[string]func(*simDisk){
		"files":     func(d *simDisk) { d.noSync = true },
		"directory": func(d *simDisk) { d.noDirSync, d.strict = true, true },
	} {
		found := 0
		for seed := range uint64(100) {
			if powerCut(t, seed, without) != "" {
				found++
			}
		}
		if found < 20 {
			t.Errorf("Got %d of 100 power cuts without a sync of the %s that lost something", found, name)
		}
	}
}

// powerCut runs a journal until the power is cut, a few times, and says what is
// wrong.
func powerCut(t *testing.T, seed uint64, set func(*simDisk)) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 4))
	d := newSim(seed)
	rec := &recorder{TB: t}
	w := newWriter(t, d, r)
	for range 4 {
		set(d)
		d.left = 1 + r.IntN(300)
		for {
			err := w.step()
			if errors.Is(err, errPower) {
				break
			}
			if err != nil {
				return err.Error()
			}
		}
		d = d.afterCut()
		w.open(t, d)
		w.check(rec)
		if rec.said != "" {
			return rec.said
		}
		w.goOn(t)
	}
	return ""
}

// recorder takes errors as what a test looks for.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Errorf(format string, args ...any) { r.said = fmt.Sprintf(format, args...) }
func (r *recorder) Helper()                           {}

// inDirectory opens a journal on a real disk.
func inDirectory(tb testing.TB, dir string, r *rand.Rand) *writer {
	tb.Helper()
	d, err := openDirectory(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return newWriter(tb, d, r)
}

// TestJournalFiles holds that cut and jq can read the files: in each line, what
// follows the second space is JSON.
func TestJournalFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	w := inDirectory(t, dir, rand.New(rand.NewPCG(1, 5)))
	for range 50 {
		if err := w.step(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*-*.jsonl"))
	if err != nil || len(names) < 3 {
		t.Fatalf("Got files %q and error %v", names, err)
	}
	for _, name := range append(names, filepath.Join(dir, markFile)) {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(content) {
			fields := bytes.SplitN(line, []byte(" "), 3)
			if len(fields) < 3 || !json.Valid(fields[2]) {
				t.Errorf("Got line %.60q in %s", line, name)
			}
		}
	}
}
