package alert

import (
	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const subsystem = "lookalike"

// What the resolver has to say about its alerts. The numbers add up:
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
	rolledUpCount = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_rolled_up_detections_total",
		Help:      "Counter of detections counted in a roll-up over many names or clients.",
	})
	lateCount = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_late_detections_total",
		Help:      "Counter of detections after the last flush, which went to the log.",
	})
	envelopesLeftOut = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_envelopes_left_out_total",
		Help:      "Counter of refused messages whose envelope no alert record has, only their number.",
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
	}, func() float64 { return pipelineSum((*table).pending) })
	_ = promauto.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_groups",
		Help:      "Groups of one client and one name that alerts are counted in.",
	}, func() float64 { return pipelineSum(func(t *table) uint64 { return uint64(max(t.groups.Load(), 0)) }) })

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
