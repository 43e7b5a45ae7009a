package lookalike

import (
	"net"
	"runtime"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	cparse "github.com/coredns/coredns/plugin/pkg/parse"

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

	allowedTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "allowed_total",
		Help:      "Counter of queries for names that resemble a protected name, and pass by an exception.",
	}, []string{"block", "class"})

	mode = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "mode",
		Help:      "1 for the action in force for a class and confidence.",
	}, []string{"block", "class", "confidence", "action"})
)

func init() {
	promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "build_info",
		Help:      "1, with the version of the plugin and of Go.",
	}, []string{"version", "goversion"}).WithLabelValues(Version, runtime.Version()).Set(1)
}

// publish shows the policy's mode as metrics, and creates its
// counters at 0: one that appears with its first event hides that event from
// queries for increases.
func (p *Policy) publish() {
	for _, class := range detect.Classes() {
		allowedTotal.WithLabelValues(p.block, class.String())
		for _, confidence := range []detect.Confidence{detect.High, detect.Medium, detect.Low} {
			a := p.Action(class, confidence)
			mode.WithLabelValues(p.block, class.String(), confidence.String(), a.String()).Set(1)
			if a.Kind == record.Off || p.listeners == nil {
				continue
			}
			servers, view := p.listeners()
			for _, server := range servers {
				detectionsTotal.WithLabelValues(server, view, class.String(), confidence.String(), a.String())
			}
		}
	}
}

// listeners returns the servers of a block as CoreDNS labels metrics: of each key,
// on each address.
func listeners(keys, hosts []string) []string {
	var all []string
	for _, key := range keys {
		transport, rest := cparse.Transport(key)
		_, port, err := net.SplitHostPort(rest)
		if err != nil {
			continue
		}
		for _, host := range hosts {
			if addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, port)); err == nil {
				all = append(all, transport+"://"+addr.String())
			}
		}
	}
	return all
}

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
