package deliver

import (
	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const subsystem = "lookalike"

// For each sink, records = delivered + backlog + lost.
var (
	sinkUp = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "sink_up",
		Help:      "0 while the last attempt to deliver to the sink has failed, else 1.",
	}, []string{"sink"})
	sinkRecords = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "sink_records_total",
		Help:      "Counter of alert records meant for the sink.",
	}, []string{"sink"})
	sinkDelivered = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "sink_delivered_total",
		Help:      "Counter of alert records that the sink has taken.",
	}, []string{"sink"})
	sinkLost = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "sink_lost_total",
		Help:      "Counter of alert records that the sink will never take, per reason.",
	}, []string{"sink", "reason"})
	sinkRetries = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "sink_retries_total",
		Help:      "Counter of attempts to deliver that failed and are made again.",
	}, []string{"sink"})
	sinkBacklog = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "sink_backlog_records",
		Help:      "Alert records that wait for the sink.",
	}, []string{"sink"})
	sinkOldest = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "sink_oldest_seconds",
		Help:      "Age of the oldest alert record that waits for the sink.",
	}, []string{"sink"})
)

// Why a sink never gets a record. The spool has more reasons of its own.
const (
	QueueFull    = "queue_full"
	refused      = "refused"
	notKept      = "not_kept"
	atShutdown   = "shutdown"
	spoolFull    = "spool_full"
	unwritable   = "spool_unwritable"
	corrupt      = "spool_corrupt"
	unconfigured = "unconfigured"
)

// begin creates the counters of a sink at 0. A counter that appears only with
// its first event hides that event from queries for increases.
func begin(dest string) {
	for _, c := range []*prometheus.CounterVec{sinkRecords, sinkDelivered, sinkRetries} {
		c.WithLabelValues(dest)
	}
	for _, reason := range []string{QueueFull, refused, notKept, atShutdown, spoolFull, unwritable, corrupt, unconfigured} {
		sinkLost.WithLabelValues(dest, reason)
	}
}

// Counters count the records of all sinks, by the destination's name.
type Counters struct{}

var counters Counters

// Meant counts records that a sink is to get.
func (Counters) Meant(dest string, n int) { sinkRecords.WithLabelValues(dest).Add(float64(n)) }

// Lost counts records that a sink never gets.
func (Counters) Lost(dest, reason string, n int) {
	sinkLost.WithLabelValues(dest, reason).Add(float64(n))
}
