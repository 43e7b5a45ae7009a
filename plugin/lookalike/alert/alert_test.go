package alert

import (
	"encoding/json"
	"strings"
	"testing"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/deliver"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

func TestMain(m *testing.M) {
	clog.Discard()
	goleak.VerifyTestMain(m)
}

// epoch is when the tests begin.
var epoch = recordtest.Epoch

var (
	detection  = recordtest.Detection
	clientAddr = recordtest.Client
)

// value reads a counter or a gauge.
func value(t *testing.T, m prometheus.Metric) float64 {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}

// destination leads to r. The name tells destinations apart.
func destination(r *sinktest.Receiver, name string) Destination {
	return Destination{
		to:  deliver.Destination{Name: name, Format: format.ECS(), Batch: defaultBatch, Timeout: defaultTimeout},
		key: name, open: r.Open,
	}
}

// decode reads an alert, with dotted keys.
func decode(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(body, &object); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	flat := make(map[string]any)
	var flatten func(prefix string, v any)
	flatten = func(prefix string, v any) {
		if o, ok := v.(map[string]any); ok && prefix != "lookalike.qtypes." {
			for k, v := range o {
				flatten(prefix+k+".", v)
			}
			return
		}
		flat[strings.TrimSuffix(prefix, ".")] = v
	}
	flatten("", object)
	return flat
}
