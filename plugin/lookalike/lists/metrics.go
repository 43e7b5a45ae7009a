package lists

import (
	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
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

	allowedNames = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "allowed_names",
		Help:      "Number of names in force that are left alone.",
	}, []string{"block"})

	allowExpires = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "allow_expires_seconds",
		Help:      "Seconds until the next exception of a directive ends; absent where none does.",
	}, []string{"block", "directive"})

	withoutDoubleTypo = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "names_without_double_typo",
		Help:      "Number of protected names in which two slips are not looked for, though they are long enough.",
	}, []string{"block"})
)

// Publish shows the lists of the server that has taken over as metrics. The
// counters exist from then on, so that the first reload shows as an increase.
func Publish(all ...*Lists) {
	protectedNames.Reset()
	allowedNames.Reset()
	withoutDoubleTypo.Reset()
	listCurrent.Reset()
	publishCurrent()
	publishEnds()
	for _, l := range all {
		protectedNames.WithLabelValues(l.Block).Add(float64(l.Index().Len()))
		allowedNames.WithLabelValues(l.Block).Add(float64(l.current.Load().allow.Len()))
		withoutDoubleTypo.WithLabelValues(l.Block).Add(float64(l.Index().WithoutDoubleTypo()))
		for _, result := range []string{"success", "failure"} {
			listReloadsTotal.WithLabelValues(l.Block, result)
		}
	}
}

// publishCurrent shows for each list of a server block whether those of all its
// directives are what their files say.
func publishCurrent() {
	running.Lock()
	defer running.Unlock()
	current := make(map[[2]string]float64)
	for l := range running.lists {
		for _, one := range l.both() {
			key := [...]string{l.Block, one.name}
			if _, seen := current[key]; !seen {
				current[key] = 1
			}
			if one.stale.Load() {
				current[key] = 0
			}
		}
	}
	for key, value := range current {
		listCurrent.WithLabelValues(key[0], key[1]).Set(value)
	}
}
