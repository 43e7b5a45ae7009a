package alert

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

// gathered is what a scrape finds of alerts and sinks: NAME{VALUE,...} of the
// labels, without what all names begin with.
func gathered(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, f := range families {
		name, ours := strings.CutPrefix(f.GetName(), "coredns_lookalike_")
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			if ours {
				all[name+"{"+strings.Join(labels, ",")+"}"] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return all
}

// metric reads one of them.
func metric(t *testing.T, name string) float64 {
	t.Helper()
	return gathered(t)[name]
}

// moment is what a scrape finds after something has happened.
type moment struct {
	name string
	do   func()
	want map[string]float64    // counters since the beginning
	more map[string][2]float64 // least and most, since the moment before
}

// TestMetrics reads the numbers that operators see while one of two sinks is
// down, when all is well, and in the end.
func TestMetrics(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	synctest.Test(t, func(t *testing.T) {
		beginning := gathered(t)
		before := beginning
		for _, m := range metricMoments(t, dir) {
			m.do()
			got := gathered(t)
			for k, want := range m.want {
				v, there := got[k]
				if strings.Contains(k, "_total{") {
					v -= beginning[k]
				}
				if v != want || !there && want != 0 {
					t.Errorf("%s: got %s %v (there: %v), want %v", m.name, k, v, there, want)
				}
			}
			for k, bounds := range m.more {
				if v := got[k] - before[k]; v < bounds[0] || v > bounds[1] {
					t.Errorf("%s: got %s %v more, want %v more", m.name, k, v, bounds)
				}
			}
			before = got
		}
		for k := range before {
			if strings.Contains(k, "_up{sink=metrics") || strings.Contains(k, "{spool="+dir) {
				t.Errorf("Got %s of what is closed", k)
			}
		}
	})
}

func metricMoments(t *testing.T, dir string) []moment {
	t.Helper()
	const limit = minSpoolSize + 12345
	down, up := &sinktest.Receiver{Fail: errors.New("down")}, new(sinktest.Receiver)
	p := openSpooled(t, dir, limit, destination(down, "metrics down"), destination(up, "metrics up"))
	spool := "{spool=" + dir + "}"
	return []moment{
		{"one sink is down", func() {
			for _, name := range []string{"army.ml", "navy.ml", "usaf.ml"} {
				p.Observe(now(name))
			}
			synctest.Wait()
			p.Observe(now("army.ml"))
			p.Observe(now("army.ml"))
			time.Sleep(10*time.Second + tick/2)
		}, map[string]float64{
			"alert_records_total{phase=first}": 3, "alert_records_total{phase=update}": 0, "alert_records_total{phase=final}": 0,
			"alert_reported_detections_total{}": 3, "alert_pending_detections{}": 2, "alert_groups{}": 3,
			"sink_up{sink=metrics down}": 0, "sink_up{sink=metrics up}": 1,
			"sink_records_total{sink=metrics down}": 3, "sink_records_total{sink=metrics up}": 3,
			"sink_delivered_total{sink=metrics down}": 0, "sink_delivered_total{sink=metrics up}": 3,
			"sink_backlog_records{sink=metrics down}": 3, "sink_backlog_records{sink=metrics up}": 0,
			"sink_oldest_seconds{sink=metrics down}": 10, "sink_oldest_seconds{sink=metrics up}": 0,
			"sink_retries_total{sink=metrics up}": 0,
			"spool_healthy" + spool:               1, "spool_records" + spool: 3, "spool_limit_bytes" + spool: limit,
		}, map[string][2]float64{"spool_bytes" + spool: {3 * 300, 3 * 3000}, "sink_retries_total{sink=metrics down}": {3, 60}}},

		{"a minute later", func() { time.Sleep(time.Minute) }, map[string]float64{
			"alert_records_total{phase=first}": 3, "alert_records_total{phase=update}": 1,
			"alert_reported_detections_total{}": 5, "alert_pending_detections{}": 0, "alert_groups{}": 3,
			"sink_backlog_records{sink=metrics down}": 4, "sink_oldest_seconds{sink=metrics down}": 70,
			"spool_records" + spool: 4,
		}, map[string][2]float64{"spool_bytes" + spool: {300, 3000}}},

		{"all is well again", func() {
			down.Set(func() { down.Fail = nil })
			time.Sleep(2 * time.Minute)
		}, map[string]float64{
			"sink_up{sink=metrics down}": 1, "sink_delivered_total{sink=metrics down}": 4,
			"sink_backlog_records{sink=metrics down}": 0, "sink_oldest_seconds{sink=metrics down}": 0,
			"spool_healthy" + spool: 1, "spool_records" + spool: 0, "spool_bytes" + spool: 0,
		}, nil},

		{"the end", func() { shut(t, p) }, map[string]float64{
			"alert_records_total{phase=final}": 3, "alert_reported_detections_total{}": 5,
			"alert_pending_detections{}": 0, "alert_groups{}": 0,
			"sink_records_total{sink=metrics down}": 7, "sink_delivered_total{sink=metrics down}": 7,
		}, nil},
	}
}
