package smtpreject

import (
	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

var (
	connectionsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "connections_total",
		Help:      "Counter of accepted SMTP connections.",
	}, []string{"address"})

	connectionsOpen = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "connections",
		Help:      "Number of open SMTP connections.",
	}, []string{"address"})

	disconnectsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "disconnects_total",
		Help:      "Counter of SMTP connections that were closed on the client, by reason.",
	}, []string{"address", "reason"})

	commandsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "commands_total",
		Help:      "Counter of SMTP commands.",
	}, []string{"address", "command"})

	recipientsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "recipients_total",
		Help:      "Counter of refused recipients, by what their domain resembles.",
	}, []string{"address", "class"})

	handshakesTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "tls_handshakes_total",
		Help:      "Counter of TLS handshakes after STARTTLS, by result.",
	}, []string{"address", "result"})

	failuresTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "failures_total",
		Help:      "Counter of failures inside the plugin that the client did not see.",
	}, []string{"address"})

	envelopesLimitedTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "envelopes_limited_total",
		Help:      "Counter of refused recipients whose envelope no alert has, because there were too many.",
	}, []string{"address"})
)

// announce shows the series of an address before the first event, so that the
// first one is seen to be an increase.
func announce(address string) {
	connectionsTotal.WithLabelValues(address)
	connectionsOpen.WithLabelValues(address)
	failuresTotal.WithLabelValues(address)
	envelopesLimitedTotal.WithLabelValues(address)
	for _, reason := range []string{"timeout", crowded, "shutdown", errProtocol.Error(), errTooMany.Error(), errHandshake.Error()} {
		disconnectsTotal.WithLabelValues(address, reason)
	}
	for verb := range commands {
		commandsTotal.WithLabelValues(address, verb)
	}
	commandsTotal.WithLabelValues(address, "other")
	for _, class := range detect.Classes() {
		recipientsTotal.WithLabelValues(address, class.String())
	}
	recipientsTotal.WithLabelValues(address, "none")
	handshakesTotal.WithLabelValues(address, "ok")
	handshakesTotal.WithLabelValues(address, "failed")
}
