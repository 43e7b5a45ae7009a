package spool

import (
	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const subsystem = "lookalike"

// The state of a spool, by its directory.
var (
	spoolHealthy = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "spool_healthy",
		Help:      "0 while the spool cannot be written, or its disk does not answer, and alerts wait in memory, else 1.",
	}, []string{"spool"})
	spoolRecords = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "spool_records",
		Help:      "Alert records in the spool.",
	}, []string{"spool"})
	spoolBytes = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "spool_bytes",
		Help:      "Size of the alert records in the spool.",
	}, []string{"spool"})
	spoolLimit = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "spool_limit_bytes",
		Help:      "Size that the alert records in the spool may grow to.",
	}, []string{"spool"})
)
