package lookalike

import (
	"sync/atomic"

	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	detectionsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "detections_total",
		Help:      "Counter of queries for names that resemble a protected name.",
	}, []string{"server", "view", "class", "confidence", "action"})

	listReloadsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "list_reloads_total",
		Help:      "Counter of changed lists that were read again, by result.",
	}, []string{"block", "result"})

	listCurrent = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "list_current",
		Help:      "Whether the list in force is what its files say: 0 from the moment a change is seen until it is taken, and while it cannot be.",
	}, []string{"block", "list"})

	protectedNames = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "protected_names",
		Help:      "Number of protected names in force.",
	}, []string{"block"})

	withoutDoubleTypo = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "names_without_double_typo",
		Help:      "Number of protected names in which two slips are not looked for, though they are long enough.",
	}, []string{"block"})
)

// detections counts what a policy detects. Nearly all of its queries come to
// one server and view. So it keeps the last counter of each class and
// confidence, which saves the lookup of five labels for every query. It is safe
// for concurrent use.
type detections [detect.DoubleTypo + 1][detect.High + 1]atomic.Pointer[detectionCounter]

type detectionCounter struct {
	server, view string
	action       record.Action
	prometheus.Counter
}

func (c *detections) count(server, view string, d Decision) {
	class, confidence, action := d.Verdict.Class, d.Verdict.Confidence, d.Action.Kind
	last := &c[class][confidence]
	counter := last.Load()
	if counter == nil || counter.server != server || counter.view != view || counter.action != action {
		counter = &detectionCounter{server, view, action,
			detectionsTotal.WithLabelValues(server, view, class.String(), confidence.String(), d.Action.String())}
		last.Store(counter)
	}
	counter.Inc()
}
