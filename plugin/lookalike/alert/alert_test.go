package alert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

func TestMain(m *testing.M) {
	clog.Discard()
	// A handle that bbolt has panicked in may be waited for until the process ends.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool.closeAbandoned"))
}

// epoch is when the tests begin.
var epoch = recordtest.Epoch

var (
	detection  = recordtest.Detection
	clientAddr = recordtest.Client
	sample     = recordtest.Sample
)

// receiver is a sink that remembers; fail makes it fail.
type receiver struct {
	mu       sync.Mutex
	messages []sink.Message
	fail     error
	taken    int    // of a batch, when it fails
	bad      string // it fails for a message with this in it only, having taken those before
	hang     bool   // until the context is done
	closed   int    // calls of Close
	opened   int    // calls of the opener
}

func (r *receiver) Send(ctx context.Context, batch []sink.Message) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hang {
		r.mu.Unlock()
		<-ctx.Done()
		r.mu.Lock()
		return 0, ctx.Err()
	}
	n, err := len(batch), r.fail
	if r.bad != "" {
		n = slices.IndexFunc(batch, func(m sink.Message) bool { return strings.Contains(string(m.Body), r.bad) })
		if n < 0 {
			n, err = len(batch), nil
		}
	} else if err != nil {
		n = min(r.taken, n)
	}
	r.messages = append(r.messages, batch[:n]...)
	return n, err
}

func (r *receiver) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed++
	return nil
}

func (r *receiver) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *receiver) all() []sink.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]sink.Message(nil), r.messages...)
}

// destination leads to r. The name tells destinations apart.
func (r *receiver) destination(name string) Destination {
	return Destination{
		name: name, key: name, format: ecs, batch: defaultBatch, timeout: defaultTimeout,
		open: func(sink.Env) (sink.Sink, error) {
			r.set(func() { r.opened++ })
			return r, nil
		},
	}
}

// sumCounts sums what records say.
func sumCounts(records []entry) (sum uint64) {
	for _, r := range records {
		sum += r.Count
	}
	return sum
}

// split parts entries into records and what has become of their groups.
func split(entries []entry) (records []*Record, states map[string]*groupState) {
	states = make(map[string]*groupState)
	for _, e := range entries {
		records, states[e.Group] = append(records, e.Record), e.state
	}
	return records, states
}

// story is a record in short, for comparison.
func story(r *Record) string {
	who := record.Any
	if r.Client.IsValid() {
		who = r.Client.String()
	}
	return fmt.Sprintf("%s %s %s %d/%d", r.Phase, who, r.Registrable, r.Count, r.Total)
}

// value reads a counter or a gauge.
func value(t *testing.T, m prometheus.Metric) float64 {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}
