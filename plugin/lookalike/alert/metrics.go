package alert

import (
	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/group"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

const subsystem = "lookalike"

// Metrics of the alerts. The numbers add up:
//
//	detections + restored = reported + pending + late
//	records of one sink   = delivered + backlog + lost
//
// Labels are bounded by the configuration; no name or client is ever one.
var (
	recordCount = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_records_total",
		Help:      "Counter of alert records made, per phase.",
	}, []string{"phase"})
	reportedCount = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_reported_detections_total",
		Help:      "Counter of detections that an alert record has carried.",
	})
	lateCount = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_late_detections_total",
		Help:      "Counter of detections after the last flush, which went to the log.",
	})
	restoredCount = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_restored_detections_total",
		Help:      "Counter of detections of a run that was killed, found in the spool and not reported yet.",
	})
	_ = promauto.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_pending_detections",
		Help:      "Detections that are counted and that no alert record has carried yet.",
	}, func() float64 { return sum((*group.Table).Pending) })
	_ = promauto.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_groups",
		Help:      "Groups of one client and one name that alerts are counted in.",
	}, func() float64 { return sum(func(t *group.Table) uint64 { return uint64(t.Groups()) }) })
)

func init() { // each phase exists from the start
	for _, phase := range record.Phases() {
		recordCount.WithLabelValues(phase.String())
	}
}

// sum adds a number up over the tables of all pipelines.
func sum(number func(*group.Table) uint64) float64 {
	running.Lock()
	defer running.Unlock()
	var n uint64
	for p := range running.all {
		n += number(p.table)
	}
	return float64(n)
}
