package group

import (
	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const subsystem = "lookalike"

var (
	rolledUpCount = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_rolled_up_detections_total",
		Help:      "Counter of detections counted in a roll-up over many names or clients.",
	})
	envelopesLeftOut = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: subsystem,
		Name:      "alert_envelopes_left_out_total",
		Help:      "Counter of refused messages whose envelope no alert record has, only their number.",
	})
)
