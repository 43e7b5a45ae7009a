package alert

import (
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/deliver"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/group"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// mostQueries is how many detections may wait to become lines of their own: some
// 4 MiB. The flusher takes them at once.
const mostQueries = 16384

// everyQuery has the detections of which each is to be a line (every=query), until
// the flusher takes them. It is safe for concurrent use.
type everyQuery struct {
	mu      sync.Mutex
	waiting []record.Detection
	spare   []record.Detection // the memory of the last ones
	left    uint64             // that found no room
}

// add never waits for what is slow.
func (e *everyQuery) add(d *record.Detection) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) >= mostQueries {
		e.left++
		return
	}
	e.waiting = append(e.waiting, *d)
}

// take returns what waits, until the next call.
func (e *everyQuery) take() (all []record.Detection, left uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all, left = e.waiting, e.left
	clear(e.spare[:cap(e.spare)]) // lets go of the verdicts
	e.waiting, e.spare, e.left = e.spare[:0], all, 0
	return all, left
}

// tellEvery makes lines of the detections that wait. They are told of besides the
// groups, so they have no sequence, and count nowhere as reported.
func (p *Pipeline) tellEvery() {
	if p.every == nil {
		return
	}
	all, left := p.every.take()
	if len(all) == 0 {
		return
	}
	now := time.Now()
	records := make([]*record.Record, len(all), len(all)+1)
	for i := range all {
		r := group.First(&all[i])
		r.Phase, r.ID, r.Created, r.Epoch, r.Sensor, r.Version = record.Query, record.NewID(), now, p.epoch, p.sensor, p.version
		records[i] = r
	}
	recordCount.WithLabelValues(record.Query.String()).Add(float64(len(all)))
	if left > 0 {
		gap := &record.Gap{Epoch: p.epoch, Records: left, Detections: left, Reason: deliver.QueueFull}
		records = append(records, record.NewLost(gap, records[len(records)-1]))
	}
	for _, o := range p.outlets {
		if o.every {
			deliver.Counters{}.Meant(o.Name(), int(left))                   //nolint:gosec // a number of queries
			deliver.Counters{}.Lost(o.Name(), deliver.QueueFull, int(left)) //nolint:gosec // a number of queries
			o.Push(records)
		}
	}
}
