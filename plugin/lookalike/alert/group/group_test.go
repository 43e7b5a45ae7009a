package group

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

func sweep(t *Table, now time.Time) []Entry {
	records, _ := t.Sweep(now)
	return records
}

func encode(tb testing.TB, s *State) json.RawMessage {
	tb.Helper()
	b, err := s.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// sumCounts sums what records say.
func sumCounts(records []Entry) (sum uint64) {
	for _, r := range records {
		sum += r.Count
	}
	return sum
}

// story is a record in short, for comparison.
func story(r *record.Record) string {
	who := record.Any
	if r.Client.IsValid() {
		who = r.Client.String()
	}
	return fmt.Sprintf("%s %s %s %d/%d", r.Phase, who, r.Registrable, r.Count, r.Total)
}

// value reads a counter.
func value(tb testing.TB, m prometheus.Metric) float64 {
	tb.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		tb.Fatal(err)
	}
	return out.GetCounter().GetValue()
}
