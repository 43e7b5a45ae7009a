package rpz

import (
	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	namesListed = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "names",
		Help:      "Number of names in the zone, each with all names below it: blocked, or exceptions.",
	}, []string{"zone", "kind"})

	serialServed = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "serial",
		Help:      "Serial of the zone, to compare with that of the secondaries.",
	}, []string{"zone"})

	compilesTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "compiles_total",
		Help:      "Counter of compilations of changed lists, by result.",
	}, []string{"zone", "result"})

	transfersTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "transfers_total",
		Help:      "Counter of transfers started: full, incremental, or current (only the SOA, for a secondary that has the newest version).",
	}, []string{"zone", "kind"})
)

// show creates the metrics of a zone, so that the first increase is visible.
func show(origin string) {
	for _, result := range []string{"success", "failure"} {
		compilesTotal.WithLabelValues(origin, result)
	}
	for _, kind := range []string{"full", "incremental", "current"} {
		transfersTotal.WithLabelValues(origin, kind)
	}
}

// hide deletes the gauges of a zone, unless it is still served: a reload may have left
// it out.
func hide(origin string) {
	isServed := false
	histories.Each(func(_ string, h *history) { isServed = isServed || h.origin == origin })
	if !isServed {
		namesListed.DeletePartialMatch(prometheus.Labels{"zone": origin})
		serialServed.DeleteLabelValues(origin)
	}
}
