package harness

import (
	"io"
	"net/http"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Web keeps no connection, which would count among the server's descriptors.
var Web = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: Patience}

// Metrics returns all metrics, read from {$METRICS}, as text.
func (s *Server) Metrics(tb testing.TB) string {
	tb.Helper()
	reply, err := Web.Get("http://" + s.Addr("METRICS").String() + "/metrics")
	if err != nil {
		tb.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// Metric adds up the samples of a counter or gauge that carry all the labels,
// given as name and value in turn. A metric that is not there is 0.
func (s *Server) Metric(tb testing.TB, name string, labels ...string) float64 {
	tb.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(s.Metrics(tb)))
	if err != nil {
		tb.Fatal(err)
	}
	sum := 0.0
	for _, m := range families[name].GetMetric() {
		if carries(m, labels) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// carries reports whether the sample has all the labels.
func carries(m *dto.Metric, labels []string) bool {
	found := 0
	for i := 0; i < len(labels); i += 2 {
		for _, l := range m.GetLabel() {
			if l.GetName() == labels[i] && l.GetValue() == labels[i+1] {
				found++
			}
		}
	}
	return 2*found == len(labels)
}
