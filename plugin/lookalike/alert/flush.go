package alert

import (
	"encoding/json"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/group"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// tick is the time between two looks for records that are due, and between two
// checkpoints of what has been counted: what a crash costs.
const tick = time.Second

// A group that is alone is told of at once. In a storm, those of a moment share
// the cost of one commit to the spool, which holds a processor and the disk: after
// a commit the flusher rests 299 times as long as the commit took (between 50 ms
// and one tick), so that commits of new groups use at most 1/300 of the time, and
// with those of the ticks fewer than one query in a hundred meets one.
const (
	leastRest = 50 * time.Millisecond
	restShare = 299
)

// wakeUp tells the flusher that a group is new.
func (p *Pipeline) wakeUp() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run is the flusher: it makes records and gives them to the outlets. The
// pipeline's end ends it.
func (p *Pipeline) run() {
	defer close(p.done)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	wake := p.wake // nil while the spool rests
	var rested <-chan time.Time
	for {
		select {
		case <-wake:
			began := time.Now()
			safely(func() { p.emit(p.table.Announcements()) })
			safely(p.tellEvery)
			if p.spool != nil {
				wake, rested = nil, time.After(rest(time.Since(began)))
			}
		case <-rested:
			wake, rested = p.wake, nil
		case now := <-ticker.C:
			safely(func() { p.sweep(now) })
			safely(p.tellEvery)
			safely(func() { p.housekeep(now) })
		case <-p.quit:
			return
		}
	}
}

// safely runs f, whose panic must not end the server.
func safely(f func()) {
	defer guard.Recover("alerts")
	f()
}

// rest is the time from a commit of new groups, which took so long, to the next.
func rest(took time.Duration) time.Duration {
	return min(max(restShare*took, leastRest), tick)
}

// sweep emits the records that are due. The spool takes them and a checkpoint
// in one commit.
func (p *Pipeline) sweep(now time.Time) {
	if p.spool == nil {
		entries, _ := p.table.Sweep(now)
		p.emit(entries)
		return
	}
	p.collect() // first: what a record brings of its group is newer
	entries, ended := p.table.Sweep(now)
	for _, id := range ended {
		p.unsaved[id] = nil
	}
	if len(entries) == 0 {
		p.save()
		return
	}
	p.emit(entries)
}

// housekeep does what has to be done now and then.
func (p *Pipeline) housekeep(now time.Time) {
	if p.spool != nil {
		p.adopt()
		p.spool.Look(now)
	}
	for _, o := range p.outlets {
		o.Measure(now)
	}
}

// emit numbers records, spools them, and gives them to every outlet.
func (p *Pipeline) emit(entries []group.Entry) {
	if len(entries) == 0 {
		return
	}
	now := time.Now()
	records := make([]*record.Record, len(entries))
	for i, e := range entries {
		e.ID, e.Created, e.Sensor, e.Version = record.NewID(), now, p.sensor, p.version
		records[i] = e.Record
		if p.spool != nil {
			p.unsaved[e.Group] = encode(e.State)
		}
	}
	p.number(records)
	for _, r := range records {
		recordCount.WithLabelValues(r.Phase.String()).Inc()
		reportedCount.Add(float64(r.Count))
	}
	for _, o := range p.outlets {
		if !o.every {
			o.Push(records)
		}
	}
}

// number gives records their sequence; a spool has its own, and writes them, and
// what it has not taken yet.
func (p *Pipeline) number(records []*record.Record) {
	if p.spool != nil {
		if p.spool.Append(p.owner, records, p.unsaved) {
			clear(p.unsaved)
		}
		return
	}
	for _, r := range records {
		p.sequence++
		r.Epoch, r.Sequence = p.epoch, p.sequence
	}
}

// adopt goes on with groups of the last run, whose spool may only have been read
// some time after the start.
func (p *Pipeline) adopt() {
	if p.spool == nil {
		return
	}
	states := p.spool.Adopt(p.owner)
	if len(states) == 0 {
		return
	}
	for _, state := range states {
		id, count, err := p.table.Restore(state)
		if err != nil {
			log.Errorf("spool: a group's state is unreadable, its unreported count is lost: %v", err)
			continue
		}
		restoredCount.Add(float64(count))
		p.unsaved[id] = state
	}
	p.collect()
	p.save()
}

// collect takes the groups that have changed, for the spool, or all groups where
// its file is new.
func (p *Pipeline) collect() {
	if n := p.spool.GivenUp(); n != p.givenUp {
		p.givenUp = n
		p.table.MarkAllDirty()
	}
	for id, state := range p.table.Checkpoint() {
		p.unsaved[id] = encode(state)
	}
}

// save writes a checkpoint.
func (p *Pipeline) save() {
	if p.spool.Checkpoint(p.owner, p.unsaved) {
		clear(p.unsaved)
	}
}

// encode is what the spool gets of a group; nil: it has ended.
func encode(state *group.State) json.RawMessage {
	if state == nil {
		return nil
	}
	b, err := state.Encode()
	if err != nil { // no state has what JSON cannot write
		log.Errorf("spool: encoding a group's state failed, a crash would lose its unreported count: %v", err)
		return nil
	}
	return b
}
