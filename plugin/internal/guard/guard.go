// Package guard recovers from panics: a fault beside a query must not end DNS.
package guard

import (
	"fmt"

	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

var log = clog.NewWithPlugin("lookalike")

// Failures counts the panics by the place where they happened.
var Failures = promauto.NewCounterVec(prometheus.CounterOpts{
	Namespace: plugin.Namespace,
	Subsystem: "lookalike",
	Name:      "failures_total",
	Help:      "Counter of failures inside the plugin that the client did not see.",
}, []string{"where"})

func init() { // each exists from the start, so that the first failure shows as an increase
	for _, where := range []string{"alert", "alerts", "answer", "delivery", "exceptions", "inspect", "probe", "rpz", "stacks", "verify"} {
		Failures.WithLabelValues(where)
	}
}

// Recover recovers from a panic, logs and counts it. It must be deferred
// itself, not called by a deferred function. Where is one of a few words, since
// it labels the counter.
func Recover(where string) { Handle(where, recover()) }

// Handle is Recover for a deferred function that has to know: failure is what
// its own recover returned. It reports whether there was a panic.
func Handle(where string, failure any) bool {
	if failure == nil {
		return false
	}
	Failures.WithLabelValues(where).Inc()
	log.Errorf("recovered from a panic in %s: %s", where, text.Clean(fmt.Sprint(failure)))
	return true
}
