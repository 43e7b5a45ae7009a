package spool

import (
	"bytes"
	"encoding/json"
	"fmt"
	golog "log"
	"os"
	"sync"
	"testing"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

func TestMain(m *testing.M) {
	clog.Discard()
	goleak.VerifyTestMain(m)
}

const minSize = 1 << 20

// tally is a Counter.
type tally struct {
	mu    sync.Mutex
	meant map[string]int // by destination
	lost  map[string]int // by destination and reason
}

func newTally() *tally { return &tally{meant: make(map[string]int), lost: make(map[string]int)} }

func (n *tally) Meant(dest string, count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.meant[dest] += count
}

func (n *tally) Lost(dest, reason string, count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost[dest+" "+reason] += count
}

// open opens a spool.
func open(tb testing.TB, dir string, limit int64, count Counter) *Spool {
	tb.Helper()
	s, err := Open(Config{Dir: dir, Limit: limit, Sensor: "ns1.example.org", Version: "1.0.0", Count: count})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// groupState is as much of a group as the tests need.
type groupState struct {
	Name  string
	Count int
}

// states are those of n groups, which have counted something each.
func states(n, count int) States {
	all := make(States, n)
	for i := range n {
		all[fmt.Sprintf("%016x", i)], _ = json.Marshal(groupState{fmt.Sprintf("some-long-name-%d.ml", i), count})
	}
	return all
}

// waiting sums up what groups have counted.
func waiting(tb testing.TB, all States) (sum int) {
	tb.Helper()
	for _, state := range all {
		var g groupState
		if err := json.Unmarshal(state, &g); err != nil {
			tb.Fatal(err)
		}
		sum += g.Count
	}
	return sum
}

// samples are n records.
func samples(n int) []*record.Record {
	all := make([]*record.Record, n)
	for i := range all {
		all[i] = recordtest.Sample()
		all[i].ID = record.NewID()
	}
	return all
}

// value reads a gauge.
func value(tb testing.TB, m prometheus.Metric) float64 {
	tb.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		tb.Fatal(err)
	}
	return out.GetGauge().GetValue()
}

// read returns a file.
func read(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// listenToLog returns what is logged until the end of the test.
func listenToLog(t *testing.T) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	golog.SetOutput(&b)
	t.Cleanup(clog.Discard)
	return &b
}
